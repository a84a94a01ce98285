"""Writing out the gates that an author put together, where their names would be misread."""

from __future__ import annotations

from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import AnnotatedOperation, BoxOp, CircuitInstruction, ControlFlowOp, Gate

from qdepot.quantum.survey import is_homemade


def written_out(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit with each homemade gate and each box replaced by what it consists of."""
    written = circuit.copy_empty_like()
    for instruction in circuit.data:
        _add(written, instruction)
    return written


def _add(written: QuantumCircuit, instruction: CircuitInstruction) -> None:
    operation = None if instruction.is_standard_gate() else instruction.operation
    body = _body(operation)
    if body is not None:
        written.compose(written_out(body), instruction.qubits, instruction.clbits, inplace=True)
    elif isinstance(operation, ControlFlowOp):
        blocks = [written_out(block) for block in operation.blocks]
        written.append(instruction.replace(operation=operation.replace_blocks(blocks)))
    elif isinstance(operation, AnnotatedOperation) and is_homemade(operation.base_op):
        modified = AnnotatedOperation(_renamed(operation.base_op), operation.modifiers)
        written.append(instruction.replace(operation=modified))
    else:
        written.append(instruction)


def _body(operation: Any) -> QuantumCircuit | None:  # noqa: ANN401 - Qiskit has no types
    if isinstance(operation, BoxOp):
        return operation.body
    return operation.definition if is_homemade(operation) else None


def _renamed(operation: Any) -> Gate:  # noqa: ANN401 - Qiskit has no types
    """A gate that can be inverted or controlled as a whole, under a name that means nothing else."""
    gate = Gate(f"{operation.name}_as_defined", operation.num_qubits, [])
    gate.definition = written_out(operation.definition)
    return gate
