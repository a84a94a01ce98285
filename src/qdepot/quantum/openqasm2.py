"""Reading OpenQASM 2, with the gates that Qiskit has always read beside those of ``qelib1.inc``.

Qiskit's reader refers to gates by numbers. Where a text declares with ``opaque`` a name that the reader was also handed
as a custom instruction, the numbers are off by one, and every later gate is exchanged for its neighbour. So custom
instructions are handed over only for names that a text uses and does not declare.
"""

from __future__ import annotations

import re

from qiskit import QuantumCircuit, qasm2
from qiskit.circuit import Delay, Instruction

from qdepot.errors import InvalidProgramError, UnsupportedProgramError
from qdepot.quantum import precheck
from qdepot.quantum.blame import invalid_at, unsupported_at
from qdepot.quantum.survey import surveyed

_DECLARED = re.compile(r"\b(?:gate|opaque|qreg|creg)\s+(\w+)")
_NAME = re.compile(r"\b[a-z]\w*")
_TAKEN_BY_QISKIT = re.compile(r"\b(?:gate|opaque)\s+(store|pauli_product_measurement)\b")
_OPAQUE_DELAY = re.compile(r"\bopaque\s+delay\s*\(\s*\w+\s*\)\s*\w+\s*;")
_INCLUDED = re.compile(r"\binclude\b")
_COMPLAINT = re.compile(r"\"?<input>:(\d+),(\d+): (.*)", re.DOTALL)
_MOST_IDLE_CYCLES = 10_000


def read_openqasm2(source: bytes) -> QuantumCircuit:
    """The circuit in a text. No file is opened.

    ``delay(t) q;`` is a delay of ``t`` units of dt where the text declares it as Qiskit writes it,
    ``opaque delay(t) q;``.

    Raises:
        InvalidProgramError: It cannot be read; with line and column where the reader knows them.
        UnsupportedProgramError: It declares more bits than any backend has, or applies a gate that is not defined.
    """
    text = precheck.decoded(source)
    precheck.check_text(text, precheck.OPENQASM2)
    text = precheck.without_comments(text)
    _check_names(text)
    readable, customs = _with_known_gates(text)
    try:
        circuit = qasm2.loads(readable, include_path=(), custom_instructions=customs)
    except qasm2.QASM2ParseError as error:
        raise _located(str(error.message), text) from error
    if "opaque" in readable:
        _check_calls(circuit, readable)
    return circuit


def _check_names(text: str) -> None:
    found = _TAKEN_BY_QISKIT.search(text)
    if found is not None:
        line, column = precheck.place(text, found.start(1))
        raise unsupported_at(
            f"no gate can be called {found[1]!r} here: Qiskit takes the name for an instruction of its own",
            line=line,
            column=column,
            solution="Give the gate another name.",
        )


def _check_calls(circuit: QuantumCircuit, text: str) -> None:
    """Refuse the call of an opaque gate at its place: only the text tells where that is."""
    try:
        surveyed(circuit)
    except UnsupportedProgramError as error:
        name = re.escape(str(error.details.get("instruction", "")))
        found = re.search(rf"\bopaque\s+{name}\b[^;]*;.*?\b({name})\b", text, re.DOTALL)
        if not name or found is None:
            raise
        line, column = precheck.place(text, found.start(1))
        raise unsupported_at(error.message, line=line, column=column, solution=error.solution) from None


def _with_known_gates(text: str) -> tuple[str, list[qasm2.CustomInstruction]]:
    """The text as the reader is to see it, and the instructions that the reader is to know beside its own."""
    used = set(_NAME.findall(text))
    declared = _DECLARED.findall(text)
    if declared.count("delay") == 1 and _OPAQUE_DELAY.search(text) is not None:
        text = _OPAQUE_DELAY.sub(_blanked, text)
        declared.remove("delay")
    else:
        used.discard("delay")
    if not _INCLUDED.search(text):
        used -= _REPLACING
    return text, [gate for name, gate in _CUSTOM.items() if name in used and name not in declared]


def _blanked(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _delay(time: float) -> Instruction:
    if not 0 <= time < 2**63 or time != int(time):
        raise InvalidProgramError(
            f"a delay of {time} units of dt is not possible: it must be a whole number, not negative",
            solution="Give delays as integers, in units of dt.",
        )
    return Delay(int(time), unit="dt")


def _idle_cycles(count: float) -> Instruction:
    if not 0 <= count <= _MOST_IDLE_CYCLES or count != int(count):
        raise InvalidProgramError(
            f"u0({count}) is not possible: the number of cycles must be a whole number from 0 to {_MOST_IDLE_CYCLES}"
        )
    return _LEGACY["u0"].constructor(count)


_LEGACY = {gate.name: gate for gate in qasm2.LEGACY_CUSTOM_INSTRUCTIONS}
_REPLACING = frozenset({"id"})
"""Gates of ``qelib1.inc`` that are replaced by Qiskit's own: its reader would read ``id`` as ``U(0, 0, 0)``."""
_CUSTOM = {
    **{name: gate for name, gate in _LEGACY.items() if gate.builtin or name in _REPLACING},
    "u0": qasm2.CustomInstruction("u0", 1, 1, _idle_cycles, builtin=True),
    "delay": qasm2.CustomInstruction("delay", 1, 1, _delay, builtin=True),
}
_IN_LIBRARY = frozenset(name for name, gate in _LEGACY.items() if not gate.builtin and name != "delay")
"""Names of the gates that ``qelib1.inc`` defines."""


def _located(complaint: str, text: str) -> InvalidProgramError:
    match = _COMPLAINT.match(complaint)
    if match is None:
        return InvalidProgramError(complaint)
    line, column, message = int(match[1]), int(match[2]) + 1, match[3].rstrip('"')
    return invalid_at(message, line=line, column=column, solution=_solution(text, line=line, column=column))


def _solution(text: str, *, line: int, column: int) -> str:
    lines = text.split("\n")
    name = _NAME.match(lines[line - 1], column - 1) if line <= len(lines) else None
    if name is None or name[0] in _KEYWORDS or name[0] in _DECLARED.findall(text):
        return ""
    if name[0] in _IN_LIBRARY and not _INCLUDED.search(text):
        return 'Add include "qelib1.inc"; below the first line.'
    return "Define the gate with `gate ... { ... }`, or use one of qelib1.inc."


_KEYWORDS = frozenset(
    {"barrier", "creg", "gate", "if", "include", "measure", "opaque", "qreg", "reset", "pi", "sin", "cos", "tan"}
    | {"exp", "ln", "sqrt"}
)
