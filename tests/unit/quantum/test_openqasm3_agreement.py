"""The fast reader of OpenQASM 3 gives the circuits that Qiskit's own importer gives."""

import os
from pathlib import Path

import pytest
from mqt.bench import BenchmarkLevel, get_benchmark
from qiskit import QuantumCircuit, qasm2, qasm3
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Statevector

from qdepot.quantum.openqasm3.reader import read_openqasm3

FOLDER = Path(os.environ.get("QDEPOT_TEST_CIRCUITS", Path(__file__).parents[4] / "shared" / "circuits" / "qasmbench"))
FILES = sorted(FOLDER.glob("*.qasm"))
WIDEST = 10
BENCHMARKS = [
    "bv",
    "dj",
    "ghz",
    "graphstate",
    "grover",
    "hhl",
    "qaoa",
    "qft",
    "qftentangled",
    "qnn",
    "qpeexact",
    "qpeinexact",
    "qwalk",
    "randomcircuit",
    "vqe_real_amp",
    "vqe_su2",
    "vqe_two_local",
    "wstate",
    "half_adder",
]

DYNAMIC = [
    "qubit[2] q; bit[2] c; h q[0]; c[0] = measure q[0]; if (c[0]) { x q[1]; } else { z q[1]; } c[1] = measure q[1];",
    "qubit[2] q; bit[2] c; c = measure q; if (c == 2) { if (c[0]) { x q[0]; } } else { h q[1]; }",
    "qubit[3] q; h q[{0, 2}]; ctrl @ x q[0], q[1]; inv @ s q[2]; barrier q[0:1];",
    "input float a; qubit q; rx(2 * a + pi / 2) q; U(a, 0.5, -pi) q; gphase(0.25);",
    "qubit[3] q; bit[3] c; reset q; barrier q; delay[10ns] q[0]; c[2] = measure q[0]; c[0] = measure q[2];",
    "x $1; cx $1, $3; bit[1] c; c[0] = measure $3;",
]


def both(text):
    """What the fast reader and Qiskit's importer make of a text."""
    return read_openqasm3(text.encode())[0], qasm3.loads(text)


def assert_same(text):
    ours, theirs = both(text)
    assert [register.name for register in ours.cregs] == [register.name for register in theirs.cregs]
    if "gate " not in text:
        assert ours == theirs
        return
    # A gate that a text defines is an object of another class here, and may have a name of its own.
    names = [instruction.name.removesuffix("_as_defined") for instruction in ours.data]
    assert names == [instruction.name for instruction in theirs.data]
    assert ours.num_qubits > WIDEST or _state(ours).equiv(_state(theirs))


def _state(circuit):
    return Statevector(_unmeasured(circuit))


def _unmeasured(circuit):
    kept = circuit.copy_empty_like()
    for instruction in circuit.data:
        if instruction.name not in {"measure", "reset"} and not instruction.clbits:
            kept.append(instruction)
    return kept


@pytest.mark.parametrize("seed", range(30))
def test_on_circuits_that_qiskit_writes(seed):
    circuit = random_circuit(2 + seed % 4, 6, max_operands=2, measure=True, seed=seed)
    assert_same(qasm3.dumps(circuit))


@pytest.mark.skipif(not FILES, reason=f"no circuits in {FOLDER}: set QDEPOT_TEST_CIRCUITS to a folder of .qasm files")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_on_circuits_that_people_wrote(path):
    circuit = qasm2.load(path, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
    assert isinstance(circuit, QuantumCircuit)
    assert_same(qasm3.dumps(circuit))


@pytest.mark.parametrize("name", BENCHMARKS)
@pytest.mark.parametrize("level", [BenchmarkLevel.ALG, BenchmarkLevel.INDEP], ids=lambda level: level.name)
def test_on_benchmarks(name, level):
    assert_same(qasm3.dumps(get_benchmark(name, level, 5)))


@pytest.mark.parametrize("seed", range(30))
def test_on_circuits_with_conditions(seed):
    circuit = random_circuit(2 + seed % 3, 5, max_operands=3, measure=True, conditional=True, seed=seed)
    assert_same(qasm3.dumps(circuit))


@pytest.mark.parametrize("body", DYNAMIC)
def test_on_what_both_write_alike(body):
    text = f'OPENQASM 3.0; include "stdgates.inc"; {body}'
    ours, theirs = both(text)
    assert _with_values(ours) == _with_values(theirs)


def _with_values(circuit):
    """Parameters of one name are not equal if two readers made them."""
    return circuit.assign_parameters({parameter.name: 0.3 for parameter in circuit.parameters})
