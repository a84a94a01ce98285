"""The circuit that a program builds: bits, steps, and control flow that is settled while the circuit runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from qiskit import QuantumCircuit
from qiskit.circuit import (
    Barrier,
    BreakLoopOp,
    CircuitInstruction,
    ClassicalRegister,
    Clbit,
    ContinueLoopOp,
    IfElseOp,
    QuantumRegister,
    Qubit,
    Store,
    WhileLoopOp,
)
from qiskit.circuit.classical import expr

from qdepot.quantum.openqasm3 import bits
from qdepot.quantum.openqasm3.refusal import unsupported
from qdepot.quantum.precheck import MAX_BITS

MAX_GATES = 1_000_000
"""Most gates that a program may stand for, once loops, subroutines and defined gates are written out."""

MAX_CONTROL_FLOW_DEPTH = 64
"""Deepest nesting of branches and loops that are settled while the circuit runs."""

Condition: TypeAlias = Any
"""An expression, a register and its number, or a classical bit and its value (Qiskit has no types)."""


def as_condition(bit: bits.Bit) -> Condition:
    """A bit as Qiskit's control flow takes it: a single classical bit as such, else an expression."""
    if isinstance(bit, expr.Var):
        return bit.var, True
    if isinstance(bit, expr.Unary) and isinstance(bit.operand, expr.Var):
        return bit.operand.var, False
    return expr.lift(bit)


@dataclass(slots=True)
class Block:
    """Steps in a row.

    Attributes:
        steps: Instructions, branches and loops.
        phase: Global phase; counts at the top level alone.
        needs_all_qubits: It writes to classical bits without measuring, or leaves a loop. Aer would move such steps out
            of a body that has no qubits in common with what stands around it.
    """

    steps: list[CircuitInstruction | Branch | Loop] = field(default_factory=list)
    phase: Any = 0.0
    needs_all_qubits: bool = False


@dataclass(slots=True)
class Branch:
    """Steps that run where a condition holds, and others where it does not."""

    condition: Condition
    then: Block
    otherwise: Block


@dataclass(slots=True)
class Loop:
    """Steps that run as long as a condition holds."""

    condition: Condition
    body: Block


