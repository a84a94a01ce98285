from __future__ import annotations

import base64
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from qdepot.client.circuits import as_list, is_quantum_circuit, wire_source
from qdepot.errors import InvalidProgramError, InvalidRequestError, UnsupportedProgramError
from support.fake_api import BELL, BELL2


def make_circuit_class(name: str = "QuantumCircuit", module: str = "qiskit.circuit.quantumcircuit") -> type:
    return type(name, (), {"__module__": module, "num_qubits": 2, "data": (), "num_parameters": 0})


CircuitDouble = make_circuit_class()


@pytest.fixture
def qiskit(monkeypatch):
    """A Qiskit that writes versions 13 to 17."""

    def dump(circuit, file, *, version):
        if getattr(circuit, "broken", False):
            raise RuntimeError("no QPY form")
        file.write(b"QISKIT" + bytes([version]))

    qpy = SimpleNamespace(QPY_VERSION=17, common=SimpleNamespace(QPY_COMPATIBILITY_VERSION=13), dump=dump)
    monkeypatch.setitem(sys.modules, "qiskit.qpy", qpy)
    return qpy


def source(circuit, qpy_versions=None):
    return wire_source(circuit, qpy_versions=qpy_versions)


@pytest.mark.parametrize(
    ("text", "program_format"),
    [
        (BELL, "openqasm3"),
        (BELL2, "openqasm2"),
        ("OPENQASM 3;", "openqasm3"),
        ("// a comment\n/* and\nmore */\n  OPENQASM  2.0 ;\n", "openqasm2"),
    ],
)
def test_the_version_line_tells_the_format_of_text(text, program_format):
    assert source(text) == (program_format, text)
    assert source(text.encode()) == (program_format, text)


@pytest.mark.parametrize(
    ("text", "program_format"),
    [
        ("qreg q[2];", "openqasm2"),
        ("gate g a { U(0, 0, 0) a; }\ncreg c[2]; qreg q[2];", "openqasm2"),
        ('include "qelib1.inc"; gate bit a { x a; } qreg q[2];', "openqasm2"),
        ("// qreg\nqubit[2] q;", "openqasm3"),
        ('/* qelib1.inc */ include "stdgates.inc"; qreg q[2];', "openqasm3"),
        ("gate g a { U(0, 0, 0) a; } bit[2] c; qreg q[2];", "openqasm3"),
        ("const int n = 2; qreg q[n];", "openqasm3"),
    ],
)
def test_without_a_version_line_the_include_or_the_first_words_tell_the_format(text, program_format):
    assert source(text) == (program_format, text)


@pytest.mark.parametrize("text", ["OPENQASM 4.0; qreg q[2];", "h q[0];", "// OPENQASM 2.0;\n", "gate qreg a { }"])
def test_a_format_that_is_given_decides(text):
    for text_format in ("openqasm2", "openqasm3"):
        assert wire_source(text, qpy_versions=None, text_format=text_format) == (text_format, text)


def test_an_unknown_format_is_refused():
    with pytest.raises(InvalidRequestError, match="openqasm2 or openqasm3, not 'qasm'"):
        wire_source("h q;", qpy_versions=None, text_format="qasm")


@pytest.mark.parametrize("text", ["OPENQASM 4.0; qreg q[2];", "h q[0];", "// OPENQASM 2.0;\n", "gate qreg a { }"])
def test_text_that_does_not_tell_its_version_is_refused(text):
    with pytest.raises(InvalidProgramError) as caught:
        source(text)
    assert "OPENQASM 3.0;" in caught.value.solution


@pytest.mark.parametrize("give", [str, Path])
def test_files_are_told_by_what_is_in_them(tmp_path, give):
    qasm, qpy = tmp_path / "bell.qasm", tmp_path / "bell.qpy"
    qasm.write_text(BELL2)
    qpy.write_bytes(b"QISKIT\x12rest")
    assert source(give(qasm)) == ("openqasm2", BELL2)
    assert source(give(qpy)) == ("qpy", base64.b64encode(b"QISKIT\x12rest").decode())


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    file = tmp_path / "bell.qasm"
    file.write_bytes(b"\xef\xbb\xbf" + BELL.encode())
    assert source(file) == ("openqasm3", BELL)


def test_a_name_of_a_file_without_a_known_ending_is_taken_as_one_if_it_exists(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bell").write_text(BELL)
    assert source("bell")[0] == "openqasm3"


def test_a_missing_file_is_named():
    with pytest.raises(InvalidRequestError, match=r"the file no-such\.qasm cannot be read: No such file") as caught:
        source("no-such.qasm")
    assert caught.value.details["file"] == "no-such.qasm"


def test_bytes_that_are_neither_qpy_nor_text_are_refused():
    with pytest.raises(InvalidProgramError, match="byte 0 is not UTF-8"):
        source(b"\xff\xfe")


@pytest.mark.parametrize("thing", [3, None, object(), {"a": 1}])
def test_what_is_no_circuit_is_named_by_its_type(thing):
    with pytest.raises(InvalidRequestError, match=f"a {type(thing).__name__} is no circuit"):
        source(thing)


def test_a_quantum_circuit_is_recognised_by_name_also_when_derived():
    assert is_quantum_circuit(CircuitDouble())
    assert is_quantum_circuit(type("Ansatz", (CircuitDouble,), {"__module__": "my.library"})())
    assert not is_quantum_circuit(make_circuit_class(module="qiskitlike.circuit")())
    assert not is_quantum_circuit(make_circuit_class(name="QuantumRegister")())


@pytest.mark.parametrize(("readable", "written"), [(None, 17), ((10, 16), 16), ((10, 20), 17), ((13, 13), 13)])
def test_a_quantum_circuit_is_written_in_the_newest_version_that_both_know(qiskit, readable, written):
    program_format, text = source(CircuitDouble(), readable)
    assert (program_format, base64.b64decode(text)) == ("qpy", b"QISKIT" + bytes([written]))


@pytest.mark.parametrize("readable", [(5, 12), (18, 20)])
def test_versions_that_do_not_meet_are_named(qiskit, readable):
    with pytest.raises(UnsupportedProgramError, match=r"writes QPY versions 13 to 17, the service reads") as caught:
        source(CircuitDouble(), readable)
    assert "OpenQASM 3" in caught.value.solution


def test_a_circuit_without_qpy_form_says_why(qiskit):
    circuit = CircuitDouble()
    circuit.broken = True
    with pytest.raises(UnsupportedProgramError, match="no QPY form"):
        source(circuit)


def test_one_of_anything_is_a_list_of_one():
    for one in (BELL, b"QISKIT", Path("x.qasm"), (BELL, [1.0]), CircuitDouble()):
        assert as_list(one) == [one]
    assert as_list(iter([BELL, BELL2])) == [BELL, BELL2]


def test_a_list_without_circuits_is_refused():
    with pytest.raises(InvalidRequestError, match="no circuit"):
        as_list([])
