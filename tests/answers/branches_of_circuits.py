"""The judge of Qiskit circuits: `Statevector` on the circuit as it was built, along every sequence of outcomes.

The circuit was never written to a file and read back, and Aer has no part in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import (
    Barrier,
    BoxOp,
    BreakLoopOp,
    ClassicalRegister,
    Clbit,
    ContinueLoopOp,
    Delay,
    ForLoopOp,
    IfElseOp,
    Measure,
    Qubit,
    Reset,
    Store,
    SwitchCaseOp,
    WhileLoopOp,
)
from qiskit.circuit.classical import expr, types
from qiskit.circuit.controlflow import CASE_DEFAULT
from qiskit.circuit.library import Initialize
from qiskit.quantum_info import Operator, Statevector

from answers.panel import Answer

NEGLIGIBLE = 1e-12
MAX_ROUNDS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One sequence of outcomes.

    Attributes:
        state: Its squared norm is the probability.
        bits, variables: As they stand.
        leaving: The instruction that has ended a loop.
    """

    state: Statevector
    bits: Mapping[Clbit, int]
    variables: Mapping[Any, Any]
    leaving: str = ""


def judged(circuit: QuantumCircuit) -> Answer:
    """What a circuit without free parameters answers, exactly."""
    bits = dict.fromkeys(circuit.clbits, 0)
    start = Path(state=Statevector.from_int(0, 2**circuit.num_qubits), bits=bits, variables={})
    qubits = {bit: place for place, bit in enumerate(circuit.qubits)}
    ends = list(_through(circuit, [start], qubits, {bit: bit for bit in circuit.clbits}))
    if not circuit.cregs:
        (end,) = ends
        return Answer(state=list(end.state.data))
    found: dict[str, float] = defaultdict(float)
    for end in ends:
        words = ["".join(str(end.bits[bit]) for bit in reversed(register)) for register in circuit.cregs]
        found[" ".join(reversed(words))] += _weight(end)
    return Answer(probabilities=dict(found), registers=[(each.name, each.size) for each in circuit.cregs])


def _through(
    block: QuantumCircuit, paths: list[Path], qubits: Mapping[Qubit, int], clbits: Mapping[Clbit, Clbit]
) -> Iterator[Path]:
    for instruction in block.data:
        paths = [after for before in paths for after in _step(instruction, before, qubits, clbits)]
    yield from paths


def _step(  # noqa: PLR0911 - one return for each kind
    instruction: Any, path: Path, qubits: Mapping[Qubit, int], clbits: Mapping[Clbit, Clbit]
) -> list[Path]:
    operation = instruction.operation
    places = [qubits[bit] for bit in instruction.qubits]
    bits = [clbits[bit] for bit in instruction.clbits]
    if path.leaving or isinstance(operation, (Barrier, Delay)):
        return [path]
    if isinstance(operation, Measure):
        return [replace(part, bits={**path.bits, bits[0]: outcome}) for outcome, part in _split(path, places[0])]
    if isinstance(operation, Reset):
        return [_flipped(part, places[0]) if outcome else part for outcome, part in _split(path, places[0])]
    if isinstance(operation, Initialize):
        return _initialized(operation, path, places)
    if isinstance(operation, Store):
        return [_stored(operation, path, clbits)]
    if isinstance(operation, (BreakLoopOp, ContinueLoopOp)):
        return [replace(path, leaving=operation.name)]
    if instruction.is_control_flow():
        return _controlled(operation, path, places, bits, clbits)
    if bits or (not hasattr(operation, "to_matrix") and _holds_more_than_gates(operation)):
        inner = dict(zip(operation.definition.qubits, places, strict=True))
        return list(
            _through(operation.definition, [path], inner, dict(zip(operation.definition.clbits, bits, strict=True)))
        )
    return [replace(path, state=path.state.evolve(Operator(operation), places))]


def _holds_more_than_gates(operation: Any) -> bool:
    definition = operation.definition
    return definition is not None and any(
        isinstance(each.operation, (Reset, Initialize)) or each.clbits for each in definition.data
    )


def _initialized(operation: Any, path: Path, places: list[int]) -> list[Path]:
    paths = [path]
    for place in places:
        paths = [
            _flipped(part, place) if outcome else part for before in paths for outcome, part in _split(before, place)
        ]
    wanted = Operator(operation.gates_to_uncompute().inverse())
    return [replace(each, state=each.state.evolve(wanted, places)) for each in paths]


def _controlled(
    operation: Any, path: Path, places: list[int], bits: list[Clbit], clbits: Mapping[Clbit, Clbit]
) -> list[Path]:
    def run(block: QuantumCircuit, paths: list[Path]) -> list[Path]:
        inner = {**clbits, **dict(zip(block.clbits, bits, strict=True))}
        return list(_through(block, paths, dict(zip(block.qubits, places, strict=True)), inner))

    if isinstance(operation, BoxOp):
        return run(operation.body, [path])
    if isinstance(operation, IfElseOp):
        holds = _condition(operation.condition, path, clbits)
        chosen = operation.blocks[:1] if holds else operation.blocks[1:]
        return [after for block in chosen for after in run(block, [path])] if chosen else [path]
    if isinstance(operation, SwitchCaseOp):
        return _switched(operation, path, run, clbits)
    if isinstance(operation, ForLoopOp):
        values, variable, body = operation.params
        blocks = [body if variable is None else body.assign_parameters({variable: value}) for value in values]
        paths = [path]
        for block in blocks:
            paths = [
                after for before in paths for after in ([before] if before.leaving else _round(run(block, [before])))
            ]
        return [replace(each, leaving="") for each in paths]
    assert isinstance(operation, WhileLoopOp)
    return _while(operation, path, run, clbits)


