"""What expressions come to, once their parameters have values: a finite real number, or a refusal."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterExpression

from qdepot.errors import InvalidProgramError

Columns = Mapping[object, NDArray[np.float64]]
"""For each parameter its value in each set."""

MAX_LOOP_VALUES = 10_000
"""Most combinations of the values of nested loops for which a parameter is calculated in advance."""

_SHOWN = 80
_SOLUTION = "Look for a division by zero, a root or logarithm of a negative number, or a number too large for a double."


def number(expression: ParameterExpression, values: Mapping[Any, float]) -> float | None:
    """What an expression comes to; None if that is not a finite real number."""
    try:
        found = expression.bind(dict(values)).numeric()
    except (ArithmeticError, ValueError, RuntimeError, TypeError):  # Qiskit raises each of them for some inf or NaN
        return None
    return float(found) if isinstance(found, (int, float)) and math.isfinite(found) else None


def check_values(circuit: QuantumCircuit, columns: Columns, *, sets: int) -> None:
    """Check that all parameters of instructions are finite real numbers with each set of values.

    Args:
        circuit: With free parameters.
        columns: Values of all of them.
        sets: How many sets of values there are.

    Raises:
        InvalidProgramError: One is not; the message names the instruction and the set, ``details["parameter_set"]``
            the set's place in C order of their shape.
    """
    if not columns:
        return
    seen: set[str] = set()
    for name, expression in _expressions(circuit, set()):
        if isinstance(expression, Parameter) or not expression.parameters <= columns.keys() or str(expression) in seen:
            continue
        seen.add(str(expression))
        failed = _first_failure(expression, columns)
        if failed is not None:
            where = f" with parameter set {failed}" if sets > 1 else ""
            raise InvalidProgramError(
                f"{name!r} has the parameter {_shown(expression)}, which is not a finite real number{where}",
                solution=_SOLUTION,
                details={"parameter_set": failed},
            )


def check_in_loops(name: str, params: Iterable[object], loops: Mapping[Parameter, Sequence[int]]) -> None:
    """Check that parameters of an instruction are finite real numbers for all values of the loops it stands in.

    Raises:
        InvalidProgramError: One is not; the message names the values.
    """
    for param in params:
        if not isinstance(param, ParameterExpression) or isinstance(param, Parameter):
            continue
        used = [parameter for parameter in param.parameters if parameter in loops]
        if len(used) < len(param.parameters) or math.prod(len(loops[each]) for each in used) > MAX_LOOP_VALUES:
            continue
        for combination in itertools.product(*(loops[each] for each in used)):
            if number(param, dict(zip(used, combination, strict=True))) is None:
                values = ", ".join(f"{each.name} = {value}" for each, value in zip(used, combination, strict=True))
                raise InvalidProgramError(
                    f"{name!r} has the parameter {_shown(param)}, which is not a finite real number in the round of "
                    f"its loop with {values}",
                    solution=_SOLUTION,
                )


def _expressions(circuit: QuantumCircuit, looked_at: set[int]) -> Iterator[tuple[str, ParameterExpression]]:
    """Every expression in a circuit, in bodies and definitions, too, with the name of its instruction."""
    if isinstance(circuit.global_phase, ParameterExpression):
        yield "the global phase", circuit.global_phase
    for instruction in circuit.data:
        for param in instruction.params:
            if isinstance(param, ParameterExpression):
                yield instruction.name, param
        if instruction.is_standard_gate():
            continue
        operation = instruction.operation
        inner = getattr(operation, "blocks", ()) or (getattr(operation, "_definition", None),)
        for body in inner:
            if isinstance(body, QuantumCircuit) and body.num_parameters and id(body) not in looked_at:
                looked_at.add(id(body))
                yield from _expressions(body, looked_at)


def _shown(expression: ParameterExpression) -> str:
    text = str(expression)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _first_failure(expression: ParameterExpression, columns: Columns) -> int | None:
    """The first set with which an expression is not a finite real number."""
    used = {parameter: columns[parameter] for parameter in expression.parameters}
    at_zero = number(expression, dict.fromkeys(used, 0.0))
    slopes = [expression.gradient(parameter) for parameter in used] if at_zero is not None else []
    if slopes and all(isinstance(slope, (int, float)) for slope in slopes):
        with np.errstate(all="ignore"):
            totals = at_zero + sum(slope * column for slope, column in zip(slopes, used.values(), strict=True))
        failures = np.flatnonzero(~np.isfinite(totals))
        return int(failures[0]) if failures.size else None
    for index, values in enumerate(zip(*used.values(), strict=True)):
        if number(expression, dict(zip(used, map(float, values), strict=True))) is None:
            return index
    return None
