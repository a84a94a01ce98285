"""Circuits as Qiskit's users build and send them: all that a QPY file can hold."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import (
    AncillaRegister,
    AnnotatedOperation,
    ControlModifier,
    InverseModifier,
    Parameter,
    PowerModifier,
)
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import DiagonalGate, PauliEvolutionGate, PauliGate, PermutationGate, UnitaryGate
from qiskit.circuit.library.standard_gates import get_standard_gate_name_mapping
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import SparsePauliOp, random_unitary

from answers.examining import Program
from answers.pen import Pen
from support.circuits import written

FEATURES = (
    "parameters", "custom gates", "annotated", "matrices", "layout", "global phase", "delays", "boxes", "if", "loops",
    "switch", "expressions", "variables", "mid-circuit", "reset", "ancillas", "odd names", "initialize",
    "random circuit", "instructions", "evolution",
)  # fmt: skip
FLIPS = ("x", "cx", "ccx", "swap", "cswap", "id")
STANDARD = {
    name: gate
    for name, gate in sorted(get_standard_gate_name_mapping().items())
    if 1 <= gate.num_qubits <= 3 and name not in {"measure", "reset", "delay"}
}
ODD_NAMES = ["c_\\alpha", "größe", "a b", "a/b", "..", "C", "if", "0c", "x" * 60, "c.d"]
OWN_NAMES = ["mine", "ecr", "h", "my gate", "rzz", "unitary", "kraus", "x", "swap", "mcx_gray"]
OWN_NAMES += ["initialize", "if_else", "save_state"]


@dataclass(slots=True)
class Builder:
    """Builds one circuit."""

    pen: Pen
    features: set[str] = field(default_factory=set)
    parameters: list[Parameter] = field(default_factory=list)
    values: dict[str, float] = field(default_factory=dict)
    variables: list[Any] = field(default_factory=list)
    only_flips: bool = False
    measures: bool = True

    def program(self) -> Program:
        """The circuit as it is sent, and as it is judged."""
        pen = self.pen
        self.features = set(pen.some(FEATURES, pen.number(0, 4)))
        self.measures = pen.chance(75)
        self.only_flips = self.measures and pen.chance(30)
        circuit = self._registers()
        if "parameters" in self.features:
            self.parameters = [Parameter(name) for name in ("a", "θ", "b[0]")[: pen.number(1, 3)]]
        if "random circuit" in self.features:
            self._random(circuit)
        for _ in range(pen.number(0, 8)):
            self.step(circuit, depth=0)
        if "global phase" in self.features:
            circuit.global_phase = self.angle()
        if self.measures:
            self._measurements(circuit)
        if "layout" in self.features and not circuit.has_control_flow_op():
            circuit = self._laid_out(circuit)
        return self._program(circuit)

    def _program(self, circuit: QuantumCircuit) -> Program:
        values = {each.name: self.pen.one([0.3, -1.1, 2.5, 0.0]) for each in circuit.parameters}
        bound = circuit.assign_parameters(values) if values else circuit
        return Program(
            language="qpy",
            source=written(circuit, "qpy"),
            judges=(),
            num_qubits=None if self.measures else circuit.num_qubits,
            circuit=bound,
            parameter_values=values or None,
        )

    def _registers(self) -> QuantumCircuit:
        pen = self.pen
        registers: list[Any] = [QuantumRegister(pen.number(1, 3), "q")]
        if pen.chance(40):
            registers.append(QuantumRegister(pen.number(1, 2), "r"))
        if "ancillas" in self.features:
            registers.append(AncillaRegister(1, "anc"))
        if self.measures:
            for name in ("c", "d", "e")[: pen.number(1, 3)]:
                odd = "odd names" in self.features and pen.chance(60)
                registers.append(ClassicalRegister(pen.number(1, 3), pen.fresh(ODD_NAMES) if odd else name))
        return QuantumCircuit(*pen.some(registers, len(registers)))

    def step(self, circuit: QuantumCircuit, *, depth: int) -> None:
        """Add one instruction."""
        kinds = ["standard"] * 5
        for feature, kind, needs_bits in (
            ("custom gates", "custom", False), ("annotated", "annotated", False), ("matrices", "matrix", False),
            ("delays", "idle", False), ("boxes", "box", False), ("if", "if", True), ("loops", "for", True),
            ("switch", "switch", True), ("expressions", "expression_if", True), ("variables", "variable", True),
            ("mid-circuit", "measure", True), ("reset", "reset", True), ("initialize", "initialize", True),
            ("instructions", "instruction", True), ("evolution", "evolution", False), ("loops", "while", True),
        ):  # fmt: skip
            kinds += [kind] * 2 * (feature in self.features and (self.measures or not needs_bits))
        kind = self.pen.one(kinds) if depth < 2 else "standard"
        getattr(self, f"_{kind}")(circuit, depth)

    def _body(self, circuit: QuantumCircuit, depth: int) -> None:
        for _ in range(self.pen.number(1, 2)):
            self.step(circuit, depth=depth + 1)

    # ---- Gates ------------------------------------------------------------------------------------------------------

    def _standard(self, circuit: QuantumCircuit, depth: int) -> None:
        del depth
        gate = self.gate(circuit.num_qubits)
        circuit.append(gate, self.pen.some(circuit.qubits, gate.num_qubits))

    def gate(self, width: int) -> Any:
        """A standard gate on at most so many qubits."""
        names = [name for name in (FLIPS if self.only_flips else STANDARD) if STANDARD[name].num_qubits <= width]
        gate = STANDARD[self.pen.one(names)].to_mutable()
        gate.params = [self.angle() for _ in gate.params]
        return gate

    def _custom(self, circuit: QuantumCircuit, depth: int) -> None:
        del depth
        width = self.pen.number(1, min(3, circuit.num_qubits))
        inside = QuantumCircuit(width, name=self.pen.one(OWN_NAMES))
        for _ in range(self.pen.number(1, 3)):
            gate = self.gate(width)
            inside.append(gate, self.pen.some(inside.qubits, gate.num_qubits))
        if self.pen.chance(30) and not self.only_flips:
            inside.global_phase = 0.7
        gate = inside.to_gate()
        if width < circuit.num_qubits and self.pen.chance(40):
            gate = gate.control(1)
        circuit.append(gate, self.pen.some(circuit.qubits, gate.num_qubits))

    def _annotated(self, circuit: QuantumCircuit, depth: int) -> None:
        del depth
        base = self.gate(max(1, circuit.num_qubits - 1))
        if any(hasattr(value, "parameters") for value in base.params):
            return
        modifiers: list[Any] = [self.pen.one([InverseModifier(), PowerModifier(2), PowerModifier(-1)])]
        if base.num_qubits < circuit.num_qubits and self.pen.chance(60):
            modifiers.append(ControlModifier(1, ctrl_state=self.pen.number(0, 1)))
        gate = AnnotatedOperation(base, modifiers)
        circuit.append(gate, self.pen.some(circuit.qubits, gate.num_qubits))

    def _matrix(self, circuit: QuantumCircuit, depth: int) -> None:
        del depth
        pen, width = self.pen, self.pen.number(1, min(3, circuit.num_qubits))
        qubits = pen.some(circuit.qubits, width)
        if self.only_flips or pen.chance(30):
            circuit.append(PermutationGate(pen.some(range(width), width)), qubits)
        elif pen.chance(50):
            circuit.append(UnitaryGate(random_unitary(2**width, seed=pen.number(0, 99))), qubits)
        elif pen.chance(50):
            circuit.append(DiagonalGate([np.exp(0.3j * place**2) for place in range(2**width)]), qubits)
        else:
            circuit.append(PauliGate("".join(pen.one("XYZI") for _ in range(width))), qubits)

    def _evolution(self, circuit: QuantumCircuit, depth: int) -> None:
        if self.only_flips:
            return self._standard(circuit, depth)
        width = self.pen.number(1, min(2, circuit.num_qubits))
        label = "".join(self.pen.one("XYZ") for _ in range(width))
        gate = PauliEvolutionGate(SparsePauliOp([label], [0.4]), time=self.angle())
        circuit.append(gate, self.pen.some(circuit.qubits, width))
        return None

    def _idle(self, circuit: QuantumCircuit, depth: int) -> None:
        del depth
        if self.pen.chance(50):
            circuit.barrier(*self.pen.some(circuit.qubits, 1))
        else:
            circuit.delay(self.pen.one([0, 16, 320]), self.pen.one(circuit.qubits), unit="dt")

    def _random(self, circuit: QuantumCircuit) -> None:
        if self.only_flips:
            return
        inner = random_circuit(
            circuit.num_qubits, 2, max_operands=min(3, circuit.num_qubits), reset=self.measures and self.pen.chance(30),
            seed=self.pen.number(0, 10**6),
        )  # fmt: skip
        circuit.compose(inner, inplace=True)

    # ---- Bits -------------------------------------------------------------------------------------------------------

    def _measure(self, circuit: QuantumCircuit, depth: int) -> None:
        del depth
        circuit.measure(self.pen.one(circuit.qubits), self.pen.one(circuit.clbits))

    def _reset(self, circuit: QuantumCircuit, depth: int) -> None:
        del depth
        circuit.reset(self.pen.one(circuit.qubits))

    def _initialize(self, circuit: QuantumCircuit, depth: int) -> None:
        if depth or self.only_flips:
            return self._standard(circuit, depth)
        qubits = self.pen.some(circuit.qubits, self.pen.number(1, min(2, circuit.num_qubits)))
        kind = self.pen.one(["label", "vector", "integer"])
        if kind == "label":
            circuit.initialize("".join(self.pen.one("01+-rl") for _ in qubits), qubits)
        elif kind == "vector":
            vector = np.arange(1, 2 ** len(qubits) + 1) * np.exp(1j * np.arange(2 ** len(qubits)))
            circuit.initialize(vector / np.linalg.norm(vector), qubits)
        else:
            circuit.initialize(self.pen.number(0, 2 ** len(qubits) - 1), qubits)
        return None

    def _instruction(self, circuit: QuantumCircuit, depth: int) -> None:
        """An instruction of its own that holds more than gates."""
        if depth:
            return self._standard(circuit, depth)
        inside = QuantumCircuit(1, 1, name=self.pen.one(["look", "measure_it", "reset_it", "h"]))
        inside.x(0)
        inside.measure(0, 0)
        circuit.append(inside.to_instruction(), [self.pen.one(circuit.qubits)], [self.pen.one(circuit.clbits)])
        return None

    def _box(self, circuit: QuantumCircuit, depth: int) -> None:
        with circuit.box():
            self._body(circuit, depth)

    def _if(self, circuit: QuantumCircuit, depth: int) -> None:
        pen = self.pen
        if pen.chance(50):
            condition: Any = (pen.one(circuit.clbits), pen.number(0, 1))
        else:
            register = pen.one(circuit.cregs)
            condition = (register, pen.number(0, 2**register.size - 1))
        self._branch(circuit, condition, depth)

    def _expression_if(self, circuit: QuantumCircuit, depth: int) -> None:
        pen, register = self.pen, self.pen.one(circuit.cregs)
        one, other = pen.one(circuit.clbits), pen.one(circuit.clbits)
        number = pen.number(0, 2**register.size - 1)
        condition = pen.one([
            lambda: expr.logic_not(one), lambda: expr.logic_and(one, other), lambda: expr.bit_xor(one, other),
            lambda: expr.less(register, number), lambda: expr.equal(expr.bit_and(register, number), number),
            lambda: expr.logic_or(expr.equal(register, number), one), lambda: expr.index(register, 0),
            lambda: expr.not_equal(expr.bit_not(register), number), lambda: expr.greater_equal(register, number),
            lambda: expr.equal(expr.shift_left(register, 1), number),
            lambda: expr.equal(expr.add(register, register), number),
        ])()  # fmt: skip
        self._branch(circuit, condition, depth)

    def _branch(self, circuit: QuantumCircuit, condition: Any, depth: int) -> None:
        with circuit.if_test(condition) as otherwise:
            self._body(circuit, depth)
        if self.pen.chance(40):
            with otherwise:
                self._body(circuit, depth)

    def _for(self, circuit: QuantumCircuit, depth: int) -> None:
        values = self.pen.one([range(2), range(0, 3), [1, 3], range(3, 0, -1)])
        if self.only_flips or self.pen.chance(50):
            with circuit.for_loop(values):
                self._body(circuit, depth)
                if self.pen.chance(30):
                    with circuit.if_test((self.pen.one(circuit.clbits), 1)):
                        self.pen.one([circuit.break_loop, circuit.continue_loop])()
            return
        with circuit.for_loop(values) as variable:
            circuit.rx(variable * 0.4 + 0.1, self.pen.one(circuit.qubits))
            self._body(circuit, depth)

    def _while(self, circuit: QuantumCircuit, depth: int) -> None:
        """A loop that ends: its last instruction measures a qubit that was reset into the bit it looks at."""
        bit, qubit = self.pen.one(circuit.clbits), self.pen.one(circuit.qubits)
        with circuit.while_loop((bit, 1)):
            if depth == 0:
                self._standard(circuit, depth)
            circuit.reset(qubit)
            circuit.measure(qubit, bit)

    def _switch(self, circuit: QuantumCircuit, depth: int) -> None:
        register = self.pen.one(circuit.cregs)
        with circuit.switch(register) as case:
            with case(self.pen.number(0, 2**register.size - 1)):
                self._body(circuit, depth)
            if self.pen.chance(60):
                with case(case.DEFAULT):
                    self._body(circuit, depth)

    def _variable(self, circuit: QuantumCircuit, depth: int) -> None:
        if depth:
            return self._standard(circuit, depth)
        pen = self.pen
        if not self.variables:
            self.variables = [
                circuit.add_var("flag", expr.lift(bool(pen.number(0, 1)))),
                circuit.add_var("number", expr.lift(pen.number(0, 7), types.Uint(3))),
            ]
        flag, number = self.variables
        kind = pen.one(["flag", "number", "store"])
        if kind == "flag":
            self._branch(circuit, flag, depth)
        elif kind == "number":
            self._branch(circuit, expr.less(number, pen.number(0, 7)), depth)
        else:
            circuit.store(flag, expr.bit_xor(flag, pen.one(circuit.clbits)))
            circuit.store(number, expr.bit_and(number, pen.number(0, 7)))
        return None

    def _measurements(self, circuit: QuantumCircuit) -> None:
        bits = self.pen.some(circuit.clbits, max(1, circuit.num_clbits - self.pen.number(0, 1)))
        for bit in bits:
            circuit.measure(self.pen.one(circuit.qubits), bit)

    # ---- The whole --------------------------------------------------------------------------------------------------

    def _laid_out(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """As an author has transpiled it, for a device that is as large or larger, with qubits at other places."""
        pen = self.pen
        size = min(5, circuit.num_qubits + pen.number(0, 1))
        if size < circuit.num_qubits:
            return circuit
        line = [[place, place + 1] for place in range(size - 1)] + [[place + 1, place] for place in range(size - 1)]
        places = pen.some(list(range(size)), circuit.num_qubits)
        return transpile(
            circuit, basis_gates=["rz", "sx", "x", "cx"], coupling_map=line or None, initial_layout=places,
            seed_transpiler=1, optimization_level=pen.number(0, 2),
        )  # fmt: skip

    def angle(self) -> Any:
        """A number, or an expression of parameters."""
        pen = self.pen
        plain = [0.3, math.pi / 2, -math.pi / 4, math.pi, 1.7, 5.1, 0.0]
        if not self.parameters or pen.chance(50):
            return pen.one(plain)
        one, other = pen.one(self.parameters), pen.one(self.parameters)
        return pen.one([one, one * 0.5 + 0.25, -one, one + other, one * other, one.sin(), (one * 0.1).exp(), one**2,
                        one - other, (one / 2.0).cos(), one / 3])  # fmt: skip


@st.composite
def programs(draw) -> Program:
    """One circuit; about a quarter measures nothing and is for the estimator."""
    return Builder(Pen(draw)).program()
