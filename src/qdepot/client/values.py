"""Parameter values and observables, as Qiskit's and NumPy's objects give them, turned into plain JSON data.

Neither library is imported: their objects are told by the methods that they have.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from qdepot.errors import InvalidRequestError

_ROUNDING = 1e-10
_PHASES: Mapping[str, complex] = {"": 1, "+": 1, "-": -1, "i": 1j, "-i": -1j}


def parameter_values(values: object) -> JsonValue:
    """Values of a circuit's parameters: by name, or an array in Qiskit's order of parameters.

    Qiskit's ``BindingsArray`` is taken, too. Keys of a mapping may be names, ``Parameter`` objects, and vectors or
    tuples of parameters, whose values then have one more axis, the last, along the parameters.

    Raises:
        InvalidRequestError: Something in it is no real number, or no parameter.
    """
    if hasattr(values, "as_array") and hasattr(values, "data"):  # BindingsArray
        values = values.data
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


def observables(value: Any) -> JsonValue:  # noqa: ANN401, PLR0911 - objects of a library that is not imported; one exit for each form that is taken
    """Observables: a Pauli string, ``{"ZZ": 1.0, "XI": 0.5}``, one of Qiskit's operators, or nested lists of such.

    Taken are ``Pauli``, ``PauliList``, ``SparsePauliOp``, ``SparseObservable``, ``ObservablesArray`` and NumPy arrays
    of these, too. The rightmost letter acts on qubit 0. Equal terms are added up. An imaginary part of a sum that is no
    larger than rounding makes it (1e-10 of the observable's absolute coefficients together) is left out.

    Raises:
        InvalidRequestError: A coefficient is not real, or it is something else.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return _summed(_term(label, weight) for label, weight in value.items())
    if hasattr(value, "to_list"):  # SparsePauliOp
        return _summed(value.to_list())
    if hasattr(value, "to_sparse_list"):  # SparseObservable
        return _summed(_spelled(value.to_sparse_list(), num_qubits=value.num_qubits))
    if hasattr(value, "to_label"):  # Pauli
        return _single(value.to_label())
    if hasattr(value, "to_labels"):  # PauliList
        return [_single(label) for label in value.to_labels()]
    if hasattr(value, "tolist"):  # ObservablesArray, numpy.ndarray
        return observables(value.tolist())
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [observables(one) for one in value]
    raise InvalidRequestError(
        f"{_kind(value)} is not an observable",
        solution='Give a Pauli string, a dict such as {"ZZ": 1.0}, a SparsePauliOp, or a list of these.',
    )


def looks_like_observables(value: object) -> bool:
    """True for what can only be observables and never parameter values."""
    if isinstance(value, (str, bytes)):
        return isinstance(value, str)
    if hasattr(value, "tolist") and getattr(value, "ndim", 0) > 0:  # ObservablesArray, numpy.ndarray
        value = value.tolist()
    if is_operator(value) or hasattr(value, "to_labels") or hasattr(value, "sparse_observables_array"):
        return True
    if not isinstance(value, Sequence) or len(value) == 0:
        return False
    return isinstance(value[0], Mapping) or looks_like_observables(value[0])


def is_operator(value: object) -> bool:
    """True for one of Qiskit's operators: a single observable."""
    return any(hasattr(value, method) for method in ("to_list", "to_sparse_list", "to_label"))


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
        raise InvalidRequestError(f"{what}: {value!r} is not a finite real number", solution="Give plain numbers.")
    return value


def _column(numbers: JsonValue, index: int, *, of: int) -> JsonValue:
    if not isinstance(numbers, list):
        raise InvalidRequestError(f"one number was given for {of} parameters", solution=f"Give {of} numbers, in order.")
    if numbers and isinstance(numbers[0], list):
        return [_column(inner, index, of=of) for inner in numbers]
    if len(numbers) != of:
        raise InvalidRequestError(f"{len(numbers)} values were given for {of} parameters")
    return numbers[index]


def _term(label: object, weight: object) -> tuple[str, complex]:
    if isinstance(label, str):
        return label, _complex(weight, label)
    if not hasattr(label, "to_label"):
        raise InvalidRequestError(
            f"{_kind(label)} is not a term of an observable", solution="Use Pauli strings as keys."
        )
    letters, phase = _split(label.to_label())
    return letters, phase * _complex(weight, letters)


def _spelled(terms: Iterable[tuple[str, Sequence[int], complex]], *, num_qubits: int) -> Iterator[tuple[str, complex]]:
    """Terms as strings with one letter for each qubit."""
    for letters, qubits, weight in terms:
        spelled = ["I"] * num_qubits
        for letter, qubit in zip(letters, qubits, strict=True):
            spelled[num_qubits - 1 - qubit] = letter
        yield "".join(spelled), weight


def _summed(terms: Iterable[tuple[str, complex]]) -> JsonValue:
    total: dict[str, complex] = {}
    size = 0.0
    for label, weight in terms:
        number = _complex(weight, label)
        total[label] = total.get(label, 0.0) + number
        size += abs(number)
    for label, number in total.items():
        if abs(number.imag) > _ROUNDING * size:
            raise InvalidRequestError(
                f"coefficient of {label}: {number} is not real", solution="Only Hermitian observables have values."
            )
    return {label: _real(number.real, what=f"coefficient of {label}") for label, number in total.items()}


def _complex(weight: object, label: str) -> complex:
    if hasattr(weight, "item"):
        weight = weight.item()
    if isinstance(weight, bool) or not isinstance(weight, (int, float, complex)) or not cmath.isfinite(weight):
        raise InvalidRequestError(f"coefficient of {label}: {weight!r} is not a finite number")
    return complex(weight)


def _single(label: str) -> JsonValue:
    letters, phase = _split(label)
    return letters if phase == 1 else _summed([(letters, phase)])


def _split(label: str) -> tuple[str, complex]:
    """The letters and the phase of a label as ``Pauli`` writes it: ``-iXZ``."""
    letters = label.lstrip("+-i")
    return letters, _PHASES[label[: len(label) - len(letters)]]


def _kind(value: object) -> str:
    return f"an object of type {type(value).__name__}"


def _name(parameter: object) -> str:
    name = parameter if isinstance(parameter, str) else getattr(parameter, "name", None)
    if not isinstance(name, str):
        raise InvalidRequestError(f"{_shown(parameter)} is not a parameter", solution="Use names or Parameter objects.")
    return name


def _shown(key: object) -> str:
    return repr(getattr(key, "name", key))
