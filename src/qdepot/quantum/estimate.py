"""Estimating: expectation values of observables in the state at the end of a circuit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.quantum_info import Pauli
from qiskit_aer.library import SaveExpectationValue

from qdepot.domain.seeds import Stream, stream_seed
from qdepot.quantum.check import Checked
from qdepot.quantum.compact import Compact
from qdepot.quantum.drawing import standard_normal
from qdepot.quantum.engine import Experiment
from qdepot.quantum.observables import PauliSum, PauliTerm
from qdepot.quantum.sample import Entry
from qdepot.quantum.transpile import Prepared

Sums = list[PauliSum]


def pauli_sums(circuit: Checked, fit: Prepared, *, active: frozenset[int]) -> Sums:
    """The observables as sums of Pauli products on the active qubits of the circuit as it runs, in C order.

    Observables belong to the circuit as it was sent. The layout of a circuit that its author transpiled is therefore
    not applied to them, only the layout that qdepot's own transpiler made.

    Args:
        circuit: With observables.
        fit: The circuit as it runs.
        active: The qubits that anything happens to. All others are in the state 0, also with noise, and need not be
            simulated: their Z has the value 1, their X and Y have the value 0.
    """
    assert circuit.observables is not None
    sums = circuit.observables.pauli_sums(fit.layout, num_qubits=fit.circuit.num_qubits)
    return [_on_active_qubits(terms, active) for terms in sums]


def has_products(sums: Sums) -> bool:
    """Whether anything but the identity is estimated."""
    return any(term.qubits for terms in sums for term in terms)


def with_expectation_values(compact: Compact, sums: Sums) -> QuantumCircuit:
    """The circuit with an instruction at its end for each Pauli product but the identity."""
    circuit = compact.circuit.copy()
    place = {qubit: index for index, qubit in enumerate(compact.qubits)}
    for term in sorted({term for terms in sums for term in terms if term.qubits}, key=_label):
        instruction = SaveExpectationValue(Pauli(term.letters[::-1]), label=_label(term))
        circuit.append(instruction, [place[qubit] for qubit in term.qubits])
    return circuit


def estimator_entry(circuit: Checked, experiments: Sequence[Experiment], sums: Sums, *, seed: int) -> Entry:
    """The result of an estimation.

    With a precision, each value is drawn from a normal distribution around the exact one, with that standard
    deviation, as Qiskit's reference estimator does.

    Args:
        circuit: What was run.
        experiments: What Aer reports, one for each set of values; may be empty if only identities were wanted.
        sums: The observables.
        seed: Of the circuit; the random number of each set and observable has one that is derived from it.
    """
    sets = max(1, math.prod(circuit.values.shape))
    labels = {_label(term) for terms in sums for term in terms if term.qubits}
    products = [_values(experiments[number], labels) if experiments else {} for number in range(sets)]
    pairs = _pairs(circuit, sets=sets, observables=len(sums))
    values = [_total(products[number], sums[index]) for number, index in pairs]
    exact = np.asarray(values, dtype=np.float64).reshape(circuit.shape)
    stds = np.full(exact.shape, circuit.precision)
    evs = exact + circuit.precision * _errors(seed, pairs).reshape(circuit.shape) if circuit.precision else exact
    document: dict[str, object] = {
        "evs": np.asarray(evs).tolist(),
        "stds": stds.tolist(),
        "shape": list(circuit.shape),
    }
    return Entry(document=document)


def _on_active_qubits(terms: PauliSum, active: frozenset[int]) -> PauliSum:
    kept: PauliSum = {}
    for term, coefficient in terms.items():
        places = list(zip(term.letters, term.qubits, strict=True))
        if all(letter == "Z" for letter, qubit in places if qubit not in active):
            inside = [(letter, qubit) for letter, qubit in places if qubit in active]
            rest = PauliTerm("".join(letter for letter, _ in inside), tuple(qubit for _, qubit in inside))
            kept[rest] = kept.get(rest, 0.0) + coefficient
    return kept


def _label(term: PauliTerm) -> str:
    return f"{term.letters}@{','.join(map(str, term.qubits))}"


def _values(experiment: Experiment, labels: Iterable[str]) -> dict[str, float]:
    """The values of Pauli products. Aer reports more than these: counts, for a circuit with classical bits."""
    data = experiment.data.to_dict()
    return {label: float(np.real(data[label])) for label in labels}


def _pairs(circuit: Checked, *, sets: int, observables: int) -> list[tuple[int, int]]:
    """For each value of the result, in C order, the number of its set and of its observable."""
    assert circuit.observables is not None
    set_numbers = np.arange(sets).reshape(circuit.values.shape)
    observable_numbers = np.arange(observables).reshape(circuit.observables.shape)
    of_sets, of_observables = np.broadcast_arrays(set_numbers, observable_numbers)
    return [(int(number), int(index)) for number, index in zip(of_sets.flat, of_observables.flat, strict=True)]


def _errors(seed: int, pairs: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
    """For each value a number from the standard normal distribution; it depends on the seed, set and observable."""
    seeds = (stream_seed(seed, Stream.ESTIMATE, parameter_set=number, place=index) for number, index in pairs)
    return np.array([standard_normal(each) for each in seeds])


def _total(products: Mapping[str, float], terms: Mapping[PauliTerm, float]) -> float:
    return math.fsum(
        coefficient * (products[_label(term)] if term.qubits else 1.0) for term, coefficient in terms.items()
    )