class Program:
    """Collects what a program does, and makes a circuit of it.

    Attributes:
        qubits, clbits: All that were added.
        results: Registers that are reported, by their names in the program, in order.
        depth: How many branches and loops, settled while the circuit runs, are around the present step.
        events: How many steps were added.
        effects: How many of them did more than store what was computed.
    """

    def __init__(self) -> None:
        self.qubits: list[Qubit] = []
        self.clbits: list[Clbit] = []
        self.results: dict[str, ClassicalRegister] = {}
        self.depth = 0
        self.events = 0
        self.effects = 0
        self._registers: list[QuantumRegister | ClassicalRegister] = []
        self._blocks = [Block()]
        self._written: set[Clbit] = set()
        self._free: list[Clbit] = []
        self._gates = 0

    def add_qubits(self, name: str, size: int) -> list[Qubit]:
        """A register of qubits."""
        self._check_bits(len(self.qubits) + size, "qubits")
        register = QuantumRegister(size, name)
        self._registers.append(register)
        self.qubits.extend(register)
        return list(register)

    def add_loose_qubit(self) -> Qubit:
        """A qubit without a register."""
        self._check_bits(len(self.qubits) + 1, "qubits")
        self.qubits.append(Qubit())
        return self.qubits[-1]

    def add_register(self, name: str, size: int) -> ClassicalRegister:
        """A register of classical bits that hold 0."""
        self._check_bits(len(self.clbits) + size, "classical bits")
        register = ClassicalRegister(size, name)
        self._registers.append(register)
        self.clbits.extend(register)
        return register

    def add_storage(self, count: int) -> list[Clbit]:
        """Classical bits that belong to no register and are not reported. They may hold anything."""
        missing = count - len(self._free)
        if missing > 0:
            self._check_bits(len(self.clbits) + missing, "classical bits")
            added = [Clbit() for _ in range(missing)]
            self.clbits.extend(added)
            self._free.extend(added)
        taken = self._free[:count]
        del self._free[:count]
        return taken

    def name_storage(self, name: str, clbits: list[Clbit]) -> ClassicalRegister:
        """A register of classical bits that are storage so far."""
        register = ClassicalRegister(name=name, bits=clbits)
        self._registers.append(register)
        return register

    def release(self, clbits: Iterable[Clbit]) -> None:
        """Storage that is no longer needed."""
        self._free.extend(clbits)

    def append(self, instruction: CircuitInstruction) -> None:
        """Add a step."""
        self.events += 1
        self.effects += not isinstance(instruction, CircuitInstruction) or instruction.name != "store"
        self._blocks[-1].steps.append(instruction)

    def append_measurement(self, instruction: CircuitInstruction) -> None:
        """Add a step that writes to classical bits."""
        self._written.update(instruction.clbits)
        self.append(instruction)

    def count_gates(self, gates: int) -> None:
        """Note that gates were added.

        Raises:
            Refusal: They are too many.
        """
        self._gates += gates
        if self._gates > MAX_GATES:
            raise unsupported(
                f"more than {MAX_GATES} gates, once loops and defined gates are written out",
                solution="Look for long loops, and for gates that are defined by gates, again and again.",
            )

    @property
    def num_gates(self) -> int:
        """How many gates were counted."""
        return self._gates

    def add_phase(self, phase: Any) -> None:  # noqa: ANN401 - a number or an expression of parameters
        """Add to the global phase."""
        self._blocks[-1].phase += phase

    def store(self, clbit: Clbit, bit: bits.Bit) -> None:
        """Write a bit; nothing where it holds that already."""
        if isinstance(bit, expr.Var) and bit.var == clbit:
            return
        if bit is False and clbit not in self._written and not self.depth:
            return
        self._written.add(clbit)
        self.append(CircuitInstruction(Store(expr.lift(clbit), expr.lift(bit)), (), ()))
        self._blocks[-1].needs_all_qubits = True

    def is_written(self, clbit: Clbit) -> bool:
        """Whether anything may have been written to a classical bit."""
        return clbit in self._written

    @contextmanager
    def branch(self, condition: Condition) -> Iterator[Branch]:
        """A branch; what is added within goes to its first block. See :meth:`otherwise`."""
        branch = Branch(condition, Block(), Block())
        self._enter(branch.then)
        yield branch
        self._leave()
        self.append(branch)

    @contextmanager
    def otherwise(self, branch: Branch) -> Iterator[None]:
        """The second block of a branch that was left."""
        self._enter(branch.otherwise)
        yield
        self._leave()
        self._blocks[-1].needs_all_qubits |= branch.otherwise.needs_all_qubits

    @contextmanager
    def loop(self, condition: Condition) -> Iterator[None]:
        """A loop; what is added within is its body."""
        loop = Loop(condition, Block())
        self._enter(loop.body)
        yield
        self._leave()
        self.append(loop)

    def leave_loop(self, *, again: bool) -> None:
        """``continue`` where it goes on with the next round, else ``break``."""
        self._blocks[-1].needs_all_qubits = True
        kind = ContinueLoopOp if again else BreakLoopOp
        self.append(CircuitInstruction(kind(0, 0), (), ()))

    def circuit(self) -> QuantumCircuit:
        """All of it as a circuit."""
        (block,) = self._blocks
        circuit = QuantumCircuit(global_phase=block.phase)
        in_registers: set[Qubit | Clbit] = set()
        for register in self._registers:
            in_registers.update(register)
        starts = {register[0]: register for register in self._registers if len(register)}
        for bit in [*self.qubits, *self.clbits]:
            if bit in starts:
                circuit.add_register(starts[bit])
            elif bit not in in_registers:
                circuit.add_bits([bit])
        for register in self._registers:
            if not len(register):
                circuit.add_register(register)
        _Writer(self.qubits, self.clbits).fill(circuit, block)
        return circuit

    def _enter(self, block: Block) -> None:
        if self.depth >= MAX_CONTROL_FLOW_DEPTH:
            raise unsupported(f"branches on measurements that are nested more than {MAX_CONTROL_FLOW_DEPTH} deep")
        self.depth += 1
        self._blocks.append(block)

    def _leave(self) -> None:
        block = self._blocks.pop()
        self.depth -= 1
        self._blocks[-1].needs_all_qubits |= block.needs_all_qubits

    @staticmethod
    def _check_bits(count: int, what: str) -> None:
        if count > MAX_BITS:
            raise unsupported(
                f"{count} {what}, and at most {MAX_BITS} are possible here",
                solution="Declare only what the program uses.",
            )


