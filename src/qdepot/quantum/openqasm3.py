"""Reading OpenQASM 3."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from openqasm3 import ast
from openqasm3.parser import QASM3ParsingError
from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister, Gate
from qiskit_qasm3_import.converter import ConvertVisitor
from qiskit_qasm3_import.exceptions import ConversionError, raise_from_node

from qdepot.errors import InvalidProgramError, QDepotError
from qdepot.quantum import precheck
from qdepot.quantum.blame import invalid_at, unsupported_at
from qdepot.quantum.gate_names import reserved_names
from qdepot.quantum.openqasm3_ast import syntax_tree

MAX_GATES = 1_000_000
"""Most gates that a program may stand for, once the gates that it defines are written out."""

_CONVERSION_PLACE = re.compile(r"(\d+),(\d+): (.*)", re.DOTALL)
_LEXER_PLACE = re.compile(r"L(\d+):C(\d+): (.*)", re.DOTALL)
_UNSUPPORTED = re.compile(r"not( currently)? supported|unsupported", re.IGNORECASE)


def read_openqasm3(source: bytes) -> tuple[QuantumCircuit, dict[str, ClassicalRegister]]:
    """The circuit in a text, and the registers of bits that the text declares, by name and in order. No file is opened.

    The importer adds registers of its own to a circuit whose conditions look at parts of registers, and renames those
    whose names start with a capital letter: what is returned is what the author wrote.

    Raises:
        InvalidProgramError: It cannot be read; with line and column.
        UnsupportedProgramError: It uses a part of OpenQASM 3 that Qiskit has no counterpart of.
    """
    text = precheck.decoded(source)
    precheck.check_text(text, precheck.OPENQASM3)
    reader = _Reader()
    try:
        circuit = reader.convert(syntax_tree(precheck.without_comments(text))).circuit
    except QASM3ParsingError as error:
        raise _syntax_error(error) from error
    except ConversionError as error:
        raise _conversion_error(error) from error
    except RecursionError as error:
        raise InvalidProgramError("statements or expressions are nested too deeply") from error
    return circuit, reader.registers


class _Reader(ConvertVisitor):  # type: ignore[misc] # the importer has no types
    """The importer, with a place for every error and an end to gates that are defined by gates by gates."""

    def __init__(self) -> None:
        super().__init__()
        self.registers: dict[str, ClassicalRegister] = {}
        self._sizes: dict[str, int] = {}
        self._gates = [0]

    def visit(self, node: Any, context: Any = None) -> Any:  # noqa: ANN401 - as the importer has it
        try:
            return super().visit(node, context)
        except ConversionError as error:
            if _CONVERSION_PLACE.match(str(error.message)):
                raise
            raise_from_node(node, str(error.message))
        except (RecursionError, MemoryError):
            raise
        except Exception as error:  # the importer lets errors of Qiskit and of Python through
            raise_from_node(node, str(getattr(error, "message", error)) or type(error).__name__)

    def visit_ClassicalDeclaration(self, node: Any, context: Any) -> Any:  # noqa: ANN401, N802 - as above
        return self._noting_registers(super().visit_ClassicalDeclaration(node, context), node.identifier.name)

    def visit_AliasStatement(self, node: Any, context: Any) -> Any:  # noqa: ANN401, N802 - as above
        return self._noting_registers(super().visit_AliasStatement(node, context), node.target.name)

    def visit_ForInLoop(self, node: Any, context: Any) -> Any:  # noqa: ANN401, N802 - as above
        values, _ = self._resolve_generic(node.set_declaration, context, strict=True)
        if isinstance(values, slice) and None not in (values.start, values.stop):
            rounds = (values.stop - values.start) // (values.step or 1)
            if rounds > MAX_GATES:  # Qiskit counts the rounds, one after the other, where they exceed a machine's word
                raise_from_node(node.set_declaration, f"loops of more than {MAX_GATES} rounds are not supported")
        return super().visit_ForInLoop(node, context)

    def visit_QuantumGateDefinition(self, node: Any, context: Any) -> Any:  # noqa: ANN401, N802 - as above
        self._gates.append(0)
        after = super().visit_QuantumGateDefinition(node, context)
        name = node.name.name
        self._sizes[name] = max(1, self._gates.pop())
        symbol = after.symbol_table.get(name)
        symbol.data = _Definition(
            name=name if name not in reserved_names() else f"{name}_as_defined",
            circuit=symbol.data._definition,  # noqa: SLF001 - there is no other way to it
            arguments=tuple(argument.name for argument in node.arguments),
        )
        return after

    def visit_QuantumGate(self, node: Any, context: Any) -> Any:  # noqa: ANN401, N802 - as above
        self._gates[-1] += self._sizes.get(node.name.name, 1)
        if self._gates[-1] > MAX_GATES:
            raise_from_node(node, f"more than {MAX_GATES} gates, once defined gates are written out, are not supported")
        for modifier in node.modifiers:
            controls = modifier.argument
            is_control = modifier.modifier in (ast.GateModifierName.ctrl, ast.GateModifierName.negctrl)
            if is_control and isinstance(controls, ast.IntegerLiteral) and controls.value >= len(node.qubits):
                raise_from_node(node, f"{controls.value} control qubits, and {len(node.qubits)} qubits in all")
        return super().visit_QuantumGate(node, context)

    def _noting_registers(self, context: Any, name: str) -> Any:  # noqa: ANN401 - as above
        found = context.symbol_table.get(name).data
        if isinstance(found, ClassicalRegister):
            self.registers[name] = found
        return context


@dataclass(frozen=True, slots=True, kw_only=True)
class _Definition:
    """Makes the gates of one ``gate`` statement.

    The importer's own maker binds arguments in alphabetical order, and copies all that a gate consists of for each
    gate; this one keeps the order of the statement, and writes a gate out only when somebody looks into it.
    """

    name: str
    circuit: QuantumCircuit
    arguments: tuple[str, ...]

    def __call__(self, *values: Any) -> Gate:  # noqa: ANN401 - numbers and expressions
        if len(values) != len(self.arguments):
            raise ConversionError(f"gate takes {len(self.arguments)} parameters, and {len(values)} were given")
        return DefinedGate(self.name, self.circuit, self.arguments, list(values))


class DefinedGate(Gate):  # type: ignore[misc] # Qiskit has no types
    """A gate that a text defines.

    Attributes:
        template: Its definition, with a free parameter for each argument.
    """

    def __init__(self, name: str, template: QuantumCircuit, arguments: tuple[str, ...], values: list[Any]) -> None:
        super().__init__(name, template.num_qubits, values)
        self.template = template
        self._arguments = arguments

    def _define(self) -> None:
        values = dict(zip(self._arguments, self.params, strict=True))
        free = {parameter: values[parameter.name] for parameter in self.template.parameters}
        self._definition = self.template.assign_parameters(free) if free else self.template


def _conversion_error(error: ConversionError) -> QDepotError:
    message = str(error.message)
    match = _CONVERSION_PLACE.match(message)
    line, column, what = (int(match[1]), int(match[2]) + 1, match[3]) if match else (1, 1, message)
    if _UNSUPPORTED.search(what):
        return unsupported_at(what, line=line, column=column, solution=_solution(what))
    return invalid_at(what, line=line, column=column, solution=_solution(what))


def _solution(what: str) -> str:
    if "SwitchStatement" in what or "declarations of type" in what:  # Qiskit writes a switch with an integer before it
        return "Send the circuit as QPY, where `switch` is possible, or write it with bits and `if`."
    if "already" in what:
        return "Choose another name; stdgates.inc defines gates with short ones (x, s, t, p, h, ...)."
    if "is not defined" in what:
        return 'Add include "stdgates.inc"; or define the gate with `gate ... { ... }`.'
    if "must save their result" in what:
        return "Write `c = measure q;` with a register of bits."
    return ""


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
