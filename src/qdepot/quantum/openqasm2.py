"""Reading OpenQASM 2, with the gate set that Qiskit has always read."""

from __future__ import annotations

import re

from qiskit import QuantumCircuit, qasm2

from qdepot.errors import InvalidProgramError
from qdepot.quantum import precheck
from qdepot.quantum.blame import invalid_at

_DEFINED = re.compile(r"\bgate\s+(\w+)")
_COMPLAINT = re.compile(r"\"?<input>:(\d+),(\d+): (.*)", re.DOTALL)


def read_openqasm2(source: bytes) -> QuantumCircuit:
    """The circuit in a text. No file is opened.

    Raises:
        InvalidProgramError: It cannot be read; with line and column where the reader knows them.
        UnsupportedProgramError: It declares more bits than any backend has.
    """
    text = precheck.decoded(source)
    precheck.check_text(text, precheck.OPENQASM2)
    try:
        return qasm2.loads(text, include_path=(), custom_instructions=_known_gates(text))
    except qasm2.QASM2ParseError as error:
        raise _located(str(error.message)) from error


def _known_gates(text: str) -> list[qasm2.CustomInstruction]:
    """The legacy gates, without those that the text defines: the reader would put its own in their place."""
    defined = set(_DEFINED.findall(precheck.without_comments(text)))
    return [gate for gate in qasm2.LEGACY_CUSTOM_INSTRUCTIONS if gate.name not in defined]


def _located(complaint: str) -> InvalidProgramError:
    match = _COMPLAINT.match(complaint)
    if match is None:
        return InvalidProgramError(complaint)
    line, column, message = int(match[1]), int(match[2]) + 1, match[3].rstrip('"')
    return invalid_at(message, line=line, column=column, solution=_solution(message))


def _solution(message: str) -> str:
    if "custom instruction" in message and "before definition" in message:
        return 'Add include "qelib1.inc"; below the first line.'
    if "is not defined in this scope" in message:
        return "Define the gate with `gate ... { ... }`, or use one of qelib1.inc."
    return ""
