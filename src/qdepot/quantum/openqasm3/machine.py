"""The state of a program that is being read: its names, its variables, and the circuit so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from openqasm3 import ast
from qiskit.circuit import CircuitInstruction, ClassicalRegister, Clbit, Measure, Parameter, Qubit
from qiskit.circuit.classical import expr

from qdepot.quantum.openqasm3 import bits, functions
from qdepot.quantum.openqasm3.gates import CX_GATE, U_GATE
from qdepot.quantum.openqasm3.program import Program
from qdepot.quantum.openqasm3.refusal import unsupported, wrong
from qdepot.quantum.openqasm3.scope import BitAlias, Qubits, Scopes, Subroutine, Variable
from qdepot.quantum.openqasm3.types import ArrayType, Type
from qdepot.quantum.openqasm3.values import Value, bits_of, cast, from_bits
from qdepot.quantum.precheck import MAX_BITS

MAX_STATEMENTS = 200_000
"""Most statements that are executed while a program is read; each round of a loop counts."""

_MEASURE = Measure()


@dataclass(frozen=True, slots=True)
class LoopState:
    """A loop that is being executed.

    Attributes:
        depth: How many branches and loops on measurements are around it.
        leave: What ``break`` and ``continue`` do where the loop runs in the circuit; None where it is written out.
    """

    depth: int
    leave: Callable[..., None] | None = None


class Machine:
    """What statements act on.

    Attributes:
        program: The circuit so far.
        scopes: What names mean.
        parameters: Inputs, in order.
        outputs: Variables that are declared as outputs, in order.
        loops: Loops around the present statement, outermost first; only those of the present subroutine.
        calls: How many subroutines are being called.
        call_depth: How many branches and loops on measurements were around the innermost call.
        in_gate: Whether the body of a gate is being read.
        span: Where the present statement stands.
    """

    def __init__(
        self,
        run: Callable[[Machine, Sequence[ast.Statement]], None],
        call: Callable[[Machine, Subroutine, Sequence[Any], ast.QASMNode], Any],
        evaluate: Callable[[Machine, ast.Expression], Value],
    ) -> None:
        self.program = Program()
        self.scopes = Scopes({**functions.CONSTANTS, "U": U_GATE, "CX": CX_GATE})
        self.parameters: list[Parameter] = []
        self.outputs: list[Variable] = []
        self.loops: list[LoopState] = []
        self.calls = 0
        self.call_depth = 0
        self.in_gate = False
        self.span: ast.Span | None = None
        self.has_library = False
        self.uses_physical_qubits: bool | None = None
        self.temporaries: list[Clbit] = []
        self.results: list[Variable] = []
        self._run = run
        self._call = call
        self._evaluate = evaluate
        self._statements = 0

    def run(self, statements: Sequence[ast.Statement]) -> None:
        """Execute statements, in the present scope."""
        self._run(self, statements)

    def call(self, subroutine: Subroutine, arguments: Sequence[Any], node: ast.QASMNode) -> Any:  # noqa: ANN401 - as anything
        """Call a subroutine; its result, or None."""
        return self._call(self, subroutine, arguments, node)

    def evaluated(self, node: ast.Expression) -> Value:
        """The scalar that an expression is worth."""
        return self._evaluate(self, node)

    def count_statement(self) -> None:
        """Note that a statement is executed.

        Raises:
            Refusal: They are too many.
        """
        self._statements += 1
        if self._statements > MAX_STATEMENTS:
            raise unsupported(
                f"more than {MAX_STATEMENTS} statements are executed",
                solution="Look for loops without an end, and for long loops.",
            )

    @contextmanager
    def block(self, *, is_body: bool = False) -> Iterator[None]:
        """A scope; the storage of what is declared in it is free afterwards."""
        with self.scopes.block(is_body=is_body) as ended:
            yield
        for variable in ended:
            if variable.clbits is not None and variable.register is None:
                self.program.release(variable.clbits)

    @contextmanager
    def inside_call(self) -> Iterator[None]:
        """While the body of a subroutine is executed."""
        loops, depth = self.loops, self.call_depth
        self.loops, self.call_depth = [], self.program.depth
        self.calls += 1
        try:
            yield
        finally:
            self.calls -= 1
            self.loops, self.call_depth = loops, depth

    # ---- Names ----------------------------------------------------------------------------------------------------

    def find(self, name: str, node: ast.QASMNode | None = None) -> Any:  # noqa: ANN401 - variables, qubits, gates, subroutines
        """What a name means.

        Raises:
            Refusal: It means nothing here.
        """
        if name.startswith("$"):
            return self._physical_qubit(name)
        found = self.scopes.find(name)
        if found is None:
            raise wrong(f"{name!r} is not declared", node)
        return found

    def _physical_qubit(self, name: str) -> Qubits:
        self.use_physical_qubits(physical=True)
        index = int(name[1:])
        if index >= MAX_BITS:
            raise unsupported(f"the qubit {name}, and at most {MAX_BITS} are possible here")
        while len(self.program.qubits) <= index:
            self.program.add_loose_qubit()
        return Qubits((self.program.qubits[index],), is_single=True)

    def use_physical_qubits(self, *, physical: bool) -> None:
        """Note that qubits of the machine, or declared ones, are used.

        Raises:
            Refusal: Both are.
        """
        if self.uses_physical_qubits is None:
            self.uses_physical_qubits = physical
        elif self.uses_physical_qubits is not physical:
            raise unsupported(
                "physical qubits ($0) and declared qubits in one program are not supported",
                solution="Use either of them only.",
            )

    def declare_result(self, variable: Variable) -> None:
        """Let a variable be reported, by a register of classical bits."""
        assert isinstance(variable.type, Type)
        width = variable.type.num_bits
        assert width is not None
        variable.register = self.program.add_register(variable.name, width)
        variable.clbits = list(variable.register)
        self.results.append(variable)

    # ---- Variables ------------------------------------------------------------------------------------------------

    def assign(self, variable: Variable, value: Value) -> None:
        """Assign to a variable that is no array."""
        self._check_assignable(variable)
        assert isinstance(variable.type, Type)
        held = cast(value, variable.type)
        if held.is_known and variable.depth == self.program.depth:
            variable.value = held
            return
        if variable.type.num_bits is None:
            raise unsupported(
                f"the value of {variable.name!r}, a {variable.type}, depends on measurements",
                solution="Only bit, bool, int, uint and angle[n] can; or put the gates into the branches.",
            )
        self.write(BitAlias(tuple((variable, place) for place in range(variable.type.num_bits))), bits_of(held))

    def write(self, target: BitAlias, found: Sequence[bits.Bit]) -> None:
        """Assign to single bits of variables."""
        for variable in {id(variable): variable for variable, _ in target.places}.values():
            self._check_assignable(variable)
        if self._would_overwrite(target, found):
            found = self.settled(tuple(found), copies=True)
        changed: dict[int, tuple[Variable, list[bits.Bit]]] = {}
        for (variable, place), bit in zip(target.places, found, strict=True):
            if id(variable) not in changed:
                changed[id(variable)] = variable, list(self._held(variable))
            if not isinstance(bit, bool) or variable.depth != self.program.depth:
                clbit = self._storage(variable)[place]
                self.program.store(clbit, bit)
                bit = bits.read(clbit)
            changed[id(variable)][1][place] = bit
        for variable, held in changed.values():
            self._hold(variable, held)

    def measure(self, qubits: Sequence[Qubit], target: BitAlias) -> None:
        """Measure qubits into bits of variables."""
        changed: dict[int, tuple[Variable, list[bits.Bit]]] = {}
        for qubit, (variable, place) in zip(qubits, target.places, strict=True):
            self._check_assignable(variable)
            clbit = self._storage(variable)[place]
            self.program.append_measurement(CircuitInstruction(_MEASURE, (qubit,), (clbit,)))
            if id(variable) not in changed:
                changed[id(variable)] = variable, list(self._held(variable))
            changed[id(variable)][1][place] = bits.read(clbit)
        for variable, held in changed.values():
            self._hold(variable, held)

    def measured(self, qubits: Sequence[Qubit]) -> tuple[bits.Bit, ...]:
        """Measure qubits into storage; what was found is to be used in the present statement."""
        clbits = self.program.add_storage(len(qubits))
        self.temporaries.extend(clbits)
        for qubit, clbit in zip(qubits, clbits, strict=True):
            self.program.append_measurement(CircuitInstruction(_MEASURE, (qubit,), (clbit,)))
        return tuple(bits.read(clbit) for clbit in clbits)

    def settled(self, found: bits.Bits, *, copies: bool = False) -> bits.Bits:
        """The same bits, where each that is an expression is stored, and read from there."""
        settled = []
        for bit in found:
            if isinstance(bit, bool) or (isinstance(bit, expr.Var) and not copies):
                settled.append(bit)
                continue
            (clbit,) = self.program.add_storage(1)
            self.temporaries.append(clbit)
            self.program.store(clbit, bit)
            settled.append(bits.read(clbit))
        return tuple(settled)

    def store_everything(self, variable: Variable) -> None:
        """Let a variable be read from its storage alone, since branches or loops are about to change it."""
        if not isinstance(variable.type, Type) or variable.type.num_bits is None or variable.is_constant:
            return
        held = []
        for clbit, bit in zip(self._storage(variable), self._held(variable), strict=True):
            self.program.store(clbit, bit)
            held.append(bits.read(clbit))
        variable.value = Value(variable.type, tuple(held))

    def write_back(self) -> None:
        """Store what is known of the results; to be done at the end of the program."""
        if not self.results:
            self._report_measured_numbers()
        for variable in self.results:
            assert variable.clbits is not None
            for clbit, bit in zip(variable.clbits, self._held(variable), strict=True):
                self.program.store(clbit, bit)

    def _report_measured_numbers(self) -> None:
        """Without a single bit that is declared, what is measured into numbers and angles is the result."""
        for variable in self.scopes.global_variables():
            if variable.clbits is not None:
                variable.register = self.program.name_storage(variable.name, variable.clbits)
                self.results.append(variable)

    def _check_assignable(self, variable: Variable) -> None:
        if variable.is_constant:
            raise wrong(f"{variable.name!r} is a constant and cannot be assigned to")
        if isinstance(variable.type, ArrayType):
            raise wrong(
                f"{variable.name!r} is an array: a value is assigned to its elements", solution="Write `a[0] = ...;`."
            )

    def _storage(self, variable: Variable) -> list[Clbit]:
        if variable.clbits is None:
            assert isinstance(variable.type, Type)
            width = variable.type.num_bits
            if width is None:
                raise unsupported(f"a {variable.type} that depends on measurements")
            variable.clbits = self.program.add_storage(width)
        return variable.clbits

    @staticmethod
    def _held(variable: Variable) -> bits.Bits:
        """Its bits; zeros where nothing was assigned yet."""
        assert isinstance(variable.type, Type)
        if variable.value is None:
            width = variable.type.num_bits
            assert width is not None
            return (False,) * width
        assert isinstance(variable.value, Value)
        return bits_of(variable.value)

    @staticmethod
    def _hold(variable: Variable, held: Sequence[bits.Bit]) -> None:
        assert isinstance(variable.type, Type)
        variable.value = from_bits(variable.type, held)

    @staticmethod
    def _would_overwrite(target: BitAlias, found: Sequence[bits.Bit]) -> bool:
        """Whether a bit that is to be written is read by another that is written later."""
        if len(found) < 2:
            return False
        own: dict[Clbit, int] = {}
        for position, (variable, place) in enumerate(target.places):
            if variable.clbits is not None:
                own[variable.clbits[place]] = position
        for position, bit in enumerate(found):
            if isinstance(bit, bool):
                continue
            if any(own.get(each.var, position) != position for each in expr.iter_vars(bit)):
                return True
        return False

    def result_registers(self) -> dict[str, ClassicalRegister]:
        """Registers that are reported, by name: the outputs where there are any, else all bits that are declared."""
        chosen = self.outputs or self.results
        return {variable.name: variable.register for variable in chosen if variable.register is not None}
