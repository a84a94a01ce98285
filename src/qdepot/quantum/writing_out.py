"""Writing out what would be misread: gates that an author put together, boxes, numbers in the guise of expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import AnnotatedOperation, BoxOp, CircuitInstruction, ControlFlowOp, ForLoopOp, Gate, Qubit

from qdepot.quantum.survey import is_homemade, number_in_disguise


def written_out(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit with each homemade gate and each box replaced by what it consists of, numbers plain."""
    written = _emptied(circuit)
    for instruction in circuit.data:
        _add(written, instruction)
    return written


def _add(written: QuantumCircuit, instruction: CircuitInstruction) -> None:
    operation = None if instruction.is_standard_gate() else instruction.operation
    body = _body(operation)
    if body is not None:
        inner = written_out(body)
        written.compose(inner, instruction.qubits, instruction.clbits, inplace=True, inline_captures=True)
    elif isinstance(operation, ControlFlowOp):
        written.append(instruction.replace(operation=_with_blocks(operation, written_out)))
    elif isinstance(operation, AnnotatedOperation) and is_homemade(operation.base_op):
        modified = AnnotatedOperation(_renamed(operation.base_op), operation.modifiers)
        written.append(instruction.replace(operation=modified))
    else:
        written.append(_with_plain_numbers(instruction))


def with_plain_numbers(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit with each expression that has become a number replaced by that number.

    Aer looks expressions up by their hash, and the hash of one that stands for a negative number is an error.
    """
    plain = _emptied(circuit)
    for instruction in circuit.data:
        operation = instruction.operation if instruction.is_control_flow() else None
        if isinstance(operation, ControlFlowOp):
            plain.append(instruction.replace(operation=_with_blocks(operation, with_plain_numbers)))
        else:
            plain.append(_with_plain_numbers(instruction))
    return plain


def _with_blocks(operation: ControlFlowOp, change: Callable[[QuantumCircuit], QuantumCircuit]) -> ControlFlowOp:
    """An instruction with changed bodies; a loop without its parameter, if its body no longer has that."""
    changed = operation.replace_blocks([change(block) for block in operation.blocks])
    if isinstance(changed, ForLoopOp):
        indices, parameter, body = changed.params
        if parameter is not None and parameter not in body.parameters:
            return ForLoopOp(indices, None, body, label=changed.label)
    return changed


def widened(circuit: QuantumCircuit, qubits: Sequence[Qubit]) -> QuantumCircuit:
    """The same circuit, where each body of control flow acts on all of ``qubits``, with a barrier.

    Aer sorts what a body does by the qubits that it acts on. What acts on none (writing to classical bits, leaving a
    loop) is moved out of a body that does not act on all qubits.
    """
    wide = circuit.copy_empty_like()
    for instruction in circuit.data:
        operation = instruction.operation if instruction.is_control_flow() else None
        if isinstance(operation, ControlFlowOp) and operation.blocks:
            bodies = [widened(_on(block, instruction.qubits, qubits), qubits) for block in operation.blocks]
            wide.append(operation.replace_blocks(bodies), qubits, instruction.clbits)
        else:
            wide.append(instruction)
    return wide


def _on(body: QuantumCircuit, inner: Sequence[Qubit], qubits: Sequence[Qubit]) -> QuantumCircuit:
    """A body that acts on ``inner`` as one that acts on all of ``qubits``."""
    wide = QuantumCircuit(list(qubits), body.clbits, *body.cregs, global_phase=body.global_phase)
    wide.barrier()
    new = dict(zip(body.qubits, inner, strict=True))
    for instruction in body.data:
        wide.append(instruction.replace(qubits=[new[qubit] for qubit in instruction.qubits]))
    return wide


def _emptied(circuit: QuantumCircuit) -> QuantumCircuit:
    empty = circuit.copy_empty_like()
    phase = number_in_disguise(circuit.global_phase)
    if phase is not None:
        empty.global_phase = phase
    return empty


def _with_plain_numbers(instruction: CircuitInstruction) -> CircuitInstruction:
    numbers = [number_in_disguise(value) for value in instruction.params]
    if not any(number is not None for number in numbers):
        return instruction
    operation = instruction.operation.to_mutable()
    operation.params = [
        value if number is None else number for value, number in zip(instruction.params, numbers, strict=True)
    ]
    return instruction.replace(operation=operation, params=operation.params)


def _body(operation: Any) -> QuantumCircuit | None:  # noqa: ANN401 - Qiskit has no types
    if isinstance(operation, BoxOp):
        return operation.body
    return operation.definition if is_homemade(operation) else None


def _renamed(operation: Any) -> Gate:  # noqa: ANN401 - Qiskit has no types
    """A gate that can be inverted or controlled as a whole, under a name that means nothing else."""
    gate = Gate(f"{operation.name}_as_defined", operation.num_qubits, [])
    gate.definition = written_out(operation.definition)
    return gate
