"""Instructions of Aer that save or set the state of the simulator: a job cannot have them."""

from __future__ import annotations

from collections.abc import Iterator

from qiskit import QuantumCircuit

from qdepot.errors import UnsupportedProgramError

_ESTIMATE = "Leave it out, and submit the circuit with `observables`: their expectation values are the result."
_COUNT = "Leave it out, measure the qubits, and submit the circuit with `shots`: counts are the result."
_STATE = (
    "Leave it out. The state is not part of a result: measure the qubits for counts, or submit the circuit with "
    "`observables` for expectation values."
)
_PREPARE = "Leave it out, and prepare the state with `initialize` or gates."

_INSTEAD = {
    "save_expval": _ESTIMATE,
    "save_expval_var": _ESTIMATE,
    "save_probabilities": _COUNT,
    "save_probabilities_dict": _COUNT,
    "save_amplitudes": _STATE,
    "save_amplitudes_sq": _COUNT,
    "save_clifford": _STATE,
    "save_density_matrix": _STATE,
    "save_matrix_product_state": _STATE,
    "save_stabilizer": _STATE,
    "save_state": _STATE,
    "save_statevector": _STATE,
    "save_statevector_dict": _STATE,
    "save_superop": _STATE,
    "save_unitary": _STATE,
    "set_density_matrix": _PREPARE,
    "set_matrix_product_state": _PREPARE,
    "set_stabilizer": _PREPARE,
    "set_statevector": _PREPARE,
    "set_superop": _PREPARE,
    "set_unitary": _PREPARE,
}


def check_state_is_left_alone(circuit: QuantumCircuit) -> None:
    """Check that a circuit has no instruction that saves or sets the state of a simulator.

    A gate that its author defined under such a name is a gate like any other.

    Raises:
        UnsupportedProgramError: It has one; the solution says what to use instead.
    """
    for name in _simulator_instructions(circuit):
        raise UnsupportedProgramError(
            f"the circuit has the instruction {name!r}, which {'sets' if name.startswith('set_') else 'saves'} the "
            "state of the simulator Aer and is not possible in a job",
            solution=_INSTEAD[name],
            details={"instruction": name},
        )


def _simulator_instructions(circuit: QuantumCircuit) -> Iterator[str]:
    names = circuit.count_ops()
    suspects = _INSTEAD.keys() & names.keys()
    for instruction in circuit.data if suspects else ():
        if instruction.name in suspects and instruction.operation.definition is None:
            yield instruction.name
    if names.keys() & _WITH_BLOCKS:
        for instruction in circuit.data:
            for block in instruction.operation.blocks if instruction.is_control_flow() else ():
                yield from _simulator_instructions(block)


_WITH_BLOCKS = frozenset({"if_else", "while_loop", "for_loop", "switch_case", "box"})
