"""The exact distribution of a circuit that measures and branches, by following every branch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister, Clbit, ForLoopOp, IfElseOp, SwitchCaseOp
from qiskit.circuit.controlflow import CASE_DEFAULT
from qiskit.circuit.library import XGate
from qiskit.quantum_info import Operator, Statevector

Bits = tuple[int, ...]
_NOTHING = 1e-12


def exact_distribution(circuit: QuantumCircuit) -> dict[str, float]:
    """Probability of each joined bit string, as ``get_counts()`` writes them. For a few qubits and few measurements."""
    clbits = {bit: index for index, bit in enumerate(circuit.clbits)}
    places = {bit: index for index, bit in enumerate(circuit.qubits)} | clbits
    start = Statevector.from_int(0, 2**circuit.num_qubits), (0,) * circuit.num_clbits
    found: dict[str, float] = defaultdict(float)
    for state, bits in _run(circuit, *start, places):
        words = ["".join(str(bits[clbits[bit]]) for bit in reversed(register)) for register in circuit.cregs]
        found[" ".join(reversed(words))] += float(np.vdot(state.data, state.data).real)
    return dict(found)


def _run(
    circuit: QuantumCircuit, state: Statevector, bits: Bits, at: Mapping[object, int]
) -> Iterator[tuple[Statevector, Bits]]:
    """All (unnormalised) states and bits after a block; ``at`` tells the places of its bits in the whole circuit."""
    branches = [(state, bits)]
    for instruction in circuit.data:
        branches = [after for before in branches for after in _step(instruction, *before, at)]
    yield from branches


def _step(instruction, state, bits, at):
    qubits = [at[bit] for bit in instruction.qubits]
    operation = instruction.operation
    if instruction.name == "barrier":
        return [(state, bits)]
    if instruction.name == "measure":
        place = at[instruction.clbits[0]]
        return [(part, (*bits[:place], outcome, *bits[place + 1 :])) for outcome, part in _split(state, qubits[0])]
    if instruction.name == "reset":
        flip = Operator(XGate())
        return [(part.evolve(flip, qubits) if outcome else part, bits) for outcome, part in _split(state, qubits[0])]
    if instruction.is_control_flow():
        branches = [(state, bits)]
        for block in _taken(operation, bits, at):
            outer = [at[bit] for bit in (*instruction.qubits, *instruction.clbits)]
            inner = dict(zip([*block.qubits, *block.clbits], outer, strict=True))
            branches = [after for before in branches for after in _run(block, *before, {**at, **inner})]
        return branches
    return [(state.evolve(operation, qubits), bits)]


def _split(state, qubit):
    for outcome in (0, 1):
        projector = np.zeros((2, 2))
        projector[outcome, outcome] = 1
        part = state.evolve(Operator(projector), [qubit])
        if np.vdot(part.data, part.data).real > _NOTHING:
            yield outcome, part


def _taken(operation, bits, at):
    """The blocks that are run, one after the other."""
    if isinstance(operation, ForLoopOp):
        values, parameter, body = operation.params
        return [body if parameter is None else body.assign_parameters({parameter: value}) for value in values]
    if isinstance(operation, IfElseOp):
        target, value = operation.condition
        is_true = _value(target, bits, at) == int(value)
        return operation.blocks[:1] if is_true else operation.blocks[1:]
    assert isinstance(operation, SwitchCaseOp)
    value = _value(operation.target, bits, at)
    for labels, block in operation.cases_specifier():
        if CASE_DEFAULT in labels or value in [int(label) for label in labels]:
            return [block]
    return []


def _value(target: Clbit | ClassicalRegister, bits: Bits, at: Mapping[object, int]) -> int:
    if isinstance(target, Clbit):
        return bits[at[target]]
    return sum(bits[at[bit]] << position for position, bit in enumerate(target))
