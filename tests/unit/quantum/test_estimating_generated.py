"""Estimates of generated circuits, layouts, observables and values, against Qiskit's own ``Statevector``.

A case follows from its number alone, so that one that fails can be run again.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister, Parameter
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import SparseObservable, Statevector
from qiskit.transpiler import CouplingMap, generate_preset_pass_manager

from support.circuits import results

CASES = 150
BACKENDS = ["aer", "aer_statevector", "aer_mps", "aer_density_matrix"]


@dataclass(frozen=True)
class Case:
    circuit: QuantumCircuit
    values: list[float] | None
    observables: list[dict[str, float]]
    backend: str
    level: int | None

    @classmethod
    def generated(cls, number: int) -> Case:
        rng = random.Random(number)
        circuit = _circuit(rng, number)
        values = None
        if rng.random() < 0.5:
            angle = Parameter("t")
            circuit.rx(2 * angle - 0.3, rng.randrange(circuit.num_qubits))
            circuit.ry(angle, rng.randrange(circuit.num_qubits))
            values = [rng.uniform(-3, 3) for _ in range(rng.choice([1, 3]))]
        if rng.random() < 0.7:
            circuit = _laid_out_by_its_author(circuit, rng, number)
        if rng.random() < 0.3:
            circuit.add_register(ClassicalRegister(2, "unused"))
        observables = [_observable(rng, circuit.num_qubits) for _ in range(rng.randint(1, 4))]
        return cls(circuit, values, observables, rng.choice(BACKENDS), rng.choice([None, 0, 1, 2, 3]))

    def exact(self) -> np.ndarray:
        rows = [self._row(value) for value in self.values or [None]]
        return np.array(rows if self.values else rows[0])

    def _row(self, value: float | None) -> list[float]:
        circuit = self.circuit if value is None else self.circuit.assign_parameters({"t": value})
        state = Statevector(circuit.remove_final_measurements(inplace=False))
        matrices = [SparseObservable.from_list(list(each.items())).as_paulis().to_matrix() for each in self.observables]
        return [float(np.real(state.data.conj() @ (matrix @ state.data))) for matrix in matrices]


def _circuit(rng: random.Random, number: int) -> QuantumCircuit:
    num_qubits = rng.randint(1, 5)
    circuit = random_circuit(num_qubits, rng.randint(1, 6), max_operands=min(3, num_qubits), seed=number)
    circuit.global_phase = rng.choice([0.0, 1.2])
    return circuit


def _laid_out_by_its_author(circuit: QuantumCircuit, rng: random.Random, number: int) -> QuantumCircuit:
    size = rng.randint(circuit.num_qubits, 7)
    layout = rng.sample(range(size), circuit.num_qubits) if rng.random() < 0.7 else None
    coupling = CouplingMap.from_line(size) if size > 1 else None
    manager = generate_preset_pass_manager(
        rng.randint(0, 3),
        basis_gates=["rz", "sx", "x", "cx"],
        coupling_map=coupling,
        initial_layout=layout if coupling else None,
        seed_transpiler=number,
    )
    return manager.run(circuit)


def _observable(rng: random.Random, num_qubits: int) -> dict[str, float]:
    """Terms of any letters, and of scales that differ by many orders of magnitude."""
    terms = ["".join(rng.choice("IIIXYZ+-rl01") for _ in range(num_qubits)) for _ in range(rng.randint(1, 3))]
    return {term: rng.uniform(-2, 2) * 10.0 ** rng.choice([0, 0, -9, -20]) for term in terms}


@pytest.mark.parametrize("number", range(CASES))
def test_a_generated_estimate_is_that_of_the_circuit_as_it_was_sent(number):
    case = Case.generated(number)
    values = {} if case.values is None else {"parameter_values": {"t": [[value] for value in case.values]}}
    (entry,) = results(
        case.circuit,
        kind="estimator",
        observables=case.observables,
        backend=case.backend,
        options={"optimization_level": case.level},
        **values,
    )
    scale = np.array([sum(map(abs, each.values())) for each in case.observables])
    found, expected = np.array(entry["evs"]), case.exact()
    assert found.shape == expected.shape
    assert (abs(found - expected) <= 1e-7 * scale).all()
