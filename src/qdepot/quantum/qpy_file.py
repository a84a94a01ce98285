"""Reading QPY, Qiskit's binary format."""

from __future__ import annotations

import io
import struct
import warnings

from qiskit import QuantumCircuit, qpy

from qdepot.errors import InvalidProgramError, UnsupportedProgramError
from qdepot.quantum.precheck import MAX_BITS

OLDEST_VERSION = 13
"""Older files hold expressions as text that is evaluated, or pickled: reading one can run code of its author."""

NEWEST_VERSION: int = qpy.QPY_VERSION

_FILE = struct.Struct("!6sBBBBQc")
_CIRCUIT = struct.Struct("!H1cHIIQIQI")
_OFFSET = struct.Struct("!Q")
_FIRST_WITH_TABLE = 16


def read_qpy(source: bytes) -> QuantumCircuit:
    """The one circuit in a file.

    Raises:
        InvalidProgramError: It is not a QPY file of one circuit, or it is damaged.
        UnsupportedProgramError: Its version is not read here, or it declares more bits than any backend has.
    """
    _check_header(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a newer patch release of Qiskit wrote it
            circuits = qpy.load(io.BytesIO(source))
    except MemoryError:
        raise
    except Exception as error:  # the reader trusts the file, so any error may come of one that is not right
        raise _damaged(f"{type(error).__name__}: {str(error)[:200]}") from error
    if len(circuits) != 1 or not isinstance(circuits[0], QuantumCircuit):
        raise _damaged("there is no circuit in it")
    return circuits[0]


def _check_header(source: bytes) -> None:
    if len(source) < _FILE.size + 1 or not source.startswith(b"QISKIT"):
        raise InvalidProgramError(
            "this is not a QPY file",
            solution="Write it with `qiskit.qpy.dump(circuit, file)`; through JSON it is sent in base64.",
        )
    _, version, *release, circuits, _ = _FILE.unpack_from(source)
    if not OLDEST_VERSION <= version <= NEWEST_VERSION:
        raise UnsupportedProgramError(
            f"the file is of QPY version {version} (written by Qiskit {'.'.join(map(str, release))}); "
            f"versions {OLDEST_VERSION} to {NEWEST_VERSION} are read here",
            solution=f"Write it again with `qpy.dump(circuit, file, version=v)` and v from {OLDEST_VERSION} to "
            f"{NEWEST_VERSION}. Files of older versions can run code when they are read, so they never are.",
            details={"qpy_version": version},
        )
    if circuits != 1:
        raise InvalidProgramError(
            f"the file holds {circuits} circuits, not one",
            solution="Send each circuit as a file of its own; a job may hold many.",
        )
    _check_circuit_header(source, version)


def _check_circuit_header(source: bytes, version: int) -> None:
    """Check the counts that the reader would believe: it makes room for them before it reads on."""
    start = _FILE.size + 1
    try:
        if version >= _FIRST_WITH_TABLE:
            (start,) = _OFFSET.unpack_from(source, start)
        name_size, _, phase_size, qubits, clbits, metadata_size, registers, instructions, variables = (
            _CIRCUIT.unpack_from(source, start)
        )
    except (struct.error, OverflowError) as error:
        raise _damaged("it ends within its header") from error
    if max(qubits, clbits) > MAX_BITS:
        raise UnsupportedProgramError(
            f"the circuit has {qubits} qubits and {clbits} classical bits; at most {MAX_BITS} of each are possible here"
        )
    if name_size + phase_size + metadata_size + registers + instructions + variables > len(source):
        raise _damaged("its header promises more than the file holds")


def _damaged(why: str) -> InvalidProgramError:
    return InvalidProgramError(
        f"the QPY file cannot be read: {why}",
        solution="Check that it was transferred as binary data, unchanged, and that `qiskit.qpy.load` reads it. "
        "Some gates of Qiskit's library, such as adders, are written so that they cannot be read: decompose them.",
    )
