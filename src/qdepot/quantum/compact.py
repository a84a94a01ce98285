"""A circuit on no more qubits than it uses."""

from __future__ import annotations

from dataclasses import dataclass

from qiskit import QuantumCircuit
from qiskit.circuit import QuantumRegister


@dataclass(frozen=True, slots=True, kw_only=True)
class Compact:
    """A circuit without the qubits that nothing happens to.

    Attributes:
        circuit: The circuit; its classical bits and registers are those of the original.
        qubits: For each of its qubits the place in the original.
    """

    circuit: QuantumCircuit
    qubits: tuple[int, ...]


def compacted(circuit: QuantumCircuit, keep: frozenset[int]) -> Compact:
    """The circuit on the qubits ``keep``, which must be all that anything but barriers and delays act on.

    Aer drops idle qubits by itself. But then (seen with 0.18) it reports wrong expectation values for some circuits,
    and loses its way in some with control flow; and it knows noise by the places that qubits had before.
    """
    qubits = tuple(sorted(keep))
    if len(qubits) == circuit.num_qubits:
        return Compact(circuit=circuit, qubits=qubits)
    register = QuantumRegister(len(qubits), "q")
    compact = QuantumCircuit(register, circuit.clbits, *circuit.cregs, global_phase=circuit.global_phase)
    for variable in circuit.iter_declared_vars():
        compact.add_uninitialized_var(variable)
    new = {circuit.qubits[old]: register[index] for index, old in enumerate(qubits)}
    for instruction in circuit.data:
        kept = [new[bit] for bit in instruction.qubits if bit in new]
        if len(kept) == len(instruction.qubits):
            compact.append(instruction.replace(qubits=kept))
        elif kept and instruction.name == "barrier":
            compact.barrier(kept)
    return Compact(circuit=compact, qubits=qubits)
