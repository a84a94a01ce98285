"""Which of Aer's methods runs a circuit, or why none does."""

from __future__ import annotations

from qiskit import QuantumCircuit

from qdepot.errors import UnsupportedProgramError
from qdepot.quantum.methods import (
    AUTOMATIC,
    DENSITY_MATRIX,
    EXTENDED_STABILIZER,
    STABILIZER,
    chosen_method,
    fits_memory,
    too_large,
)
from qdepot.quantum.order import Order
from qdepot.quantum.stabilizer import in_clifford_gates, is_clifford
from qdepot.quantum.survey import Survey


def method_for_sampling(circuit: QuantumCircuit, survey: Survey, order: Order) -> str:
    """The method to sample a circuit with.

    Raises:
        UnsupportedProgramError: The circuit is too large for it, or has gates that it does not know.
    """
    return _noiseless_or_sampled(chosen_method(order), circuit, survey, order)


def method_for_estimation(circuit: QuantumCircuit, survey: Survey, order: Order) -> str:
    """The method to calculate expectation values with, exactly.

    Raises:
        UnsupportedProgramError: As above; or the method would have to average over random runs.
    """
    method = chosen_method(order)
    if method == EXTENDED_STABILIZER:
        raise UnsupportedProgramError(
            "the method extended_stabilizer calculates no expectation values", solution="Leave the option `method` out."
        )
    if order.device is None and not survey.is_random:
        return _noiseless_or_sampled(method, circuit, survey, order)
    if method not in (AUTOMATIC, DENSITY_MATRIX):
        cause = "noise" if order.device is not None else "the reset of a qubit in use"
        raise UnsupportedProgramError(
            f"with {cause}, the method {method} gives no exact expectation values",
            solution="Leave the option `method` out, or use the backend `aer_density_matrix`.",
        )
    if not fits_memory(DENSITY_MATRIX, survey, order):
        raise too_large(DENSITY_MATRIX, survey, order)
    return DENSITY_MATRIX


def _noiseless_or_sampled(method: str, circuit: QuantumCircuit, survey: Survey, order: Order) -> str:
    if method == STABILIZER:
        in_clifford_gates(circuit)  # names the gate that is not one
    if method == EXTENDED_STABILIZER:
        return _instead_of_extended_stabilizer(circuit)
    if fits_memory(method, survey, order):
        return method
    if method == AUTOMATIC and order.device is None and is_clifford(circuit):
        return STABILIZER
    raise too_large(method, survey, order)


def _instead_of_extended_stabilizer(circuit: QuantumCircuit) -> str:
    """The stabilizer method, where it gives what was asked for.

    Beyond Clifford gates, Aer 0.18 samples the extended stabilizer by a random walk that flips one bit at a time. The
    walk misses outcomes that are far apart: of ``cos |000> + sin |111>`` it gives both equally often, whatever the
    angle. Aer's other way of sampling gives outcomes that are impossible.
    """
    if is_clifford(circuit):
        return STABILIZER
    raise UnsupportedProgramError(
        "the method extended_stabilizer gives wrong counts for circuits with gates that are not Clifford gates",
        solution="Leave the option `method` out; where the circuit is too wide for that, try the backend `aer_mps`.",
    )
