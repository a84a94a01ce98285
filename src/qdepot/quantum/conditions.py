"""Which run-time expressions, variables and control flow the simulator evaluates right.

Aer 0.18 knows bits and registers, constants, casts, comparisons, and bitwise and logical operations. It cuts
integers off at 32 bits, casts some integers other than 0 to false, and has no place for variables. Tests compare
everything that is let through here with an evaluation of their own.
"""

from __future__ import annotations

from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Clbit, ForLoopOp, IfElseOp, Store, SwitchCaseOp, WhileLoopOp
from qiskit.circuit.classical import expr, types

from qdepot.errors import UnsupportedProgramError

WIDEST = 32
"""Bits of the widest integer in an expression; a condition ``register == constant`` may be of any width."""

_WIDEST_SWITCH = 63

_Op = expr.Binary.Op
_OPERATORS = frozenset(
    {_Op.BIT_AND, _Op.BIT_OR, _Op.BIT_XOR, _Op.LOGIC_AND, _Op.LOGIC_OR, _Op.EQUAL, _Op.NOT_EQUAL}
    | {_Op.LESS, _Op.LESS_EQUAL, _Op.GREATER, _Op.GREATER_EQUAL}
    | {expr.Unary.Op.BIT_NOT, expr.Unary.Op.LOGIC_NOT}
)
_SOLUTION = (
    "Conditions may compare classical bits and registers of up to 32 bits with each other and with constants, and "
    "combine them with bitwise and logical operators."
)


def check_variables(circuit: QuantumCircuit) -> None:
    """Check that a circuit, or the body of an instruction, has no variables left that are not in registers.

    Raises:
        UnsupportedProgramError: It does.
    """
    if not circuit.num_vars:
        return
    variable = next(iter(circuit.iter_vars()))
    kind = "an input variable" if circuit.num_input_vars else "a variable"
    raise UnsupportedProgramError(
        f"the circuit has {kind}, {variable.name!r} of type {variable.type}, which cannot be run here",
        solution=f"Declared variables of the types bool and uint of up to {WIDEST} bits can be run, without stretches.",
        details={"variable": variable.name},
    )


def check_control_flow(operation: Any) -> None:  # noqa: ANN401 - Qiskit has no types
    """Check what decides at run time which way an instruction takes. Its bodies are not looked at.

    Raises:
        UnsupportedProgramError: Something in it is not evaluated right.
    """
    if isinstance(operation, (IfElseOp, WhileLoopOp)):
        if isinstance(operation.condition, expr.Expr):
            _check(operation.condition, of=operation.name)
    elif isinstance(operation, SwitchCaseOp):
        _check_switch(operation.target)
    elif isinstance(operation, ForLoopOp) and isinstance(operation.params[0], expr.Expr):
        raise _refused("a range that is known only at run time", of=operation.name)


def check_store(operation: Store) -> None:
    """Check an instruction that writes the value of an expression to bits or a register. Raises as above."""
    _check(operation.lvalue, of="store")
    _check(operation.rvalue, of="store")


def _check_switch(target: Any) -> None:  # noqa: ANN401 - Qiskit has no types
    place = target.var if isinstance(target, expr.Var) else target
    if isinstance(target, expr.Expr) and not isinstance(target, expr.Var):
        raise _refused("a switch on an expression", of="switch", solution="Write it as a chain of `if`.")
    if isinstance(target, expr.Var) and target.standalone:
        raise _refused(f"the variable {target.name!r}", of="switch")
    if not isinstance(place, Clbit) and len(place) > _WIDEST_SWITCH:
        raise _refused(f"a register of {len(place)} bits", of="switch")


def _check(node: expr.Expr, *, of: str) -> None:
    if isinstance(node, expr.Var):
        if node.standalone:
            raise _refused(f"the variable {node.name!r}", of=of)
    elif isinstance(node, expr.Cast):
        if isinstance(node.type, types.Bool) and not isinstance(node.operand.type, types.Bool):
            raise _refused("a cast of an integer to bool", of=of, solution="Compare the integer with 0.")
        _check(node.operand, of=of)
    elif isinstance(node, expr.Unary):
        _check_operator(node.op, of=of)
        _check(node.operand, of=of)
    elif isinstance(node, expr.Binary):
        _check_operator(node.op, of=of)
        _check(node.left, of=of)
        _check(node.right, of=of)
    elif isinstance(node, expr.Index):
        raise _refused("an index into a value", of=of, solution="Name the bit of the register itself.")
    elif not isinstance(node, expr.Value):
        raise _refused(f"an expression of the kind {type(node).__name__}", of=of)
    _check_type(node, of=of)


def _check_operator(operator: Any, *, of: str) -> None:  # noqa: ANN401 - one of two kinds
    if operator not in _OPERATORS:
        raise _refused(f"the operator {operator.name.lower()}", of=of)


def _check_type(node: expr.Expr, *, of: str) -> None:
    if isinstance(node.type, types.Bool):
        return
    if not isinstance(node.type, types.Uint):
        raise _refused(f"a value of type {node.type}", of=of)
    if node.type.width > WIDEST:
        raise _refused(
            f"an integer of {node.type.width} bits",
            of=of,
            solution=f"Compare a register of more than {WIDEST} bits with a constant alone "
            "(`if_test((register, value))`, `if (c == value)`), or split it.",
        )


def _refused(what: str, *, of: str, solution: str = _SOLUTION) -> UnsupportedProgramError:
    return UnsupportedProgramError(
        f"{what} in the expression of `{of}` cannot be evaluated while a circuit runs here",
        solution=solution,
        details={"instruction": of},
    )
