"""Reading OpenQASM 3."""

from __future__ import annotations

import re
from typing import Any

from openqasm3 import ast
from openqasm3.parser import QASM3ParsingError
from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister
from qiskit.transpiler import Layout
from qiskit.transpiler.layout import TranspileLayout

from qdepot.errors import InvalidProgramError, QDepotError
from qdepot.quantum import precheck
from qdepot.quantum.blame import invalid_at, unsupported_at
from qdepot.quantum.openqasm3.interpreter import execute, new_machine
from qdepot.quantum.openqasm3.machine import Machine
from qdepot.quantum.openqasm3.refusal import Refusal, unsupported
from qdepot.quantum.openqasm3.syntax import syntax_tree

_UNREADABLE = "the reader can make nothing of this statement"
_OLD_ARGUMENT = re.compile(r"\bdef\b[^{;]*[(,]\s*(creg)\b")
_LEXER_PLACE = re.compile(r"L(\d+):C(\d+): (.*)", re.DOTALL)


def read_openqasm3(source: bytes) -> tuple[QuantumCircuit, dict[str, ClassicalRegister]]:
    """The circuit in a text, and the registers of bits that are its results, by name and in order. No file is opened.

    Classical bits of the circuit that belong to no register store what the program computes while it runs.

    Raises:
        InvalidProgramError: It is no OpenQASM 3; with line and column.
        UnsupportedProgramError: It is, but uses what cannot be run here; with line and column.
    """
    text = precheck.decoded(source)
    precheck.check_text(text, precheck.OPENQASM3)
    machine = new_machine()
    try:
        execute(machine, _tree(precheck.without_comments(text)))
        circuit = machine.program.circuit()
    except Refusal as refusal:
        raise _with_place(refusal, machine.span) from refusal
    except RecursionError as error:
        raise InvalidProgramError("statements or expressions are nested too deeply") from error
    except (QDepotError, MemoryError):
        raise
    except Exception as error:  # whatever a library raises over a text, it is the text that cannot be read
        raise _with_place(unsupported(_UNREADABLE), machine.span) from error
    _add_inputs(circuit, machine)
    return circuit, machine.result_registers()


def _tree(code: str) -> ast.Program:
    try:
        return syntax_tree(code)
    except QASM3ParsingError as error:
        raise _syntax_error(error) from error
    except (AttributeError, TypeError, ValueError, KeyError, IndexError) as error:  # gaps of the reference parser
        old_style = _OLD_ARGUMENT.search(code)
        if old_style is not None:
            line, column = precheck.place(code, old_style.start(1))
            raise unsupported_at(
                "an argument that is declared with `creg`",
                line=line,
                column=column,
                solution="Write `bit[2] c` instead of `creg c[2]`.",
            ) from error
        raise InvalidProgramError(
            "the grammar of OpenQASM 3 does not allow this program",
            solution="Look for parts that are incomplete, and for declarations in the style of OpenQASM 2.",
        ) from error


def _with_place(refusal: Refusal, span: ast.Span | None) -> QDepotError:
    node_span = None if refusal.node is None else refusal.node.span
    place = node_span or span
    line, column = (1, 1) if place is None else (place.start_line, place.start_column + 1)
    at = invalid_at if refusal.is_wrong else unsupported_at
    return at(refusal.message, line=line, column=column, solution=refusal.solution)


def _add_inputs(circuit: QuantumCircuit, machine: Machine) -> None:
    if machine.uses_physical_qubits:
        circuit._layout = TranspileLayout(  # noqa: SLF001 - there is no public way to say that qubits are the machine's
            initial_layout=Layout.from_qubit_list(circuit.qubits),
            input_qubit_mapping={bit: place for place, bit in enumerate(circuit.qubits)},
            final_layout=None,
        )
    used = set(circuit.parameters)
    for parameter in machine.parameters:
        if parameter not in used:  # a circuit has the parameters that it uses, and this is zero
            circuit.global_phase += parameter - parameter


def _syntax_error(error: QASM3ParsingError) -> InvalidProgramError:
    match = _LEXER_PLACE.match(str(error))
    if match:
        return invalid_at(match[3], line=int(match[1]), column=int(match[2]) + 1)
    token = _offending_token(error)
    if token is None:
        return InvalidProgramError("this is not an OpenQASM 3 program")
    found = "the end of the text" if token.text == "<EOF>" else repr(token.text[:40])
    return invalid_at(
        f"syntax error at {found}",
        line=token.line,
        column=token.column + 1,
        solution="Look at the statement before, too: a missing semicolon shows where the next statement starts.",
    )


def _offending_token(error: BaseException) -> Any:  # noqa: ANN401 - a token of the parser's runtime
    cause = error.__cause__
    reason = cause.args[0] if cause is not None and cause.args else cause
    return getattr(reason, "offendingToken", None)
