"""Branches and loops: decided at once where what they depend on is known, and else part of the circuit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from openqasm3 import ast
from qiskit.circuit import ClassicalRegister

from qdepot.quantum.openqasm3 import bits
from qdepot.quantum.openqasm3.assigned import assigned_names, calls_subroutine, leaves_loop
from qdepot.quantum.openqasm3.expressions import evaluated, loop_values, resolved_type
from qdepot.quantum.openqasm3.machine import LoopState
from qdepot.quantum.openqasm3.operators import binary
from qdepot.quantum.openqasm3.program import Condition, as_condition
from qdepot.quantum.openqasm3.refusal import Refusal, unsupported, wrong
from qdepot.quantum.openqasm3.scope import BitAlias, Variable
from qdepot.quantum.openqasm3.types import Type
from qdepot.quantum.openqasm3.values import Array, Value, integer, truth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qdepot.quantum.openqasm3.machine import Machine

_LARGEST_COMPARED = 1 << 63
"""Qiskit writes no larger number that a register is compared with into a QPY file."""


class LoopLeft(Exception):  # noqa: N818 - it is no error
    """``break`` or ``continue`` in a loop that is written out.

    Attributes:
        again: Whether the next round follows.
    """

    def __init__(self, *, again: bool) -> None:
        super().__init__()
        self.again = again


class ProgramEnded(Exception):  # noqa: N818 - it is no error
    """``end;``."""


class Returned(Exception):  # noqa: N818 - it is no error
    """``return`` from a subroutine.

    Attributes:
        value: What is returned.
    """

    def __init__(self, value: Any) -> None:  # noqa: ANN401 - a scalar, an array or None
        super().__init__()
        self.value = value


def branch(machine: Machine, node: ast.BranchingStatement) -> None:
    """``if (...) { ... } else { ... }``."""
    condition = truth(evaluated(machine, node.condition))
    if isinstance(condition, bool):
        with machine.block():
            machine.run(node.if_block if condition else node.else_block)
        return
    found = _whole_register(machine, node.condition) or as_condition(condition)
    store_assigned(machine, [*node.if_block, *node.else_block])
    _branched(machine, found, node.if_block, node.else_block)


def _branched(machine: Machine, condition: Condition, then: Sequence[Any], otherwise: Sequence[Any]) -> None:
    with machine.program.branch(condition) as made, machine.block():
        machine.run(then)
    if otherwise:
        with machine.program.otherwise(made), machine.block():
            machine.run(otherwise)


def _whole_register(machine: Machine, node: Any) -> tuple[ClassicalRegister, int] | None:  # noqa: ANN401 - a node
    """``c == 3`` for a register that is a result: such a comparison Aer makes at any width."""
    if not (isinstance(node, ast.BinaryExpression) and node.op.name == "==" and isinstance(node.lhs, ast.Identifier)):
        return None
    variable, literal = machine.scopes.find(node.lhs.name), node.rhs
    if not isinstance(variable, Variable) or variable.register is None or not isinstance(literal, ast.IntegerLiteral):
        return None
    assert isinstance(variable.value, Value)
    assert variable.clbits is not None
    for clbit, bit in zip(variable.clbits, variable.value.data, strict=True):
        if isinstance(bit, bool) and (bit or machine.program.is_written(clbit)):
            return None
    if literal.value >= min(_LARGEST_COMPARED, 1 << len(variable.clbits)):
        return None
    return variable.register, literal.value


def store_assigned(machine: Machine, statements: Iterable[Any]) -> None:
    """Let what statements assign to be read from storage, since it is not known whether they run, or how often."""
    for name in sorted(assigned_names(statements)):
        try:
            found = machine.scopes.find(name)
        except Refusal:  # it is hidden here, so that the statements cannot mean it
            continue
        if isinstance(found, Variable):
            machine.store_everything(found)
        elif isinstance(found, BitAlias):
            for variable, _ in found.places:
                machine.store_everything(variable)


def switch(machine: Machine, node: ast.SwitchStatement) -> None:
    """``switch (n) { case 1, 2 { ... } default { ... } }``."""
    target = evaluated(machine, node.target)
    if not target.is_known:
        store_assigned(machine, [*(body for _, body in node.cases), node.default])
    _cases(machine, target, list(node.cases), node.default)


def _cases(machine: Machine, target: Value, cases: list[Any], default: Any) -> None:  # noqa: ANN401 - nodes
    if not cases:
        if default is not None:
            with machine.block():
                machine.run(default.statements)
        return
    (labels, body), rest = cases[0], cases[1:]
    values = [evaluated(machine, label) for label in labels]
    for value in values:
        integer(value)  # others are refused
    matches = bits.any_of([truth(binary("==", target, value, machine.settled)) for value in values])
    if isinstance(matches, bool):
        if matches:
            with machine.block():
                machine.run(body.statements)
        else:
            _cases(machine, target, rest, default)
        return
    with machine.program.branch(as_condition(matches)) as made, machine.block():
        machine.run(body.statements)
    if rest or default is not None:
        with machine.program.otherwise(made):
            _cases(machine, target, rest, default)


def for_loop(machine: Machine, node: ast.ForInLoop) -> None:
    """``for int i in [0:3] { ... }``, written out round by round."""
    wanted = resolved_type(machine, node.type)
    assert isinstance(wanted, Type)
    for value in loop_values(machine, node.set_declaration, wanted):
        machine.count_statement()
        if not _round(machine, node, value, wanted):
            return


def _round(machine: Machine, node: ast.ForInLoop, value: Value, wanted: Type) -> bool:
    """One round; whether the next one follows."""
    name = node.identifier.name
    with machine.block(), _looping(machine, LoopState(machine.program.depth)):
        variable = Variable(name, wanted, None, depth=machine.program.depth)
        machine.scopes.declare(name, variable)
        machine.assign(variable, value)
        try:
            machine.run(node.block)
        except LoopLeft as left:
            return left.again
    return True


def while_loop(machine: Machine, node: ast.WhileLoop) -> None:
    """``while (...) { ... }``: written out as long as its condition is known, then a loop of the circuit."""
    before = None
    while not _leaves_when_measured(machine, node):
        condition = truth(evaluated(machine, node.while_condition))
        if not isinstance(condition, bool):
            break
        if not condition:
            return
        state = _changing(machine, node)
        if state is not None and state == before:
            raise unsupported("the loop never ends: a round of it changes nothing", node)
        before = state
        machine.count_statement()
        with machine.block(), _looping(machine, LoopState(machine.program.depth)):
            try:
                machine.run(node.block)
            except LoopLeft as left:
                if not left.again:
                    return
    _measured_while(machine, node)


def _changing(machine: Machine, node: ast.WhileLoop) -> list[object] | None:
    """What a loop changes, as far as it is known; None where a subroutine may change more."""
    if calls_subroutine(node.block):
        return None
    state: list[object] = []
    for name in sorted(assigned_names(node.block)):
        found = machine.scopes.find(name)
        variables = [each for each, _ in found.places] if isinstance(found, BitAlias) else [found]
        state.extend(_known_part(each.value) for each in variables if isinstance(each, Variable))
    return state


def _known_part(value: object) -> object:
    if isinstance(value, Array):
        return list(value.data.flat)
    if isinstance(value, Value) and not value.is_known:
        return [bit if isinstance(bit, bool) else None for bit in value.data]
    return value


def _leaves_when_measured(machine: Machine, node: ast.WhileLoop) -> bool:
    """Whether the loop has a ``break`` or ``continue`` and its condition is no help to know how often it runs."""
    del machine
    return (
        leaves_loop(node.block) and isinstance(node.while_condition, ast.BooleanLiteral) and node.while_condition.value
    )


def _measured_while(machine: Machine, node: ast.WhileLoop) -> None:
    store_assigned(machine, node.block)
    before = machine.program.events
    condition = truth(evaluated(machine, node.while_condition))
    if machine.program.events != before:
        _computed_while(machine, node, condition)
        return
    with machine.program.loop(as_condition(condition)):
        _loop_body(machine, node.block, machine.program.leave_loop)


def _computed_while(machine: Machine, node: ast.WhileLoop, condition: bits.Bit) -> None:
    """A loop whose condition takes steps to compute: they run before it and at the end of each round."""
    (clbit,) = machine.program.add_storage(1)
    machine.program.store(clbit, condition)

    def again() -> None:
        machine.program.store(clbit, truth(evaluated(machine, node.while_condition)))

    def leave(*, again_wanted: bool) -> None:
        if again_wanted:
            again()
        machine.program.leave_loop(again=again_wanted)

    with machine.program.loop((clbit, True)):
        _loop_body(machine, node.block, lambda *, again: leave(again_wanted=again))
        again()
    machine.program.release([clbit])


def _loop_body(machine: Machine, statements: Sequence[Any], leave: Callable[..., None]) -> None:
    with machine.block(), _looping(machine, LoopState(machine.program.depth, leave)):
        machine.run(statements)


@contextmanager
def _looping(machine: Machine, state: LoopState) -> Iterator[None]:
    machine.loops.append(state)
    try:
        yield
    finally:
        machine.loops.pop()


def leave_loop(machine: Machine, node: ast.BreakStatement | ast.ContinueStatement) -> None:
    """``break;`` and ``continue;``."""
    again = isinstance(node, ast.ContinueStatement)
    word = "continue" if again else "break"
    if not machine.loops:
        raise wrong(f"`{word}` outside of a loop")
    loop = machine.loops[-1]
    if loop.leave is not None:
        loop.leave(again=again)
    elif loop.depth == machine.program.depth:
        raise LoopLeft(again=again)
    else:
        raise unsupported(
            f"`{word}` in a branch on measurements, out of a loop that is written out",
            solution="Put what follows into the branch, or use `while` with a measured condition.",
        )


def end(machine: Machine, node: ast.EndStatement) -> None:
    """``end;``."""
    del node
    if machine.program.depth:
        raise unsupported(
            "`end` in a branch on measurements", solution="Put what follows into the other branch: `if ... else`."
        )
    raise ProgramEnded


def box(machine: Machine, node: ast.Box) -> None:
    """``box { ... }``; its duration has no effect where nothing else takes time."""
    with machine.block():
        machine.run(node.body)


def compound(machine: Machine, node: ast.CompoundStatement) -> None:
    """``{ ... }``."""
    with machine.block():
        machine.run(node.statements)
