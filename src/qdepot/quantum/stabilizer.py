"""Clifford circuits: telling them, and writing them in the gates that the stabilizer simulator knows."""

from __future__ import annotations

import math
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, ControlFlowOp, ParameterExpression
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Clifford

from qdepot.errors import UnsupportedProgramError
from qdepot.quantum.methods import STABILIZER, native_names
from qdepot.quantum.survey import is_homemade

_WIDEST = 12
"""Gates on more qubits are not tried: a matrix of that size is no Clifford gate by intent."""

_Known = dict[object, QuantumCircuit]


def in_clifford_gates(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit, up to a global phase, in gates that the stabilizer simulator knows.

    Raises:
        UnsupportedProgramError: A gate is not a Clifford gate; the message names it.
    """
    return _rewritten(circuit, {})


def is_clifford(circuit: QuantumCircuit) -> bool:
    """Whether :func:`in_clifford_gates` would succeed."""
    try:
        in_clifford_gates(circuit)
    except UnsupportedProgramError:
        return False
    return True


def _rewritten(circuit: QuantumCircuit, known: _Known) -> QuantumCircuit:
    rewritten = circuit.copy_empty_like()
    for instruction in circuit.data:
        operation = instruction.operation
        if isinstance(operation, ControlFlowOp):
            blocks = [_rewritten(block, known) for block in operation.blocks]
            rewritten.append(instruction.replace(operation=operation.replace_blocks(blocks)))
        elif _is_native(instruction):
            rewritten.append(instruction)
        else:
            rewritten.compose(_as_clifford(operation, known), instruction.qubits, inplace=True)
    return rewritten


def _is_native(instruction: CircuitInstruction) -> bool:
    """A rotation is native where its angle is a multiple of a quarter turn."""
    if instruction.name == "rz":
        (angle,) = instruction.params
        return not isinstance(angle, ParameterExpression) and math.isclose(
            math.remainder(float(angle), math.pi / 2), 0, abs_tol=1e-9
        )
    return instruction.name in native_names(STABILIZER)


def _as_clifford(operation: Any, known: _Known) -> QuantumCircuit:  # noqa: ANN401 - Qiskit has no types
    parameters = getattr(operation, "params", [None])
    if is_homemade(operation) or not all(isinstance(value, (int, float)) for value in parameters):
        return _synthesised(operation)  # its name does not say what it does
    key = (operation.name, *parameters)
    if key not in known:
        known[key] = _synthesised(operation)
    return known[key]


def _synthesised(operation: Any) -> QuantumCircuit:  # noqa: ANN401 - Qiskit has no types
    if any(isinstance(value, ParameterExpression) for value in getattr(operation, "params", ())):
        raise _not_clifford(operation, "has a parameter without a fixed value")
    if operation.num_qubits > _WIDEST:
        raise _not_clifford(operation, f"acts on {operation.num_qubits} qubits")
    try:
        return Clifford(operation).to_circuit()
    except QiskitError as error:
        raise _not_clifford(operation, "is not a Clifford gate") from error


def _not_clifford(operation: Any, why: str) -> UnsupportedProgramError:  # noqa: ANN401 - Qiskit has no types
    parameters = getattr(operation, "params", [])[:4]
    values = ", ".join(f"{value:.6g}" if isinstance(value, float) else str(value) for value in parameters)
    gate = f"{operation.name}({values[:80]})" if values else operation.name
    return UnsupportedProgramError(
        f"the gate {gate} {why}; the stabilizer method runs Clifford gates only (h, s, cx, ...)",
        solution="Send it to `aer`, `aer_statevector` or `aer_mps`.",
        details={"gate": operation.name},
    )
