"""A result is not lost for what goes with it: a copy of what ran, files with names of the user's, calibration data."""

import io
import json

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qpy

from qdepot.domain.member_names import register_named
from qdepot.quantum import devices
from support.circuits import counts, openqasm2, simulated

NAMES = [
    r"c_\alpha",
    "α",
    "../../etc/passwd",
    "/etc/passwd",
    ".",
    "..",
    "a b",
    "a/b",
    "a\nb",
    "%41",
    "%register-0",
    " ",
]
NAMES += ["con.npy", "👍" * 60, "x" * 5000, "\\", "'\"`", "c\u0007", "plain_Name7", "tab\t"]


@pytest.mark.parametrize("value", [1 << 63, (1 << 63) | 1])
def test_a_circuit_whose_copy_cannot_be_written_keeps_its_result(value):
    measured = " ".join(f"measure q[0] -> c[{place}];" for place in range(64) if value >> place & 1)
    source = openqasm2(
        f"qreg q[2]; creg c[64]; creg d[1]; x q[0]; {measured} if(c=={value}) x q[1]; measure q[1] -> d[0];"
    )
    answer = simulated(source, shots=5)
    (entry,) = json.loads(bytes(answer.parts["result.json"]))["results"]
    assert list(entry["registers"]["d"]["counts"]) == ["1"]
    assert "QpyError" in entry["metadata"]["left_out"]["prepared/0.qpy"]
    assert "prepared/0.qpy" not in answer.parts


def test_a_calibration_that_cannot_be_written_is_left_out_with_a_note(monkeypatch):
    monkeypatch.setattr(devices.Device, "calibration_bytes", lambda self: 1 // 0)
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    answer = simulated(circuit, shots=5, options={"noise": "fake_manila"})
    assert "ZeroDivisionError" in answer.meta["metadata"]["left_out"]["calibration/fake_manila.json"]
    assert answer.meta["metadata"]["device"]["calibration"] is None


@pytest.mark.parametrize("name", NAMES)
def test_under_any_name_of_a_register_the_result_is_right_and_its_files_have_safe_names(name):
    circuit = QuantumCircuit(QuantumRegister(2, "q"), ClassicalRegister(1, "first"), ClassicalRegister(1, name))
    circuit.x(1)
    circuit.measure([0, 1], [0, 1])
    answer = simulated(circuit, shots=3, options={"memory": True})
    (entry,) = json.loads(bytes(answer.parts["result.json"]))["results"]
    assert entry["counts"] == {"1 0": 3}
    assert entry["registers"][name]["counts"] == {"1": 3}
    (member,) = (each for each in answer.parts if each.startswith("memory/0/") and each != "memory/0/first.npy")
    folder, number, file = member.split("/")
    assert (folder, number) == ("memory", "0")
    assert file.isascii()
    assert file.isprintable()
    assert len(file) < 200
    assert not set(file) & set("\\:*?\"<>| '")
    assert np.load(io.BytesIO(answer.parts[member])).tolist() == [[1]] * 3
    read = register_named(file.removesuffix(".npy"))
    assert read == (name if len(file) < 150 and len(name) < 50 else "%register-1")


def test_names_that_differ_have_files_that_differ():
    names = ["a", "%61", "a%", "a%25", "%register-1", "%register-5", "x" * 200, "x" * 201, "A/"]
    circuit = QuantumCircuit(QuantumRegister(1, "q"), *(ClassicalRegister(1, name) for name in names))
    for place in range(len(names)):
        circuit.measure(0, place)
    answer = simulated(circuit, shots=1, options={"memory": True})
    assert sum(member.startswith("memory/") for member in answer.parts) == len(names)


def test_names_of_qubits_and_circuits_do_not_matter():
    circuit = QuantumCircuit(QuantumRegister(1, "../q"), ClassicalRegister(1, "c"), name="../x\n")
    circuit.measure(0, 0)
    assert counts(circuit, shots=2) == {"0": 2}
    assert qpy.load(io.BytesIO(simulated(circuit).parts["prepared/0.qpy"]))
