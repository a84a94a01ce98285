"""What users hand in, turned into circuits for the wire.

Taken are Qiskit's ``QuantumCircuit``, paths of ``.qasm`` and ``.qpy`` files, OpenQASM text, and the bytes of either.
Qiskit is never imported here: whoever holds a ``QuantumCircuit`` has it loaded already, and it is found by its name.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from qdepot.client.openqasm_version import openqasm_format
from qdepot.client.qpy_writing import qpy_bytes
from qdepot.domain.program import ProgramFormat
from qdepot.errors import InvalidProgramError, InvalidRequestError


class QuantumCircuitLike(Protocol):
    """Qiskit's ``QuantumCircuit``, as far as this package looks at it."""

    @property
    def num_qubits(self) -> int:
        """Qubits in it."""
        ...


CircuitInput: TypeAlias = str | bytes | os.PathLike[str] | QuantumCircuitLike | tuple[Any, ...]
"""One circuit; a tuple is a PUB: ``(circuit, parameter_values, shots)`` for a sampler, ``(circuit, observables,
parameter_values, precision)`` for an estimator."""

_QPY_MAGIC = b"QISKIT"
_FILE_ENDINGS = (".qasm", ".qasm2", ".qasm3", ".qpy")


def is_quantum_circuit(value: object) -> bool:
    """True for Qiskit's ``QuantumCircuit`` and classes derived from it."""
    return any(
        one.__name__ == "QuantumCircuit" and one.__module__.split(".", 1)[0] == "qiskit" for one in type(value).__mro__
    )


def as_list(circuits: object) -> list[object]:
    """One circuit or PUB as a list of one; an iterable of them as a list.

    Raises:
        InvalidRequestError: There is none.
    """
    if isinstance(circuits, (str, bytes, bytearray, os.PathLike, tuple)) or is_quantum_circuit(circuits):
        return [circuits]
    if isinstance(circuits, Iterable):
        found = list(circuits)
        if not found:
            raise InvalidRequestError("there is no circuit in the list", solution="Hand in at least one.")
        return found
    raise _unknown(circuits)


def wire_source(
    circuit: object, *, qpy_versions: tuple[int, int] | None, text_format: str | None = None
) -> tuple[ProgramFormat, str]:
    """Format and source of one circuit as they are sent; QPY in base64.

    Args:
        circuit: See :data:`CircuitInput`, without the tuples.
        qpy_versions: Oldest and newest QPY version that the service reads; None: the user's Qiskit decides.
        text_format: ``openqasm2`` or ``openqasm3``, for text; None: the text tells.

    Raises:
        InvalidProgramError: It is neither OpenQASM nor QPY.
        InvalidRequestError: It is nothing that can be sent, or the file cannot be read.
        UnsupportedProgramError: The user's Qiskit cannot write what the service reads.
    """
    if is_quantum_circuit(circuit):
        return ProgramFormat.QPY, _base64(qpy_bytes(circuit, qpy_versions))
    if isinstance(circuit, os.PathLike):
        return _from_file(Path(circuit), text_format)
    if isinstance(circuit, (bytes, bytearray)):
        return _from_bytes(bytes(circuit), text_format, where="the bytes")
    if isinstance(circuit, str):
        if _is_path(circuit):
            return _from_file(Path(circuit), text_format)
        return _openqasm_format(circuit, text_format, where="the text"), circuit
    raise _unknown(circuit)


def _is_path(text: str) -> bool:
    if "\n" in text or ";" in text:
        return False
    if text.lower().endswith(_FILE_ENDINGS):
        return True
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def _from_file(path: Path, text_format: str | None) -> tuple[ProgramFormat, str]:
    try:
        content = path.expanduser().read_bytes()
    except OSError as error:
        raise InvalidRequestError(
            f"the file {path} cannot be read: {error.strerror or error}",
            solution="Check its name and the folder you are in.",
            details={"file": str(path)},
        ) from error
    return _from_bytes(content, text_format, where=f"the file {path}")


def _from_bytes(content: bytes, text_format: str | None, *, where: str) -> tuple[ProgramFormat, str]:
    if content.startswith(_QPY_MAGIC):
        return ProgramFormat.QPY, _base64(content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidProgramError(
            f"{where} is neither QPY nor text: byte {error.start} is not UTF-8",
            solution="Hand in OpenQASM 2 or 3 as UTF-8 text, or a .qpy file.",
        ) from error
    return _openqasm_format(text, text_format, where=where), text


def _openqasm_format(text: str, text_format: str | None, *, where: str) -> ProgramFormat:
    if text_format is not None:
        if text_format not in (ProgramFormat.OPENQASM2, ProgramFormat.OPENQASM3):
            raise InvalidRequestError(
                f"the format of text is openqasm2 or openqasm3, not {text_format!r}",
                solution="Leave it out for Qiskit circuits and QPY.",
            )
        return ProgramFormat(text_format)
    found = openqasm_format(text)
    if found is None:
        raise InvalidProgramError(
            f"nothing tells which version of OpenQASM {where} is in; it begins with {text[:40]!r}",
            solution="Begin it with `OPENQASM 2.0;` or `OPENQASM 3.0;`, or give the format: `--format openqasm3` "
            '(command), `format="openqasm3"` (Python). If a file was meant, check its name.',
        )
    return found


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _unknown(value: object) -> InvalidRequestError:
    return InvalidRequestError(
        f"a {type(value).__name__} is no circuit",
        solution="Hand in a Qiskit QuantumCircuit, the path of a .qasm or .qpy file, OpenQASM text, or a list of them.",
    )
