"""Circuits that measure at their end alone: what they do before, and which classical bit tells of which qubit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction

_IDLE = frozenset({"barrier", "delay"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredAtEnd:
    """A circuit of gates, then measurements.

    Attributes:
        gates: In order; barriers and delays are left out.
        places: For each of the gates the indices of its qubits.
        readings: For each classical bit that is written, the qubit that its last measurement read. A bit that is not
            among them stays 0.
    """

    gates: tuple[CircuitInstruction, ...]
    places: tuple[tuple[int, ...], ...]
    readings: Mapping[int, int]

    @property
    def active(self) -> tuple[int, ...]:
        """The qubits that a gate acts on; the others are 0."""
        return tuple(sorted({qubit for places in self.places for qubit in places}))


def measured_at_end(circuit: QuantumCircuit) -> MeasuredAtEnd | None:
    """What a circuit does and reads, if nothing happens to any qubit behind its first measurement.

    A qubit may be measured again: it gives the same. None for a circuit with control flow, resets, variables, or a gate
    behind the measurement of one of its qubits.
    """
    qubit_at = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    clbit_at = {clbit: index for index, clbit in enumerate(circuit.clbits)}
    gates: list[CircuitInstruction] = []
    places: list[tuple[int, ...]] = []
    readings: dict[int, int] = {}
    measured: set[int] = set()
    for instruction in circuit.data:
        qubits = tuple(qubit_at[qubit] for qubit in instruction.qubits)
        if instruction.name == "measure":
            measured.update(qubits)
            readings[clbit_at[instruction.clbits[0]]] = qubits[0]
        elif instruction.name not in _IDLE:
            if instruction.clbits or instruction.is_control_flow() or not qubits or not measured.isdisjoint(qubits):
                return None
            gates.append(instruction)
            places.append(qubits)
    return MeasuredAtEnd(gates=tuple(gates), places=tuple(places), readings=readings)