class _Writer:
    """Puts blocks into circuits."""

    def __init__(self, qubits: Sequence[Qubit], clbits: Sequence[Clbit]) -> None:
        self._qubits = qubits
        self._qubit_places = {bit: place for place, bit in enumerate(qubits)}
        self._clbit_places = {bit: place for place, bit in enumerate(clbits)}

    def fill(self, circuit: QuantumCircuit, block: Block) -> None:
        """Append the steps of a block."""
        for step in block.steps:
            if isinstance(step, Branch):
                circuit._append(self._branch(step))  # noqa: SLF001 - bits are known to be those of the circuit
            elif isinstance(step, Loop):
                circuit._append(self._loop(step))  # noqa: SLF001 - as above
            elif isinstance(step.operation, (BreakLoopOp, ContinueLoopOp)):
                operation = type(step.operation)(circuit.num_qubits, circuit.num_clbits)
                circuit._append(CircuitInstruction(operation, circuit.qubits, circuit.clbits))  # noqa: SLF001 - as above
            else:
                circuit._append(step)  # noqa: SLF001 - as above

    def _branch(self, branch: Branch) -> CircuitInstruction:
        qubits, clbits = self._used([branch.then, branch.otherwise], branch.condition)
        then = self._body(branch.then, qubits, clbits, branch.condition)
        otherwise = None
        if branch.otherwise.steps:
            otherwise = self._body(branch.otherwise, qubits, clbits, branch.condition)
        return CircuitInstruction(IfElseOp(branch.condition, then, otherwise), qubits, clbits)

    def _loop(self, loop: Loop) -> CircuitInstruction:
        qubits, clbits = self._used([loop.body], loop.condition)
        body = self._body(loop.body, qubits, clbits, loop.condition)
        return CircuitInstruction(WhileLoopOp(loop.condition, body), qubits, clbits)

    def _body(
        self, block: Block, qubits: Sequence[Qubit], clbits: Sequence[Clbit], condition: Condition
    ) -> QuantumCircuit:
        body = QuantumCircuit(list(qubits), list(clbits), global_phase=block.phase)
        for register in (*_register_of(condition), *_registers_in(block)):
            if register not in body.cregs:
                body.add_register(register)
        if block.needs_all_qubits:
            body._append(CircuitInstruction(Barrier(len(qubits)), qubits, ()))  # noqa: SLF001 - as above
        self.fill(body, block)
        return body

    def _used(self, blocks: Sequence[Block], condition: Condition) -> tuple[list[Qubit], list[Clbit]]:
        qubits: set[Qubit] = set()
        clbits = set(_clbits_of(condition))
        for block in blocks:
            _collect(block, qubits, clbits)
        everywhere = any(block.needs_all_qubits for block in blocks)
        return (
            list(self._qubits) if everywhere else sorted(qubits, key=self._qubit_places.__getitem__),
            sorted(clbits, key=self._clbit_places.__getitem__),
        )


def _collect(block: Block, qubits: set[Qubit], clbits: set[Clbit]) -> None:
    for step in block.steps:
        if isinstance(step, Branch):
            clbits.update(_clbits_of(step.condition))
            _collect(step.then, qubits, clbits)
            _collect(step.otherwise, qubits, clbits)
        elif isinstance(step, Loop):
            clbits.update(_clbits_of(step.condition))
            _collect(step.body, qubits, clbits)
        else:
            qubits.update(step.qubits)
            clbits.update(step.clbits)
            if isinstance(step.operation, Store):
                clbits.update(_clbits_of(step.operation.lvalue), _clbits_of(step.operation.rvalue))


def _registers_in(block: Block) -> Iterator[ClassicalRegister]:
    """Registers that conditions within a block compare as a whole."""
    for step in block.steps:
        if isinstance(step, Branch):
            yield from _register_of(step.condition)
            yield from _registers_in(step.then)
            yield from _registers_in(step.otherwise)
        elif isinstance(step, Loop):
            yield from _register_of(step.condition)
            yield from _registers_in(step.body)


def _register_of(condition: Condition) -> Iterator[ClassicalRegister]:
    if isinstance(condition, tuple) and isinstance(condition[0], ClassicalRegister):
        yield condition[0]


def _clbits_of(condition: Condition) -> Iterator[Clbit]:
    if isinstance(condition, tuple):
        target = condition[0]
        yield from target if isinstance(target, ClassicalRegister) else (target,)
        return
    for variable in expr.iter_vars(condition):
        yield variable.var
