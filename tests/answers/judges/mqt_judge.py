"""MQT Core's own readers of OpenQASM 2 and 3, and its decision diagrams for the gates."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from branching import Ensemble, Vector
from mqt.core.dd import DDPackage
from mqt.core.ir import QuantumComputation
from mqt.core.ir.operations import ComparisonKind, CompoundOperation, IfElseOperation, NonUnitaryOperation, OpType

Condition = Callable[[Mapping[int, int]], bool]

MAX_QUBITS = 12

BITS = re.compile(r"\bbit(?:\[[^\]]*\])?\s+(\w+)|\bcreg\s+(\w+)")
LETTERS = {"π": "pi", "τ": "tau", "θ": "theta_"}
"""What the specification allows and the reader does not know, put into letters that it knows."""

COMPARISONS = {
    ComparisonKind.eq: operator.eq,
    ComparisonKind.neq: operator.ne,
    ComparisonKind.lt: operator.lt,
    ComparisonKind.leq: operator.le,
    ComparisonKind.gt: operator.gt,
    ComparisonKind.geq: operator.ge,
}


def judged(source: str) -> dict[str, Any]:
    """What the program answers, exactly."""
    for letter, word in LETTERS.items():
        source = source.replace(letter, word)
    names = {name for found in BITS.finditer(source) for name in found.groups() if name}
    return followed(QuantumComputation.from_qasm_str(source), names)


def followed(program: QuantumComputation, names: set[str]) -> dict[str, Any]:
    """The registers and probabilities of a program, or its final state where it measures nothing.

    Args:
        program: As MQT Core has read it.
        names: Of the registers of bits; MQT Core has numbers among the registers.
    """
    if program.num_qubits > MAX_QUBITS:
        raise ValueError(f"more than {MAX_QUBITS} qubits")
    walk = _Walk(program.num_qubits)
    for operation in program:
        walk.follow(operation, where=lambda _: True)
    registers = sorted(
        (each for each in program.cregs.values() if each.name in names), key=lambda register: register.start
    )
    if not registers:
        (branch,) = walk.ensemble.branches
        state = branch.state * np.exp(1j * program.global_phase)
        return {"state": [[amplitude.real, amplitude.imag] for amplitude in state.tolist()]}
    return {
        "registers": [[register.name, register.size] for register in registers],
        "probabilities": {
            _text(set(ones), [range(register.start, register.start + register.size) for register in registers]): weight
            for ones, weight in walk.ensemble.probabilities().items()
        },
    }


class _Walk:
    def __init__(self, num_qubits: int) -> None:
        self.package = DDPackage(num_qubits)
        self.ensemble = Ensemble(num_qubits)

    def follow(self, operation: Any, *, where: Condition) -> None:
        if isinstance(operation, IfElseOperation):
            self._branch(operation, where=where)
        elif isinstance(operation, CompoundOperation):
            for each in operation:
                self.follow(each, where=where)
        elif operation.type_ == OpType.barrier:
            return
        elif isinstance(operation, NonUnitaryOperation):
            self._look(operation, where=where)
        else:
            self.ensemble.evolve(lambda state: self._applied(operation, state), where=where)

    def _look(self, operation: NonUnitaryOperation, *, where: Condition) -> None:
        if operation.type_ == OpType.measure:
            for qubit, bit in zip(operation.targets, operation.classics, strict=True):
                self.ensemble.measure(qubit, bit, where=where)
        elif operation.type_ == OpType.reset:
            for qubit in operation.targets:
                self.ensemble.reset(qubit, where=where)
        else:
            raise NotImplementedError(str(operation.type_))

    def _branch(self, operation: IfElseOperation, *, where: Condition) -> None:
        # The body may measure into a bit that the condition looks at: what was true is decided once.
        chosen = {
            id(branch) for branch in self.ensemble.branches if where(branch.bits) and _holds(operation, branch.bits)
        }
        mark = -1 - len(self.ensemble.branches[0].bits)
        for branch in self.ensemble.branches:
            branch.bits[mark] = int(id(branch) in chosen)
        self.follow(operation.then_operation, where=lambda bits: where(bits) and bool(bits[mark]))
        if operation.else_operation is not None:
            self.follow(operation.else_operation, where=lambda bits: where(bits) and not bits[mark])
        for branch in self.ensemble.branches:
            del branch.bits[mark]

    def _applied(self, operation: Any, state: Vector) -> Vector:
        before = self.package.from_vector(state)
        return self.package.apply_unitary_operation(before, operation).get_vector()


def _holds(operation: IfElseOperation, bits: Mapping[int, int]) -> bool:
    register = operation.control_register
    if register is None:
        found, wanted = bits.get(operation.control_bit, 0), int(operation.expected_value_bit)
    else:
        found = sum(bits.get(register.start + place, 0) << place for place in range(register.size))
        wanted = operation.expected_value_register
    return bool(COMPARISONS[operation.comparison_kind](found, wanted))


def _text(ones: set[int], registers: list[range]) -> str:
    return " ".join("".join("01"[bit in ones] for bit in reversed(bits)) for bits in reversed(registers))
