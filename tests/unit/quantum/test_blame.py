"""What a library raises about a circuit is a refusal of that circuit; a bug of our own stays one."""

import io
from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from qdepot.domain.program import ProgramFormat
from qdepot.errors import InvalidProgramError, UnsupportedProgramError
from qdepot.quantum import parse, transpile
from qdepot.quantum.blame import circuit_blamed
from support.circuits import BELL2, simulated


class PanicException(BaseException):
    """Stands for the exception that a panic of native code becomes."""


def _raises(error):
    def function(*_args, **_options):
        raise error

    return function


def test_an_exception_of_a_library_is_a_refusal_of_the_circuit_with_its_number():
    unbound = {Parameter("none"): 1.0}
    refused = pytest.raises(UnsupportedProgramError, match=r"circuit 3: Qiskit fails .* CircuitError")
    with refused as caught, circuit_blamed(3):
        QuantumCircuit(1).assign_parameters(unbound)
    assert caught.value.details["circuit"] == 3


def test_an_exception_of_python_s_own_library_is_that_of_the_library_that_called_it():
    header = b"{'descr': (\n"
    array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    with pytest.raises(UnsupportedProgramError, match=r"numpy fails .* TokenError"), circuit_blamed(0):
        np.load(io.BytesIO(array))


def test_an_exception_of_python_s_own_library_is_ours_if_we_called_it():
    with pytest.raises(ValueError, match="does not match format"), circuit_blamed(0):
        datetime.strptime("x", "%Y")  # noqa: DTZ007 - it fails


def test_a_panic_of_native_code_is_one_too():
    with pytest.raises(UnsupportedProgramError, match="circuit 0: Qiskit fails"), circuit_blamed(0):
        raise PanicException


@pytest.mark.parametrize("error", [TypeError("ours"), OSError("the machine's"), MemoryError(), KeyboardInterrupt()])
def test_what_is_no_library_s_failure_stays_what_it_is(error):
    with pytest.raises(type(error)), circuit_blamed(0):
        raise error


def test_a_panic_of_the_transpiler_is_a_refusal(monkeypatch):
    manager = SimpleNamespace(run=_raises(PanicException()))
    monkeypatch.setattr(transpile, "_simulator_pass_manager", lambda *_, **__: manager)
    with pytest.raises(UnsupportedProgramError):
        simulated(BELL2, options={"optimization_level": 3})


def test_a_panic_of_a_reader_is_an_unreadable_circuit(monkeypatch):
    monkeypatch.setattr(parse, "read_openqasm2", _raises(PanicException()))
    with pytest.raises(InvalidProgramError, match="cannot be read as openqasm2"):
        parse.read(b"OPENQASM 2.0;", ProgramFormat.OPENQASM2)
