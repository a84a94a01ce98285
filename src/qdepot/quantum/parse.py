"""From the bytes of a circuit to Qiskit's object."""

from __future__ import annotations

from dataclasses import dataclass

from qiskit import QuantumCircuit

from qdepot.domain.program import ProgramFormat
from qdepot.errors import InvalidProgramError, QDepotError
from qdepot.quantum.bits import Register, registers_of
from qdepot.quantum.blame import failed_library
from qdepot.quantum.openqasm2 import read_openqasm2
from qdepot.quantum.openqasm3.reader import read_openqasm3
from qdepot.quantum.qpy_file import read_qpy

_NAMELESS = "circuit"
"""Name of circuits in OpenQASM, where they have none. Qiskit would number them, and no two runs give equal files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A circuit as it was read.

    Attributes:
        circuit: What the source says.
        registers: The classical registers that its author declared, in order.
        storage: Indices of classical bits that its author did not declare, and that are not reported: they store what
            an OpenQASM 3 program computes while it runs.
    """

    circuit: QuantumCircuit
    registers: tuple[Register, ...]
    storage: frozenset[int] = frozenset()


def read(source: bytes, program_format: ProgramFormat) -> Reading:
    """Read a circuit. Nothing is evaluated, no file is opened.

    Raises:
        InvalidProgramError: It cannot be read.
        UnsupportedProgramError: It can, but holds what cannot be run here.
    """
    try:
        return _read(source, program_format)
    except QDepotError:
        raise
    except BaseException as error:  # a panic of a native reader is no Exception
        if failed_library(error) is None:
            raise
        raise _unreadable(program_format, f"{type(error).__name__}: {str(error)[:200]}") from error


def _unreadable(program_format: ProgramFormat, why: str) -> InvalidProgramError:
    return InvalidProgramError(
        f"the circuit cannot be read as {program_format.value} ({why})",
        solution="Check that it is in that format, and simplify it until it is read.",
    )


def _read(source: bytes, program_format: ProgramFormat) -> Reading:
    declared = None
    if program_format is ProgramFormat.QPY:
        circuit = read_qpy(source)
    elif program_format is ProgramFormat.OPENQASM2:
        circuit = read_openqasm2(source)
    else:
        circuit, declared = read_openqasm3(source)
    if program_format is not ProgramFormat.QPY:
        circuit.name = _NAMELESS
    registers = registers_of(circuit, declared)
    reported = {bit for register in registers for bit in register.bits}
    storage = frozenset() if declared is None else frozenset(range(circuit.num_clbits)) - reported
    return Reading(circuit=circuit, registers=registers, storage=storage)
