"""Values for the free parameters of a circuit, broadcast as Qiskit's PUBs are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.primitives.containers.bindings_array import BindingsArray

from qdepot.errors import InvalidProgramError

_SHOWN = 10
_SHOWN_CHARACTERS = 40
_MAX_DEPTH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """Values of one parameter, or of several along the last axis.

    Attributes:
        names: The parameters.
        array: The values.
        shapes: What the shape of the sets can be by this array; the first is taken where others allow several.
    """

    names: tuple[str, ...]
    array: NDArray[np.float64]
    shapes: tuple[tuple[int, ...], ...]


def bindings(circuit: QuantumCircuit, values: object) -> BindingsArray:
    """Values for all parameters of a circuit.

    Args:
        circuit: The circuit.
        values: Plain JSON data: None, a mapping from names to arrays, or one array for all parameters. An array under
            the name of a parameter has the shape of the sets; under the name of a whole vector it has one more axis,
            the last, along the vector's elements. The last axis of an array for all parameters runs over them in
            Qiskit's order; for a single parameter it may be left out where it would not be 1 long, as in Qiskit.

    Raises:
        InvalidProgramError: Values are missing, unknown, of a wrong shape, or not finite numbers.
    """
    names = [parameter.name for parameter in circuit.parameters]
    if values is None or (not names and values in ([], {})):
        _check_none_missing(names, given=())
        return BindingsArray()
    given = _by_name(circuit, values) if isinstance(values, Mapping) else [_of_all(names, values)]
    # Left to itself, Qiskit takes every last axis of length 1 for the axis of the parameters.
    found = BindingsArray({each.names: each.array for each in given}, shape=_common_shape(given))
    if found.size == 0:
        raise InvalidProgramError("parameter_values holds no set of values", solution="Give at least one value each.")
    return found


def flat_columns(circuit: QuantumCircuit, found: BindingsArray) -> dict[object, NDArray[np.float64]]:
    """For each parameter its values in all sets, in C order of their shape."""
    table = found.as_array(circuit.parameters).reshape(found.size, circuit.num_parameters)
    return {parameter: table[:, index] for index, parameter in enumerate(circuit.parameters)}


def _by_name(circuit: QuantumCircuit, values: Mapping[str, object]) -> list[_Given]:
    elements: dict[str, tuple[str, ...]] = {parameter.name: (parameter.name,) for parameter in circuit.parameters}
    vectors: dict[str, tuple[str, ...]] = {}
    for vector in {parameter.vector for parameter in circuit.parameters if hasattr(parameter, "vector")}:
        present = tuple(element.name for element in vector if element.name in elements)
        if len(present) == len(vector) and vector.name not in elements:
            vectors[vector.name] = present
    known = [*elements, *vectors]
    unknown = [name for name in values if name not in elements and name not in vectors]
    if unknown:
        raise InvalidProgramError(
            f"the circuit has no parameter {_listed(unknown)}",
            solution=f"Its parameters are {_listed(known)}." if known else "It has no parameters at all.",
            details={"unknown": unknown[:_SHOWN]},
        )
    given = [
        _of_vector(name, vectors[name], value) if name in vectors else _of_one(name, value)
        for name, value in values.items()
    ]
    named = [name for each in given for name in each.names]
    _check_none_missing([parameter.name for parameter in circuit.parameters], given=named)
    if len(named) != len(set(named)):
        raise InvalidProgramError("a parameter has values twice: by its own name and by its vector's")
    return given


def _of_one(name: str, value: object) -> _Given:
    array = _numbers(value, what=f"the values of {name[:80]!r}")
    # Qiskit's primitives allow an axis of length 1 for the parameter itself.
    shapes = (array.shape, array.shape[:-1]) if array.shape[-1:] == (1,) else (array.shape,)
    return _Given(names=(name,), array=array, shapes=shapes)


def _of_vector(name: str, elements: tuple[str, ...], value: object) -> _Given:
    array = _numbers(value, what=f"the values of {name[:80]!r}")
    if array.shape[-1:] != (len(elements),):
        raise InvalidProgramError(
            f"the values of the vector {name[:80]!r} have {_length(array)} in their last axis, and the vector has "
            f"{len(elements)} elements",
            solution="The last axis runs over the elements; values can also be given by the names of the elements.",
        )
    return _Given(names=elements, array=array, shapes=(array.shape[:-1],))


def _of_all(names: list[str], values: object) -> _Given:
    array = _numbers(values, what="parameter_values")
    if not names:
        raise InvalidProgramError("parameter_values were given, but the circuit has no parameters")
    if array.shape[-1:] == (len(names),):
        return _Given(names=tuple(names), array=array, shapes=(array.shape[:-1],))
    if len(names) == 1:
        return _Given(names=tuple(names), array=array, shapes=(array.shape,))
    raise InvalidProgramError(
        f"parameter_values has {_length(array)} values in its last axis, and the circuit has {len(names)} parameters",
        solution=f"The order is {_listed(names)}; values can also be given by name.",
    )


def _common_shape(given: list[_Given]) -> tuple[int, ...]:
    """The shape of the sets that all arrays allow."""
    common = [shape for shape in given[0].shapes if all(shape in each.shapes for each in given)]
    if not common:
        shapes = ", ".join(f"{_listed(list(each.names))}: {list(each.array.shape)}" for each in given[:_SHOWN])
        raise InvalidProgramError(
            f"the shapes of the parameter values do not fit together ({shapes})",
            solution="Give each parameter an array of the same shape; for one set, give plain numbers. An array for a "
            "whole vector has one more axis, the last, along its elements.",
        )
    return common[0]


def _numbers(value: object, *, what: str) -> NDArray[np.float64]:
    if not _leaf_types(value, what=what) <= {int, float}:
        place, found = _first_other(value) or ((), value)
        raise InvalidProgramError(
            f"{what} are not numbers: {_at(place)}{json.dumps(found, default=str)[:_SHOWN_CHARACTERS]}",
            solution="Give real numbers, or nested lists of them.",
        )
    try:
        array = np.asarray(value, dtype=np.float64)
    except ValueError as error:
        raise InvalidProgramError(f"{what} are not an array: rows differ in length") from error
    except OverflowError as error:
        raise InvalidProgramError(f"{what} are not all finite numbers: one is beyond double precision") from error
    if not np.isfinite(array).all():
        place = tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
        raise InvalidProgramError(f"{what} are not all finite numbers: {_at(place)}{array[place]}")
    return array


def _first_other(value: object) -> tuple[tuple[int, ...], object] | None:
    """The first leaf that is not a number, with its indices."""
    if type(value) is not list:
        return None if type(value) in (int, float) else ((), value)
    for index, inner in enumerate(value):
        found = _first_other(inner)
        if found is not None:
            return (index, *found[0]), found[1]
    return None


def _at(place: tuple[int, ...]) -> str:
    return f"at {list(place)} there is " if place else "there is "


def _leaf_types(value: object, *, what: str, depth: int = 0) -> set[type]:
    """The types of what is in nested lists. NumPy cannot be asked: it turns ``[true, 1]`` into two numbers."""
    if type(value) is not list:
        return {type(value)}
    if depth >= _MAX_DEPTH:
        raise InvalidProgramError(f"{what} are nested more than {_MAX_DEPTH} deep")
    found = set(map(type, value))
    if list in found:
        found.remove(list)
        for inner in value:
            found |= _leaf_types(inner, what=what, depth=depth + 1)
    return found


def _length(array: NDArray[np.float64]) -> str:
    return str(array.shape[-1]) if array.ndim else "no"


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
