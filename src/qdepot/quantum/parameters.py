"""Values for the free parameters of a circuit, broadcast as Qiskit's PUBs are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.primitives.containers.bindings_array import BindingsArray

from qdepot.errors import InvalidProgramError

_SHOWN = 10


def bindings(circuit: QuantumCircuit, values: object) -> BindingsArray:
    """Values for all parameters of a circuit.

    Args:
        circuit: The circuit.
        values: Plain JSON data: None, a mapping from names (of parameters, or of whole vectors) to arrays, or an array
            whose last axis runs over the parameters in Qiskit's order.

    Raises:
        InvalidProgramError: Values are missing, unknown, of a wrong shape, or not finite numbers.
    """
    names = [parameter.name for parameter in circuit.parameters]
    if values is None or (not names and values in ([], {})):
        _check_none_missing(names, given=())
        return BindingsArray()
    data = _by_name(circuit, values) if isinstance(values, Mapping) else {tuple(names): _of_all(names, values)}
    try:
        found = BindingsArray(data)
    except ValueError as error:
        raise InvalidProgramError(
            f"the shapes of the parameter values do not fit together: {error}",
            solution="Give each parameter an array of the same shape; for one set, give plain numbers.",
        ) from error
    if found.size == 0:
        raise InvalidProgramError("parameter_values holds no set of values", solution="Give at least one value each.")
    return found


def flat_columns(circuit: QuantumCircuit, found: BindingsArray) -> dict[object, NDArray[np.float64]]:
    """For each parameter its values in all sets, in C order of their shape."""
    table = found.as_array(circuit.parameters).reshape(found.size, circuit.num_parameters)
    return {parameter: table[:, index] for index, parameter in enumerate(circuit.parameters)}


def _by_name(circuit: QuantumCircuit, values: Mapping[str, object]) -> dict[tuple[str, ...], NDArray[np.float64]]:
    elements: dict[str, tuple[str, ...]] = {parameter.name: (parameter.name,) for parameter in circuit.parameters}
    for vector in {parameter.vector for parameter in circuit.parameters if hasattr(parameter, "vector")}:
        present = tuple(element.name for element in vector if element.name in elements)
        if len(present) == len(vector):
            elements.setdefault(vector.name, present)
    unknown = [name for name in values if name not in elements]
    if unknown:
        raise InvalidProgramError(
            f"the circuit has no parameter {_listed(unknown)}",
            solution=f"Its parameters are {_listed(list(elements))}." if elements else "It has no parameters at all.",
            details={"unknown": unknown[:_SHOWN]},
        )
    data = {elements[name]: _numbers(value, what=f"the values of {name!r}") for name, value in values.items()}
    given = [name for key in data for name in key]
    _check_none_missing([parameter.name for parameter in circuit.parameters], given=given)
    if len(given) != len(set(given)):
        raise InvalidProgramError("a parameter has values twice: by its own name and by its vector's")
    return data


def _of_all(names: list[str], values: object) -> NDArray[np.float64]:
    array = _numbers(values, what="parameter_values")
    if not names:
        raise InvalidProgramError("parameter_values were given, but the circuit has no parameters")
    if array.ndim == 0 or array.shape[-1] != len(names):
        length = array.shape[-1] if array.ndim else "no"
        raise InvalidProgramError(
            f"parameter_values has {length} values in its last axis, and the circuit has {len(names)} parameters",
            solution=f"The order is {_listed(names)}; values can also be given by name.",
        )
    return array


def _numbers(value: object, *, what: str) -> NDArray[np.float64]:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InvalidProgramError(f"{what} are not an array: rows differ in length") from error
    if array.dtype.kind not in "iuf":
        raise InvalidProgramError(f"{what} are not numbers", solution="Give real numbers, or nested lists of them.")
    numbers = array.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise InvalidProgramError(f"{what} are not all finite numbers")
    return numbers


def _check_none_missing(names: list[str], *, given: object) -> None:
    missing = [name for name in names if name not in set(given)]  # type: ignore[call-overload] # an iterable of names
    if missing:
        raise InvalidProgramError(
            f"no values for the parameter{'s' if len(missing) > 1 else ''} {_listed(missing)}",
            solution='Give them in "parameter_values", by name or in the order of the circuit\'s parameters.',
            details={"missing": missing[:100]},
        )


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name[:80]) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
