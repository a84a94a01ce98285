"""Observables: from plain data to sums of Pauli strings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qiskit.quantum_info import SparseObservable
from qiskit.transpiler import TranspileLayout

from qdepot.errors import InvalidProgramError, UnsupportedProgramError

_LETTERS = frozenset("IXYZ+-rl01")
_MAX_DEPTH = 32
_MAX_PROJECTORS = 16
"""A term with n projectors is written as 2**n Pauli strings."""

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


PauliSum = dict[PauliTerm, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observables:
    """An array of observables on the qubits of the circuit that was sent.

    Qiskit's ``ObservablesArray`` is not used: it drops every term below 1e-8, whatever the scale of the others.

    Attributes:
        array: Their array; the entries are of type ``SparseObservable``.
    """

    array: NDArray[np.object_]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array; empty for a single observable."""
        return self.array.shape

    @property
    def bound(self) -> float:
        """A number that no expectation value of any of them exceeds in magnitude: the sum of its coefficients'."""
        found: list[SparseObservable] = self.array.ravel().tolist()
        return max((math.fsum(map(abs, each.coeffs)) for each in found), default=0.0)

    def pauli_sums(self, layout: TranspileLayout | None, *, num_qubits: int) -> list[PauliSum]:
        """Each observable as a sum of Pauli products, in C order.

        Args:
            layout: Where the transpiler has put the qubits of the circuit that was sent; None if they are where they
                were.
            num_qubits: Number of qubits of the circuit that runs.
        """
        found: list[SparseObservable] = self.array.ravel().tolist()
        return [_pauli_sum(observable.apply_layout(layout, num_qubits)) for observable in found]


def observables(data: object, *, num_qubits: int) -> Observables:
    """The observables in plain JSON data.

    Raises:
        InvalidProgramError: They are not observables on ``num_qubits`` qubits.
        UnsupportedProgramError: They would be too many Pauli strings.
    """
    if data is None:
        raise InvalidProgramError("there are no observables", solution=_EXAMPLE)
    shape = _shape(data)
    if 0 in shape:
        raise InvalidProgramError("the list of observables is empty", solution=_EXAMPLE)
    array = np.empty(shape, dtype=np.object_)
    for place, observable in zip(np.ndindex(shape), _leaves(data), strict=True):
        array[place] = _observable(observable, num_qubits=num_qubits)
    return Observables(array=array)


def _shape(data: object, *, depth: int = 0) -> tuple[int, ...]:
    if not isinstance(data, list):
        return ()
    if depth >= _MAX_DEPTH:
        raise InvalidProgramError(f"the observables are nested more than {_MAX_DEPTH} deep", solution=_EXAMPLE)
    if len({type(item) is list for item in data}) > 1:
        raise InvalidProgramError("lists and observables stand side by side in a list", solution=_EXAMPLE)
    inner = {_shape(item, depth=depth + 1) for item in data}
    if len(inner) > 1:
        raise InvalidProgramError(
            f"the lists of observables differ in length (shapes {sorted(map(list, inner))[:4]})",
            solution="Make all lists at the same depth equally long.",
        )
    return (len(data), *next(iter(inner), ()))


def _leaves(data: object) -> Iterator[object]:
    if isinstance(data, list):
        for item in data:
            yield from _leaves(item)
    else:
        yield data


def _observable(data: object, *, num_qubits: int) -> SparseObservable:
    if isinstance(data, str):
        terms: Mapping[str, float] = {data: 1.0}
    elif isinstance(data, Mapping):
        terms = _checked_sum(data)
    else:
        raise InvalidProgramError(f"{str(data)[:80]!r} is not an observable", solution=_EXAMPLE)
    for term in terms:
        _check_term(term, num_qubits=num_qubits)
    return SparseObservable.from_list(list(terms.items()), num_qubits=num_qubits)


def _checked_sum(terms: Mapping[str, object]) -> Mapping[str, float]:
    if not terms:
        raise InvalidProgramError("an observable has no terms", solution=_EXAMPLE)
    checked = {term: _coefficient(term, value) for term, value in terms.items()}
    if not math.isfinite(sum(map(abs, checked.values()))):
        raise InvalidProgramError(
            "the coefficients of an observable add up to more than a double-precision number holds",
            solution="Choose a larger unit.",
        )
    return checked


def _coefficient(term: str, value: object) -> float:
    is_real = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_real or not _is_finite(value):  # type: ignore[arg-type] # it is a number here
        raise InvalidProgramError(
            f"the coefficient of {term[:80]!r} is {str(value)[:40]}, not a finite real number", solution=_EXAMPLE
        )
    return float(value)  # type: ignore[arg-type] # it is a number here


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond double precision
        return False


def _check_term(term: str, *, num_qubits: int) -> None:
    unknown = set(term) - _LETTERS
    if unknown:
        raise InvalidProgramError(f"{term[:80]!r} holds {min(unknown)!r}, which is not an operator", solution=_EXAMPLE)
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


def _pauli_sum(observable: SparseObservable) -> PauliSum:
    """An observable as a sum of Pauli products; the empty product is the identity."""
    total: PauliSum = {}
    for letters, qubits, coefficient in observable.as_paulis().to_sparse_list():
        places = sorted(zip(qubits, letters, strict=True))
        term = PauliTerm("".join(letter for _, letter in places), tuple(qubit for qubit, _ in places))
        total[term] = total.get(term, 0.0) + float(np.real(coefficient))
    return total
