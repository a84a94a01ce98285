"""Variables of a circuit, kept in classical registers: Aer has a place for registers and none for variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import (
    ClassicalRegister,
    Clbit,
    ControlFlowOp,
    IfElseOp,
    Store,
    SwitchCaseOp,
    WhileLoopOp,
)
from qiskit.circuit.classical import expr, types

from qdepot.quantum.conditions import WIDEST

_Places = Mapping[Any, Clbit | ClassicalRegister]
"""By variable, the bit (bool) or the register (uint) that holds it."""


def with_variables_in_registers(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit with a register for each variable, after the registers of its own.

    A circuit with variables that have no place in a register (input, floating point, wide), or with stretches, is left
    as it is.
    """
    variables = list(_declared(circuit))
    if (
        not variables
        or circuit.num_input_vars
        or circuit.num_stretches
        or not all(_fits(variable.type) for variable in variables)
    ):
        return circuit
    taken = {register.name for register in circuit.cregs}
    registers = [
        ClassicalRegister(1 if isinstance(variable.type, types.Bool) else variable.type.width, _name(number, taken))
        for number, variable in enumerate(variables)
    ]
    places = {
        variable: register[0] if isinstance(variable.type, types.Bool) else register
        for variable, register in zip(variables, registers, strict=True)
    }
    return _Moving(places, registers).moved(circuit)


def _declared(circuit: QuantumCircuit) -> Iterator[expr.Var]:
    yield from circuit.iter_declared_vars()
    for instruction in circuit.data:
        if instruction.is_control_flow():
            for block in getattr(instruction.operation, "blocks", ()):
                yield from _declared(block)


def _fits(kind: Any) -> bool:  # noqa: ANN401 - Qiskit has no types
    return isinstance(kind, types.Bool) or (isinstance(kind, types.Uint) and kind.width <= WIDEST)


def _name(number: int, taken: set[str]) -> str:
    name = f"variable_{number}"
    while name in taken:
        name += "_"
    return name


class _Moving:
    """Rewrites circuits and bodies."""

    def __init__(self, places: _Places, registers: list[ClassicalRegister]) -> None:
        self._places = places
        self._registers = registers
        self._bits = [bit for register in registers for bit in register]

    def moved(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """A circuit or body with variables in registers."""
        written = circuit.copy_empty_like(vars_mode="drop")
        written.add_register(*self._registers)
        for instruction in circuit.data:
            operation = instruction.operation if not instruction.is_standard_gate() else None
            if isinstance(operation, Store):
                written.store(self._expression(operation.lvalue), self._expression(operation.rvalue))
            elif isinstance(operation, ControlFlowOp) and operation.blocks:
                clbits = [*instruction.clbits, *self._bits]
                written.append(self._control_flow(operation), instruction.qubits, clbits)
            else:
                written.append(instruction)
        return written

    def _control_flow(self, operation: ControlFlowOp) -> ControlFlowOp:
        if isinstance(operation, SwitchCaseOp):
            cases = [(labels, self.moved(block)) for labels, block in operation.cases_specifier()]
            return SwitchCaseOp(self._target(operation.target), cases, label=operation.label)
        blocks = [self.moved(block) for block in operation.blocks]
        if isinstance(operation, IfElseOp):
            return IfElseOp(self._condition(operation.condition), *blocks, label=operation.label)
        if isinstance(operation, WhileLoopOp):
            return WhileLoopOp(self._condition(operation.condition), *blocks, label=operation.label)
        return operation.replace_blocks(blocks)

    def _condition(self, condition: Any) -> Any:  # noqa: ANN401 - an expression, or a pair
        return self._expression(condition) if isinstance(condition, expr.Expr) else condition

    def _target(self, target: Any) -> Any:  # noqa: ANN401 - an expression, a bit or a register
        return self._expression(target) if isinstance(target, expr.Expr) else target

    def _expression(self, node: Any) -> Any:  # noqa: ANN401 - of every kind
        if isinstance(node, expr.Var):
            return expr.lift(self._places[node]) if node in self._places else node
        if isinstance(node, expr.Cast):
            return expr.Cast(self._expression(node.operand), node.type, implicit=node.implicit)
        if isinstance(node, expr.Unary):
            return expr.Unary(node.op, self._expression(node.operand), node.type)
        if isinstance(node, expr.Binary):
            return expr.Binary(node.op, self._expression(node.left), self._expression(node.right), node.type)
        if isinstance(node, expr.Index):
            return expr.Index(self._expression(node.target), self._expression(node.index), node.type)
        return node
