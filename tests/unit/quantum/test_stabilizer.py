"""The stabilizer backend runs whatever is a Clifford circuit, and names the gate that makes one none."""

import math

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import UnitaryGate
from qiskit.quantum_info import Clifford, Operator, random_clifford

from qdepot.errors import UnsupportedProgramError
from qdepot.quantum.stabilizer import in_clifford_gates
from support.circuits import checked, counts, openqasm3, results

DISGUISES = {
    "rx": lambda circuit: circuit.rx(math.pi / 2, 0),
    "rz": lambda circuit: circuit.rz(-3 * math.pi / 2, 0),
    "u": lambda circuit: circuit.u(math.pi / 2, 0, math.pi, 1),
    "p": lambda circuit: circuit.p(math.pi, 0),
    "cp": lambda circuit: circuit.cp(math.pi, 0, 1),
    "cu": lambda circuit: circuit.cu(math.pi, 0, math.pi, math.pi / 2, 0, 1),
    "rzz": lambda circuit: circuit.rzz(math.pi / 2, 0, 2),
    "iswap": lambda circuit: circuit.iswap(1, 2),
    "dcx": lambda circuit: circuit.dcx(0, 2),
    "unitary": lambda circuit: circuit.append(UnitaryGate([[0, -1j], [1j, 0]]), [2]),
    "clifford": lambda circuit: circuit.append(random_clifford(3, seed=3), [2, 0, 1]),
    "open control": lambda circuit: circuit.cx(0, 1, ctrl_state=0),
}


@pytest.mark.parametrize("name", DISGUISES)
def test_a_clifford_gate_in_disguise_is_written_out(name):
    circuit = QuantumCircuit(3)
    DISGUISES[name](circuit)
    assert Operator(in_clifford_gates(circuit)).equiv(Operator(circuit) if name != "clifford" else _of(circuit))


def _of(circuit):
    return Operator(Clifford.from_circuit(circuit))


def test_gates_of_an_author_s_own_and_control_flow():
    source = openqasm3(
        "gate own(a) x, y { rx(a) x; cp(2 * a) x, y; } qubit[3] q; bit[3] c; own(pi / 2) q[0], q[1]; "
        "own(pi / 2) q[0], q[1]; "
        "c[0] = measure q[0]; if (c[0]) { rx(pi) q[2]; } c = measure q;"
    )
    assert counts(source, backend="aer_stabilizer", shots=6) == {"101": 6}


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("t q[0];", "t"),
        ("rx(0.3) q[0];", "rx(0.3)"),
        ("ccx q[0], q[1], q[2];", "ccx"),
        ("c[0] = measure q[0]; if (c[0]) { cp(0.5) q[0], q[1]; }", "cp(0.5)"),
    ],
)
def test_another_gate_is_named_when_the_circuit_is_checked(text, gate):
    source = openqasm3(f"qubit[3] q; bit[3] c; h q; {text} c = measure q;")
    with pytest.raises(UnsupportedProgramError) as caught:
        checked(source, backend="aer_stabilizer")
    assert f"the gate {gate} is not a Clifford gate" in caught.value.message
    assert caught.value.details["gate"] == gate.split("(")[0]
    assert checked(source, backend="aer")


def test_free_parameters_are_refused():
    source = openqasm3("input float th; qubit[1] q; bit[1] c; rz(th) q[0]; c = measure q;")
    with pytest.raises(UnsupportedProgramError, match="without a fixed value"):
        checked(source, backend="aer_stabilizer", parameter_values=[math.pi])


def test_a_wide_clifford_circuit_runs_where_a_state_vector_would_not_fit():
    source = openqasm3("qubit[200] q; bit[200] c; x q; iswap_ q[0], q[1]; c = measure q;".replace("iswap_", "swap"))
    (entry,) = results(source, shots=3)
    assert entry["counts"] == {"1" * 200: 3}
    assert entry["metadata"]["method"] == "stabilizer"
    disguised = openqasm3("qubit[200] q; bit[200] c; rx(pi) q; cp(pi) q[0], q[1]; c = measure q;")
    (entry,) = results(disguised, shots=3)
    assert entry["counts"] == {"1" * 200: 3}


def test_matrices_are_not_taken_for_one_another():
    circuit = QuantumCircuit(2, 2)
    circuit.append(UnitaryGate(np.eye(2)), [0])
    circuit.append(UnitaryGate([[0, 1], [1, 0]]), [1])
    circuit.measure([0, 1], [0, 1])
    assert counts(circuit, backend="aer_stabilizer", shots=3) == {"10": 3}
