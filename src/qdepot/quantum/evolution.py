"""State vectors of a few qubits, gate by gate in NumPy, for many sets of parameter values at a time.

A call of Aer costs about a millisecond before the first gate and about a microsecond a shot behind the last; for a few
qubits the state itself costs less than either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import CircuitInstruction, Parameter, ParameterExpression
from qiskit.circuit.library import DiagonalGate, MCPhaseGate, MCXGate
from qiskit.quantum_info import Operator

from qdepot.quantum.arithmetic import slopes
from qdepot.quantum.ending import MeasuredAtEnd
from qdepot.quantum.rotations import ROTATIONS, Matrices

Columns = Mapping[object, NDArray[np.float64]]
"""For each parameter its value in each set."""

_WIDEST_GATE = 5
"""Qubits of a gate whose matrix is still smaller than what it saves."""

_WITHOUT_MATRIX = (MCXGate, MCPhaseGate, DiagonalGate)
"""Gates of a library that have a matrix and do not tell it themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One gate.

    Attributes:
        qubits: Places in the state, the least significant of the matrix first.
        matrix: What it does; None if that depends on parameters.
        name, angles: Of a gate that does.
    """

    qubits: tuple[int, ...]
    matrix: NDArray[np.complex128] | None
    name: str = ""
    angles: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evolution:
    """From all qubits at 0 to the state at the end.

    Attributes:
        num_qubits: Of the state; at least 1.
        steps: The gates, in order.
    """

    num_qubits: int
    steps: tuple[Step, ...]

    def probabilities(self, columns: Columns, *, sets: int) -> NDArray[np.float64]:
        """Of each basis state after each set, shape ``(2**num_qubits, sets)``; qubit 0 is the lowest bit of the state.

        Args:
            columns: Values of all parameters; empty where there are none.
            sets: How many sets.
        """
        shape = (2,) * self.num_qubits
        state: NDArray[np.complex128] = np.zeros((*shape, sets if columns else 1), dtype=np.complex128)
        state[(0,) * self.num_qubits] = 1
        order = list(range(self.num_qubits - 1, -1, -1))  # which qubit lies along which axis
        for step in self.steps:
            axes = [order.index(qubit) for qubit in reversed(step.qubits)]
            turned = [*axes, *(axis for axis in range(self.num_qubits) if axis not in axes)]
            order = [order[axis] for axis in turned]
            flat = state.transpose(*turned, self.num_qubits).reshape(1 << len(axes), -1)
            state = _applied(step, flat, columns).reshape(*shape, -1)
        upright = [order.index(qubit) for qubit in range(self.num_qubits - 1, -1, -1)]
        state = state.transpose(*upright, self.num_qubits).reshape(1 << self.num_qubits, -1)
        found: NDArray[np.float64] = state.real**2 + state.imag**2
        return found if columns else np.broadcast_to(found, (len(found), sets))


def evolution(ending: MeasuredAtEnd) -> Evolution | None:
    """How the active qubits of a circuit evolve; None if a gate has no matrix, or one that is not worth it."""
    place = {qubit: index for index, qubit in enumerate(ending.active)}
    steps = []
    for gate, qubits in zip(ending.gates, ending.places, strict=True):
        step = _step(gate, tuple(place[qubit] for qubit in qubits))
        if step is None:
            return None
        steps.append(step)
    return Evolution(num_qubits=max(1, len(place)), steps=tuple(steps))


def _step(gate: CircuitInstruction, qubits: tuple[int, ...]) -> Step | None:
    if len(qubits) > _WIDEST_GATE:
        return None
    if gate.is_parameterized():
        known = gate.is_standard_gate() and gate.name in ROTATIONS
        return Step(qubits=qubits, matrix=None, name=gate.name, angles=tuple(gate.params)) if known else None
    matrix = gate.matrix
    if matrix is None and isinstance(gate.operation, _WITHOUT_MATRIX):
        matrix = Operator(gate.operation).data
    return None if matrix is None else Step(qubits=qubits, matrix=np.asarray(matrix, dtype=np.complex128))


def _applied(step: Step, flat: NDArray[np.complex128], columns: Columns) -> NDArray[np.complex128]:
    """A gate's matrix times the amplitudes, whose first axis runs over the states of its qubits."""
    if step.matrix is not None:
        product: NDArray[np.complex128] = step.matrix @ flat
        return product
    matrices = ROTATIONS[step.name](*(_values(angle, columns) for angle in step.angles))
    return _product(matrices, flat)


def _product(matrices: Matrices, flat: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """As a matrix product, with a matrix of its own for each set; entries that are 0 in all sets are None."""
    sets = max(np.size(entry) for row in matrices for entry in row if entry is not None)
    amplitudes = flat.reshape(len(matrices), -1, sets)
    result = np.empty_like(amplitudes)
    for to, row in enumerate(matrices):
        terms = [entry * amplitudes[at] for at, entry in enumerate(row) if entry is not None]
        result[to] = sum(terms[1:], start=terms[0])
    return result.reshape(flat.shape)


def _values(angle: object, columns: Columns) -> NDArray[np.float64]:
    """An angle in each set."""
    if not isinstance(angle, ParameterExpression):
        return np.full(_sets(columns), float(angle))  # type: ignore[arg-type] # a number
    if isinstance(angle, Parameter):
        return columns[angle]
    linear = slopes(angle)
    if linear is not None:
        values = np.full(_sets(columns), _bound(angle, dict.fromkeys(linear, 0.0)))
        for parameter, slope in linear.items():
            values += slope * columns[parameter]
        return values
    rows: Sequence[Mapping[Any, float]] = [
        {parameter: float(columns[parameter][number]) for parameter in angle.parameters}
        for number in range(_sets(columns))
    ]
    return np.array([_bound(angle, row) for row in rows])


def _bound(angle: ParameterExpression, values: Mapping[Any, float]) -> float:
    return float(angle.bind(dict(values)).numeric())


def _sets(columns: Columns) -> int:
    return len(next(iter(columns.values())))
