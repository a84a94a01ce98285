"""QPY files: one circuit each, of versions that cannot run code, and no trust in what a header promises."""

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Annotation
from qiskit.circuit.annotation import QPYSerializer

from qdepot.domain.program import ProgramFormat
from qdepot.errors import InvalidProgramError, QDepotError, UnsupportedProgramError
from qdepot.quantum.parse import read
from qdepot.quantum.qpy_file import NEWEST_VERSION, OLDEST_VERSION
from support.circuits import checked


def _bell():
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def _file(*circuits, version=NEWEST_VERSION):
    buffer = io.BytesIO()
    qpy.dump(list(circuits), buffer, version=version)
    return buffer.getvalue()


def _refusal(source):
    with pytest.raises((InvalidProgramError, UnsupportedProgramError)) as caught:
        checked(source, program_format="qpy")
    return caught.value


@pytest.mark.parametrize("version", range(OLDEST_VERSION, NEWEST_VERSION + 1))
def test_every_version_that_is_said_to_be_read_is_read(version):
    assert checked(_file(_bell(), version=version))["circuits"][0]["num_qubits"] == 2


@pytest.mark.parametrize("version", [1, 9, 10, 12, NEWEST_VERSION + 1, 255])
def test_other_versions_are_refused_before_they_are_read(version, monkeypatch):
    monkeypatch.setattr(qpy, "load", lambda *_: pytest.fail("it was read"))
    source = bytearray(_file(_bell()))
    source[6] = version
    error = _refusal(bytes(source))
    assert isinstance(error, UnsupportedProgramError)
    assert error.details["qpy_version"] == version
    assert f"from {OLDEST_VERSION} to {NEWEST_VERSION}" in error.solution


@pytest.mark.parametrize("source", [b"QPY?", b"QISKIT", b"OPENQASM 2.0; qreg q[1];", b"QISKIT\x12"])
def test_what_is_no_qpy_file_is_refused(source):
    assert "not a QPY file" in _refusal(source).message


def test_two_circuits_are_refused():
    assert "2 circuits" in _refusal(_file(_bell(), _bell())).message


def test_no_circuits_are_refused():
    assert "0 circuits" in _refusal(_file()).message


def test_a_million_empty_qubits_are_refused_unread(monkeypatch):
    monkeypatch.setattr(qpy, "load", lambda *_: pytest.fail("it was read"))
    source = bytearray(_file(_bell()))
    place = _header_place(source) + struct.calcsize("!H1cH")
    source[place : place + 4] = struct.pack("!I", 1_000_000)
    assert "1000000 qubits" in _refusal(bytes(source)).message


def _header_place(source):
    return struct.unpack_from("!Q", source, 20)[0]


def test_a_header_that_promises_more_than_the_file_holds_is_refused_unread(monkeypatch):
    monkeypatch.setattr(qpy, "load", lambda *_: pytest.fail("it was read"))
    source = bytearray(_file(_bell()))
    place = _header_place(source) + struct.calcsize("!H1cHIIQI")
    source[place : place + 8] = struct.pack("!Q", 2**40)
    assert "promises more" in _refusal(bytes(source)).message


def test_every_cut_is_an_error_of_ours():
    source = _file(_bell())
    for length in range(len(source)):
        with pytest.raises(QDepotError):
            read(source[:length], ProgramFormat.QPY)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_flipped_byte_is_read_or_refused_but_nothing_else(data):
    source = bytearray(_file(_bell()))
    place = data.draw(st.integers(0, 60))  # beyond, a flip may make the native reader ask for a huge amount of memory
    source[place] ^= data.draw(st.integers(1, 255))
    try:
        found = read(bytes(source), ProgramFormat.QPY)
    except QDepotError:
        return
    assert found.circuit.num_qubits <= 10_000


class _Marker(Annotation):
    namespace = "tests.marker"


class _Serializer(QPYSerializer):
    def dump_annotation(self, namespace, annotation):
        return b"payload"

    def load_annotation(self, payload):
        pytest.fail("it was read")


def test_annotations_are_refused_unread():
    circuit = QuantumCircuit(1, 1)
    with circuit.box([_Marker()]):
        circuit.x(0)
    circuit.measure(0, 0)
    buffer = io.BytesIO()
    qpy.dump(circuit, buffer, annotation_factories={"tests": _Serializer})
    assert "cannot be read" in _refusal(buffer.getvalue()).message
