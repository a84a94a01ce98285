"""Parameter values and observables, as Qiskit's and NumPy's objects give them, turned into plain JSON data.

Neither library is imported: their objects are told by the methods that they have.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from pydantic import JsonValue

from qdepot.errors import InvalidRequestError


def parameter_values(values: object) -> JsonValue:
    """Values of a circuit's parameters: by name, or an array in Qiskit's order of parameters.

    Keys of a mapping may be names, ``Parameter`` objects, and vectors or tuples of parameters, whose values then have
    one more axis, the last, along the parameters.

    Raises:
        InvalidRequestError: Something in it is no real number, or no parameter.
    """
    if not isinstance(values, Mapping):
        return _numbers(values, what="parameter values")
    named: dict[str, JsonValue] = {}
    for key, value in values.items():
        numbers = _numbers(value, what=f"values of {_shown(key)}")
        if isinstance(key, str):
            named[key] = numbers
        elif hasattr(key, "params") or isinstance(key, tuple):  # a ParameterVector, or several parameters
            parameters = list(key if isinstance(key, tuple) else key.params)
            named.update({_name(one): _column(numbers, i, of=len(parameters)) for i, one in enumerate(parameters)})
        else:
            named[_name(key)] = numbers
    return named


def observables(value: object) -> JsonValue:  # noqa: PLR0911 - one exit a form that is taken
    """Observables: a Pauli string, ``{"ZZ": 1.0, "XI": 0.5}``, one of Qiskit's operators, or nested lists of such.

    The rightmost letter acts on qubit 0.

    Raises:
        InvalidRequestError: A coefficient is not real, or it is something else.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return {str(label): _real(weight, what=f"coefficient of {label}") for label, weight in value.items()}
    if hasattr(value, "to_list"):  # SparsePauliOp
        return _summed(value.to_list())
    if hasattr(value, "to_label"):  # Pauli
        return _weighted(value.to_label())
    if hasattr(value, "to_labels"):  # PauliList
        return [_weighted(label) for label in value.to_labels()]
    if hasattr(value, "tolist"):  # ObservablesArray, numpy.ndarray
        return observables(value.tolist())
    if isinstance(value, Sequence):
        return [observables(one) for one in value]
    raise InvalidRequestError(
        f"a {type(value).__name__} is no observable",
        solution='Give a Pauli string, a dict such as {"ZZ": 1.0}, a SparsePauliOp, or a list of these.',
    )


def looks_like_observables(value: object) -> bool:
    """True for what can only be observables and never parameter values."""
    if isinstance(value, (str, bytes)):
        return isinstance(value, str)
    if any(hasattr(value, method) for method in ("to_list", "to_label", "to_labels")):
        return True
    return isinstance(value, Sequence) and len(value) > 0 and looks_like_observables(value[0])


def _numbers(value: object, *, what: str) -> JsonValue:
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        value = value.tolist()
    if isinstance(value, (list, tuple, range)):
        return [_numbers(one, what=what) for one in value]
    return _real(value, what=what)


def _real(value: object, *, what: str) -> float | int:
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, complex) and value.imag == 0:
        value = value.real
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InvalidRequestError(f"{what}: {value!r} is no finite real number", solution="Give plain numbers.")
    return value


def _column(numbers: JsonValue, index: int, *, of: int) -> JsonValue:
    if not isinstance(numbers, list):
        raise InvalidRequestError(f"one number was given for {of} parameters", solution=f"Give {of} numbers, in order.")
    if numbers and isinstance(numbers[0], list):
        return [_column(inner, index, of=of) for inner in numbers]
    if len(numbers) != of:
        raise InvalidRequestError(f"{len(numbers)} values were given for {of} parameters")
    return numbers[index]


def _summed(terms: Iterable[tuple[str, complex]]) -> JsonValue:
    total: dict[str, JsonValue] = {}
    for label, weight in terms:
        before = total.get(label, 0.0)
        assert isinstance(before, (int, float))
        total[label] = before + float(_real(weight, what=f"coefficient of {label}"))
    return total


def _weighted(label: str) -> JsonValue:
    bare = label.lstrip("+-i")
    sign = label[: len(label) - len(bare)]
    if "i" in sign:
        raise InvalidRequestError(
            f"the observable {label} has an imaginary coefficient", solution="Only Hermitian observables have values."
        )
    return {bare: -1.0} if sign == "-" else bare


def _name(parameter: object) -> str:
    name = parameter if isinstance(parameter, str) else getattr(parameter, "name", None)
    if not isinstance(name, str):
        raise InvalidRequestError(f"{_shown(parameter)} is no parameter", solution="Use names or Parameter objects.")
    return name


def _shown(key: object) -> str:
    return repr(getattr(key, "name", key))