def _switched(operation: SwitchCaseOp, path: Path, run: Any, clbits: Mapping[Clbit, Clbit]) -> list[Path]:
    value = _value(operation.target, path, clbits)
    for labels, block in operation.cases_specifier():
        if CASE_DEFAULT in labels or int(value) in [int(label) for label in labels]:
            return run(block, [path])
    return [path]


def _while(operation: WhileLoopOp, path: Path, run: Any, clbits: Mapping[Clbit, Clbit]) -> list[Path]:
    running, ended = [path], []
    for _ in range(MAX_ROUNDS):
        ended += [each for each in running if not _condition(operation.condition, each, clbits)]
        running = [each for each in running if _condition(operation.condition, each, clbits)]
        running = [after for each in running for after in _round(run(operation.blocks[0], [each]))]
        ended += [replace(each, leaving="") for each in running if each.leaving]
        running = [each for each in running if not each.leaving and _weight(each) > NEGLIGIBLE]
        if not running:
            return ended
    raise ValueError("a loop without an end")


def _round(paths: list[Path]) -> list[Path]:
    return [replace(each, leaving="") if each.leaving == "continue_loop" else each for each in paths]


def _split(path: Path, qubit: int) -> Iterator[tuple[int, Path]]:
    for outcome in (0, 1):
        projector = np.zeros((2, 2))
        projector[outcome, outcome] = 1
        part = replace(path, state=path.state.evolve(Operator(projector), [qubit]))
        if _weight(part) > NEGLIGIBLE:
            yield outcome, part


def _flipped(path: Path, qubit: int) -> Path:
    return replace(path, state=path.state.evolve(Operator([[0, 1], [1, 0]]), [qubit]))


def _weight(path: Path) -> float:
    return float(np.vdot(path.state.data, path.state.data).real)


def _stored(operation: Any, path: Path, clbits: Mapping[Clbit, Clbit]) -> Path:
    target, value = operation.lvalue, _value(operation.rvalue, path, clbits)
    if isinstance(target, expr.Var) and isinstance(target.var, Clbit):
        return replace(path, bits={**path.bits, clbits[target.var]: int(value)})
    if isinstance(target, expr.Var) and isinstance(target.var, ClassicalRegister):
        new = {clbits[bit]: int(value) >> place & 1 for place, bit in enumerate(target.var)}
        return replace(path, bits={**path.bits, **new})
    assert isinstance(target, expr.Var), "only whole variables are assigned here"
    return replace(path, variables={**path.variables, target: value})


def _condition(condition: Any, path: Path, clbits: Mapping[Clbit, Clbit]) -> bool:
    if isinstance(condition, tuple):
        return _value(condition[0], path, clbits) == int(condition[1])
    return bool(_value(condition, path, clbits))


def _value(node: Any, path: Path, clbits: Mapping[Clbit, Clbit]) -> Any:  # noqa: PLR0911 - one for each kind
    if isinstance(node, Clbit):
        return path.bits[clbits[node]]
    if isinstance(node, ClassicalRegister):
        return sum(path.bits[clbits[bit]] << place for place, bit in enumerate(node))
    if isinstance(node, expr.Value):
        return node.value
    if isinstance(node, expr.Var):
        return path.variables[node] if node in path.variables else _value(node.var, path, clbits)
    if isinstance(node, expr.Cast):
        return _fitted(_value(node.operand, path, clbits), node.type)
    if isinstance(node, expr.Unary):
        return _unary(node, _value(node.operand, path, clbits))
    if isinstance(node, expr.Index):
        return bool(int(_value(node.target, path, clbits)) >> int(_value(node.index, path, clbits)) & 1)
    assert isinstance(node, expr.Binary), node
    return _binary(node, _value(node.left, path, clbits), _value(node.right, path, clbits))


def _unary(node: Any, value: Any) -> Any:
    if node.op is expr.Unary.Op.LOGIC_NOT:
        return not value
    return _fitted(~int(value), node.type)


def _binary(node: Any, left: Any, right: Any) -> Any:
    operations = {
        "BIT_AND": lambda: left & right, "BIT_OR": lambda: left | right, "BIT_XOR": lambda: left ^ right,
        "LOGIC_AND": lambda: bool(left) and bool(right), "LOGIC_OR": lambda: bool(left) or bool(right),
        "EQUAL": lambda: left == right, "NOT_EQUAL": lambda: left != right, "LESS": lambda: left < right,
        "LESS_EQUAL": lambda: left <= right, "GREATER": lambda: left > right, "GREATER_EQUAL": lambda: left >= right,
        "SHIFT_LEFT": lambda: left << right, "SHIFT_RIGHT": lambda: left >> right, "ADD": lambda: left + right,
        "SUB": lambda: left - right, "MUL": lambda: left * right,
    }  # fmt: skip
    return _fitted(operations[node.op.name](), node.type)


def _fitted(value: Any, kind: Any) -> Any:
    if isinstance(kind, types.Bool):
        return bool(value)
    if isinstance(kind, types.Uint):
        return int(value) % 2**kind.width
    return value
