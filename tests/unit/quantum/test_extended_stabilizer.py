"""The method extended_stabilizer: what Aer makes of it, and what is run in its place."""

import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector
from qiskit_aer import AerSimulator

from qdepot.errors import UnsupportedProgramError
from support.circuits import checked, counts, openqasm3, results

EXTENDED = {"method": "extended_stabilizer"}


def test_aer_s_extended_stabilizer_misses_the_distribution():
    """Why it is refused. Where this test fails, Aer has mended it, and the refusal may go."""
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.t(0)
    circuit.h(0)
    circuit.cx(0, [1, 2])
    assert Statevector(circuit).probabilities()[0] == pytest.approx(0.854, abs=1e-3)
    job = AerSimulator(method="extended_stabilizer").run(
        circuit.measure_all(inplace=False), shots=60, seed_simulator=1, max_parallel_threads=1
    )
    assert job.result().get_counts()["000"] < 42  # 51 are expected, and fewer than 42 come with odds of 0.1 percent


@pytest.mark.parametrize(
    "gates",
    ["t q[0];", "rx(0.3) q[0];", "ccx q[0], q[1], q[2];", "c[0] = measure q[0]; if (c[0]) { t q[1]; }", "p(a) q[0];"],
)
def test_gates_beyond_clifford_gates_are_refused_when_the_circuit_is_checked(gates):
    source = openqasm3(f"input float a; qubit[3] q; bit[3] c; h q; {gates} c = measure q;")
    with pytest.raises(UnsupportedProgramError, match="extended_stabilizer gives wrong counts"):
        checked(source, options=EXTENDED, parameter_values={"a": 0.3})


def test_clifford_circuits_run_with_the_stabilizer_method():
    source = openqasm3("qubit[3] q; bit[3] c; h q[0]; p(pi / 2) q[0]; h q[0]; cx q[0], q[1]; c = measure q;")
    (entry,) = results(source, options={**EXTENDED, "seed": 3})
    assert entry["metadata"]["method"] == "stabilizer"
    assert entry["counts"] == counts(source, options={"method": "stabilizer", "seed": 3})
