"""Observables: from plain data to sums of Pauli strings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from qiskit.primitives.containers.observables_array import ObservablesArray
from qiskit.quantum_info import SparseObservable

from qdepot.errors import InvalidProgramError, UnsupportedProgramError

_LETTERS = frozenset("IXYZ+-rl01")
_MAX_DEPTH = 32
_MAX_PROJECTORS = 16
"""A term with so many projectors is written as 2 to the power of it Pauli strings."""

_EXAMPLE = 'Examples: "ZZ", {"ZZ": 1.0, "XI": 0.5}, or (nested) lists of such; the rightmost letter is qubit 0.'


@dataclass(frozen=True, slots=True)
class PauliTerm:
    """A product of Pauli operators.

    Attributes:
        letters: X, Y or Z for each qubit it acts on.
        qubits: Those qubits.
    """

    letters: str
    qubits: tuple[int, ...]


def observables(data: object, *, num_qubits: int) -> ObservablesArray:
    """The observables in plain JSON data.

    Raises:
        InvalidProgramError: They are not observables on so many qubits.
        UnsupportedProgramError: They would be too many Pauli strings.
    """
    if data is None:
        raise InvalidProgramError("there are no observables", solution=_EXAMPLE)
    _check(data, num_qubits=num_qubits)
    try:
        found = ObservablesArray.coerce(data)
    except (ValueError, TypeError) as error:
        raise InvalidProgramError(f"the observables cannot be read: {error}", solution=_EXAMPLE) from error
    if found.size == 0:
        raise InvalidProgramError("the list of observables is empty", solution=_EXAMPLE)
    return found


def pauli_sum(observable: SparseObservable) -> dict[PauliTerm, float]:
    """An observable as a sum of Pauli products; the product of none of them is the identity."""
    total: dict[PauliTerm, float] = {}
    for letters, qubits, coefficient in observable.as_paulis().to_sparse_list():
        places = sorted(zip(qubits, letters, strict=True))
        term = PauliTerm("".join(letter for _, letter in places), tuple(qubit for qubit, _ in places))
        total[term] = total.get(term, 0.0) + float(np.real(coefficient))
    return total


def _check(data: object, *, num_qubits: int, depth: int = 0) -> None:
    if depth > _MAX_DEPTH:
        raise InvalidProgramError(f"the observables are nested more than {_MAX_DEPTH} deep", solution=_EXAMPLE)
    if isinstance(data, list):
        if len({type(item) is list for item in data}) > 1:
            raise InvalidProgramError("lists and observables stand side by side in a list", solution=_EXAMPLE)
        for item in data:
            _check(item, num_qubits=num_qubits, depth=depth + 1)
    elif isinstance(data, str):
        _check_term(data, num_qubits=num_qubits)
    elif isinstance(data, Mapping):
        _check_sum(data, num_qubits=num_qubits)
    else:
        raise InvalidProgramError(f"{str(data)[:80]!r} is not an observable", solution=_EXAMPLE)


def _check_sum(terms: Mapping[str, object], *, num_qubits: int) -> None:
    if not terms:
        raise InvalidProgramError("an observable has no terms", solution=_EXAMPLE)
    for term, coefficient in terms.items():
        _check_term(term, num_qubits=num_qubits)
        is_real = isinstance(coefficient, (int, float)) and not isinstance(coefficient, bool)
        if not is_real or not math.isfinite(coefficient):  # type: ignore[arg-type] # it is a number here
            raise InvalidProgramError(
                f"the coefficient of {term!r} is {str(coefficient)[:40]}, not a finite real number", solution=_EXAMPLE
            )


def _check_term(term: str, *, num_qubits: int) -> None:
    unknown = set(term) - _LETTERS
    if unknown:
        raise InvalidProgramError(f"{term[:80]!r} holds {min(unknown)!r}, which is no operator", solution=_EXAMPLE)
    if len(term) != num_qubits:
        raise InvalidProgramError(
            f"the observable {term[:80]!r} is of {len(term)} qubits, and the circuit has {num_qubits}",
            solution="Write one letter for each qubit; I where nothing is measured.",
        )
    projectors = sum(letter not in "IXYZ" for letter in term)
    if projectors > _MAX_PROJECTORS:
        raise UnsupportedProgramError(
            f"an observable has {projectors} projectors in one term; at most {_MAX_PROJECTORS} are possible here"
        )
