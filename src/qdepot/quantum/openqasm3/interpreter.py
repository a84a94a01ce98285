"""Executes the statements of a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from openqasm3 import ast

from qdepot.quantum.openqasm3 import classical, control_flow, quantum, subroutines
from qdepot.quantum.openqasm3.control_flow import ProgramEnded, Returned
from qdepot.quantum.openqasm3.expressions import anything, evaluated
from qdepot.quantum.openqasm3.machine import Machine
from qdepot.quantum.openqasm3.refusal import unsupported, wrong


def execute(machine: Machine, tree: ast.Program) -> Machine:
    """Execute a program on a machine that is new."""
    with suppress(ProgramEnded):
        machine.run(tree.statements)
    machine.write_back()
    return machine


def new_machine() -> Machine:
    """A machine without a program."""
    return Machine(_run, subroutines.call, evaluated)


def _run(machine: Machine, statements: Sequence[ast.Statement]) -> None:
    for node in statements:
        handler = _STATEMENTS.get(type(node))
        if handler is None:
            machine.span = node.span or machine.span
            raise unsupported(f"{_name(node)} is not supported here", node)
        if machine.in_gate and type(node) not in _IN_GATES:
            raise wrong(f"{_name(node)} in the body of a gate", node, solution="Gates consist of gates alone.")
        _one(machine, node, handler)


def _one(machine: Machine, node: Any, handler: Callable[[Machine, Any], None]) -> None:  # noqa: ANN401 - a statement
    machine.count_statement()
    span = machine.span
    if node.span is not None:
        machine.span = node.span
    outer, machine.temporaries = machine.temporaries, []
    try:
        handler(machine, node)
    except (OverflowError, ValueError, ZeroDivisionError) as error:
        raise wrong("the arithmetic has no finite result") from error
    except Returned:
        outer.extend(machine.temporaries)  # what is returned may be read from them
        machine.temporaries = []
        raise
    finally:
        if machine.temporaries:
            machine.program.release(machine.temporaries)
        machine.temporaries = outer
    machine.span = span


def _expression(machine: Machine, node: ast.ExpressionStatement) -> None:
    anything(machine, node.expression)


def _nothing(machine: Machine, node: Any) -> None:  # noqa: ANN401 - a statement
    del machine, node


def _pragma(machine: Machine, node: ast.Pragma) -> None:
    del machine
    raise unsupported(f"the pragma {node.command[:60]!r}: it may change what the program means", node)


def _pulses(machine: Machine, node: Any) -> None:  # noqa: ANN401 - a statement
    del machine
    raise unsupported(f"{_name(node)}: pulses are not supported", node, solution="Leave calibrations out.")


def _name(node: Any) -> str:  # noqa: ANN401 - a statement
    return _NAMES.get(type(node), type(node).__name__)


_NAMES: dict[type, str] = {
    ast.CalibrationStatement: "`cal`",
    ast.CalibrationDefinition: "`defcal`",
    ast.CalibrationGrammarDeclaration: "`defcalgrammar`",
    ast.ClassicalDeclaration: "a declaration",
    ast.ClassicalAssignment: "an assignment",
    ast.QuantumMeasurementStatement: "a measurement",
    ast.QuantumReset: "a reset",
    ast.QubitDeclaration: "a declaration of qubits",
    ast.SubroutineDefinition: "a subroutine",
    ast.QuantumGateDefinition: "a definition of a gate",
    ast.DelayInstruction: "a delay",
    ast.ReturnStatement: "`return`",
    ast.EndStatement: "`end`",
    ast.Include: "`include`",
}
_STATEMENTS: dict[type, Callable[[Machine, Any], None]] = {
    ast.QuantumGate: quantum.gate_call,
    ast.QuantumMeasurementStatement: quantum.measurement,
    ast.QuantumPhase: quantum.global_phase,
    ast.QuantumReset: quantum.reset,
    ast.QuantumBarrier: quantum.barrier,
    ast.DelayInstruction: quantum.delay,
    ast.QuantumGateDefinition: quantum.gate_definition,
    ast.QubitDeclaration: classical.qubit_declaration,
    ast.ClassicalDeclaration: classical.declaration,
    ast.ConstantDeclaration: classical.constant,
    ast.IODeclaration: classical.input_or_output,
    ast.ClassicalAssignment: classical.assignment,
    ast.AliasStatement: classical.alias,
    ast.SubroutineDefinition: classical.subroutine,
    ast.ExternDeclaration: classical.extern,
    ast.Include: classical.include,
    ast.BranchingStatement: control_flow.branch,
    ast.SwitchStatement: control_flow.switch,
    ast.ForInLoop: control_flow.for_loop,
    ast.WhileLoop: control_flow.while_loop,
    ast.BreakStatement: control_flow.leave_loop,
    ast.ContinueStatement: control_flow.leave_loop,
    ast.EndStatement: control_flow.end,
    ast.Box: control_flow.box,
    ast.CompoundStatement: control_flow.compound,
    ast.ReturnStatement: subroutines.return_,
    ast.ExpressionStatement: _expression,
    ast.CalibrationGrammarDeclaration: _nothing,
    ast.CalibrationStatement: _pulses,
    ast.CalibrationDefinition: _pulses,
    ast.Pragma: _pragma,
}
_IN_GATES = frozenset(
    [
        ast.QuantumGate,
        ast.QuantumPhase,
        ast.QuantumBarrier,
        ast.BranchingStatement,
        ast.SwitchStatement,
        ast.ForInLoop,
        ast.WhileLoop,
        ast.BreakStatement,
        ast.ContinueStatement,
        ast.CompoundStatement,
        ast.ConstantDeclaration,
        ast.Box,
    ]
)
