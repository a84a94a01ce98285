"""The small circuits that most benchmarks use, as text and as objects."""

from __future__ import annotations

from qiskit import QuantumCircuit

_HEAD = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c;'
BELL = f"{_HEAD} h q[0]; cx q[0], q[1]; c = measure q;"


def bell() -> QuantumCircuit:
    """The same as :data:`BELL`."""
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def tilted(angle: float) -> str:
    """A pair that no other angle gives."""
    return f"{_HEAD} ry({angle}) q[0]; cx q[0], q[1]; c = measure q;"
