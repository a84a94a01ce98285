"""What Aer says goes wrong is told in our words."""

from types import SimpleNamespace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from qdepot.errors import MemoryLimitExceededError, UnsupportedProgramError
from qdepot.quantum import engine


def _circuit(num_qubits=2, gate="h"):
    circuit = QuantumCircuit(num_qubits, 1)
    getattr(circuit, gate)(range(num_qubits))
    circuit.t(0)
    circuit.measure(0, 0)
    return circuit


def test_a_state_that_does_not_fit_into_memory():
    circuit = _circuit(18)
    for qubit in range(17):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(17, 0)
    settings = engine.Settings(method="statevector", seed=1, memory_mb=1)
    with pytest.raises(MemoryLimitExceededError, match="Insufficient memory"):
        engine.run(circuit, engine.Values(), settings)


def test_a_gate_that_the_method_does_not_know():
    with pytest.raises(UnsupportedProgramError, match="invalid instructions"):
        engine.run(_circuit(), engine.Values(), engine.Settings(method="stabilizer", seed=1))


def test_the_parameter_set_at_fault_is_named():
    angle = Parameter("angle")
    circuit = QuantumCircuit(1, 1)
    circuit.rz(angle, 0)
    circuit.measure(0, 0)
    values = engine.Values(sets=3, columns={angle: np.array([0.0, np.pi, 0.3])})
    with pytest.raises(UnsupportedProgramError, match="parameter set 2") as caught:
        engine.run(circuit, values, engine.Settings(method="stabilizer", seed=1))
    assert caught.value.details == {"parameter_set": 2}


def test_an_instruction_that_aer_cannot_assemble():
    circuit = QuantumCircuit(2, 1)
    circuit.iswap(0, 1)
    circuit.measure(0, 0)
    with pytest.raises(UnsupportedProgramError, match="unknown instruction: iswap"):
        engine.run(circuit, engine.Values(), engine.Settings(method="statevector", seed=1))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("ERROR: std::bad_alloc", MemoryLimitExceededError),
        ("ERROR: Insufficient memory to run circuit x", MemoryLimitExceededError),
        ("ERROR: something else", UnsupportedProgramError),
    ],
)
def test_a_failure_in_aer_is_never_called_an_error_of_qdepot(status, error, monkeypatch):
    failed = SimpleNamespace(results=[SimpleNamespace(success=False, status=status)], success=False, status=status)
    simulator = SimpleNamespace(run=lambda *_, **__: SimpleNamespace(result=lambda: failed))
    monkeypatch.setattr(engine, "seeded_simulator", lambda method: simulator)
    with pytest.raises(error):
        engine.run(_circuit(), engine.Values(), engine.Settings(method="automatic", seed=1))


@pytest.mark.parametrize(("num_qubits", "shots", "expected"), [(2, 1024, 1), (13, 100, 1), (14, 1, 4), (5, 100_000, 4)])
def test_threads_are_used_where_they_pay(num_qubits, shots, expected):
    assert engine.useful_threads(QuantumCircuit(num_qubits), threads=4, shots=shots) == expected
