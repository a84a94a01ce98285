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

LARGEST_ANGLE = 1e10
"""Largest magnitude of a gate's parameter. The transpiler and Aer add angles up: beyond it, what a sum of two loses by
rounding is more than 1e-6, soon a whole turn, and results are wrong."""

_SHOWN = 80
_SOLUTION = "Look for a division by zero, a root or logarithm of a negative number, or a number too large for a double."


def number(expression: ParameterExpression, values: Mapping[Any, float]) -> float | None:
    """What an expression comes to; None if that is not a finite real number."""
    try:
        found = expression.bind(dict(values)).numeric()
    except (ArithmeticError, ValueError, RuntimeError, TypeError):  # Qiskit raises each of them for some inf or NaN
        return None
    return float(found) if isinstance(found, (int, float)) and math.isfinite(found) else None


def slopes(expression: ParameterExpression) -> dict[Any, float] | None:
    """By parameter, how fast a linear expression grows with it; None for an expression that is not linear."""
    try:
        found = {parameter: expression.gradient(parameter) for parameter in expression.parameters}
    except RuntimeError:  # `sign` has no derivative
        return None
    return found if all(isinstance(slope, (int, float)) for slope in found.values()) else None


def check_angle(name: str, angle: float, *, where: str = "", details: Mapping[str, object] | None = None) -> None:
    """Check that a parameter of a gate is not too large to be calculated with.

    Raises:
        InvalidProgramError: It is.
    """
    if abs(angle) > LARGEST_ANGLE:
        raise InvalidProgramError(
            f"{name!r} has the parameter {angle:.6g}{where}; beyond {LARGEST_ANGLE:.0e}, sums of angles are not exact "
            "enough for a right result",
            solution="Reduce it before you submit it: rotations repeat after 4 pi, phases after 2 pi.",
            details=dict(details or {}),
        )


def check_values(circuit: QuantumCircuit, columns: Columns, *, shape: tuple[int, ...]) -> None:
    """Check that all parameters of instructions are real numbers that can be calculated with, in each set of values.

    Args:
        circuit: With free parameters.
        columns: Values of all of them.
        shape: Of the sets of values.

    Raises:
        InvalidProgramError: One is not; the message names the instruction and the set. ``details["parameter_set"]`` is
            the number of the set in C order, ``details["index"]`` its index in the shape.
    """
    if not columns:
        return
    seen: set[str] = set()
    for name, expression in _expressions(circuit, set()):
        if not expression.parameters <= columns.keys() or str(expression) in seen:
            continue
        seen.add(str(expression))
        failed = _first_failure(expression, columns)
        if failed is not None:
            index = [int(place) for place in np.unravel_index(failed, shape)]
            details = {"parameter_set": failed, "index": index}
            value = number(expression, {each: float(columns[each][failed]) for each in expression.parameters})
            if value is not None:
                check_angle(name, value, where=_where(failed, index), details=details)
            raise InvalidProgramError(
                f"{name!r} has the parameter {_shown(expression)}, which is not a finite real number"
                f"{_where(failed, index)}",
                solution=_SOLUTION,
                details=details,
            )


def check_in_loops(name: str, params: Iterable[object], loops: Mapping[Parameter, Sequence[int]]) -> None:
    """Check that parameters of an instruction can be calculated with for all values of the loops it stands in.

    Raises:
        InvalidProgramError: One is not; the message names the values.
    """
    for param in params:
        if not isinstance(param, ParameterExpression):
            continue
        used = [parameter for parameter in param.parameters if parameter in loops]
        if len(used) < len(param.parameters) or math.prod(len(loops[each]) for each in used) > MAX_LOOP_VALUES:
            continue
        for combination in itertools.product(*(loops[each] for each in used)):
            found = number(param, dict(zip(used, combination, strict=True)))
            if found is not None:
                check_angle(name, found)
            else:
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
        for param in instruction.params if instruction.name != "delay" else ():
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


def _where(number_of_set: int, index: Sequence[int]) -> str:
    if not index:
        return ""
    return f" with parameter set {number_of_set}" + (f" (index {list(index)})" if len(index) > 1 else "")


def _first_failure(expression: ParameterExpression, columns: Columns) -> int | None:
    """The number of the first set with which an expression is not a number that can be calculated with."""
    used = {parameter: columns[parameter] for parameter in expression.parameters}
    if _is_linear(expression, used):
        linear = slopes(expression) or {}
        with np.errstate(all="ignore"):
            totals = sum(slope * used[parameter] for parameter, slope in linear.items())
            totals = np.abs(totals + (number(expression, dict.fromkeys(used, 0.0)) or 0.0))
        failures = np.flatnonzero(~(totals <= LARGEST_ANGLE))
        return int(failures[0]) if failures.size else None
    for index in range(len(next(iter(used.values())))):
        found = number(expression, _row(used, index))
        if found is None or abs(found) > LARGEST_ANGLE:
            return index
    return None


def _is_linear(expression: ParameterExpression, used: Columns) -> bool:
    """Whether an expression can be calculated by its slopes with all sets.

    A constant slope is no proof: that of ``log(exp(a))`` is 1. So the expression is calculated where the parameters are
    0, smallest and largest, too.
    """
    if not used or slopes(expression) is None or number(expression, dict.fromkeys(used, 0.0)) is None:
        return False
    extremes = {int(place(column)) for column in used.values() for place in (np.argmin, np.argmax)}
    return all(number(expression, _row(used, index)) is not None for index in extremes)


def _row(used: Columns, index: int) -> dict[object, float]:
    return {parameter: float(column[index]) for parameter, column in used.items()}
