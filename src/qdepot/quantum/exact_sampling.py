"""Sampling without a simulator's shot loop: the distribution once, exactly, then draws from it.

It is for circuits without noise, on few qubits, that measure at their end alone, where nobody asked for a method of
Aer's by name. What decides is the circuit and the number of shots, nothing that differs from run to run.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit

from qdepot.domain.seeds import Stream, stream_seed
from qdepot.quantum.bits import Sample, Wording
from qdepot.quantum.drawing import Drawer
from qdepot.quantum.ending import measured_at_end
from qdepot.quantum.evolution import Columns, Evolution, evolution

NAME = "exact-distribution"
"""What the metadata of a result call it."""

METHOD = "statevector"

_MOST_QUBITS = 12
"""Up to so many qubits a state in NumPy is cheaper than one call of Aer, whatever the depth."""
_MOST_QUBITS_WITH_MANY_SHOTS = 16
_MANY_SHOTS = 10_000
"""From here on Aer's shot loop costs more than what a state of that size costs more in NumPy."""
_MOST_AMPLITUDES = 1 << 20
"""So many are held at a time; sets of parameter values beyond wait their turn."""


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """What a circuit measures, as a distribution over basis states of its active qubits.

    Attributes:
        evolution: How the state comes about.
        readings: For each classical bit that shows an active qubit, the place of that qubit in the state.
    """

    evolution: Evolution
    readings: tuple[tuple[int, int], ...]

    def is_worth_it(self, *, shots: int) -> bool:
        """Whether it is cheaper than Aer with so many shots."""
        at_most = _MOST_QUBITS_WITH_MANY_SHOTS if shots >= _MANY_SHOTS else _MOST_QUBITS
        return self.evolution.num_qubits <= at_most

    def probabilities(self, columns: Columns, *, sets: int) -> NDArray[np.float64]:
        """Of each value of the qubits that are read, for each set: shape ``(sets, 2**len(read))``."""
        if columns:
            return np.ascontiguousarray(self._calculated(columns, sets=sets).T)
        return np.broadcast_to(self._fixed, (sets, len(self._fixed)))

    @cached_property
    def _fixed(self) -> NDArray[np.float64]:
        """Of a circuit without parameters; small, and kept with it."""
        return self._calculated({}, sets=1)[:, 0]

    def _calculated(self, columns: Columns, *, sets: int) -> NDArray[np.float64]:
        whole = self.evolution.probabilities(columns, sets=sets)
        width, read = self.evolution.num_qubits, self.read
        if read == tuple(range(width)):
            return whole
        # The axes of a C-ordered array begin with the most significant qubit.
        unread = tuple(width - 1 - qubit for qubit in range(width) if qubit not in read)
        marginal: NDArray[np.float64] = whole.reshape(*(2,) * width, sets).sum(axis=unread)
        return marginal.reshape(1 << len(read), sets)

    @cached_property
    def read(self) -> tuple[int, ...]:
        """The qubits that are read, by their places in the state, ascending."""
        return tuple(sorted({qubit for _, qubit in self.readings}))

    @cached_property
    def words(self) -> list[str]:
        """For each value of the qubits that are read what all classical bits show, in hexadecimal as Aer writes it."""
        shown = [0] * len(self.read)
        place = {qubit: index for index, qubit in enumerate(self.read)}
        for clbit, qubit in self.readings:
            shown[place[qubit]] |= 1 << clbit
        values = [0]
        for bits in shown:
            values += [value | bits for value in values]
        return [hex(value) for value in values]


def distribution(circuit: QuantumCircuit) -> Distribution | None:
    """The distribution of a circuit, ready to be calculated; None where only a simulator will do."""
    ending = measured_at_end(circuit)
    if ending is None or not ending.readings or len(ending.active) > _MOST_QUBITS_WITH_MANY_SHOTS:
        return None
    evolves = evolution(ending)
    if evolves is None:
        return None
    place = {qubit: index for index, qubit in enumerate(ending.active)}
    readings = tuple((clbit, place[qubit]) for clbit, qubit in sorted(ending.readings.items()) if qubit in place)
    return Distribution(evolution=evolves, readings=readings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shots:
    """What is wanted of a distribution.

    Attributes:
        number: Executions with each set.
        memory: Whether the outcome of each is wanted.
        seed: Of the circuit; each set has one that is derived from it.
    """

    number: int
    memory: bool
    seed: int


def drawn(found: Distribution, columns: Columns, shots: Shots, *, sets: int, wording: Wording) -> list[Sample]:
    """A sample for each set of parameter values.

    Args:
        found: What is drawn from.
        columns: For each parameter its value in each set; empty where there are none.
        shots: How many, and how.
        sets: How many sets.
        wording: How outcomes are written.
    """
    at_once = max(1, _MOST_AMPLITUDES >> found.evolution.num_qubits)
    samples: list[Sample] = []
    for start in range(0, sets, at_once):
        some = {parameter: values[start : start + at_once] for parameter, values in columns.items()}
        table = found.probabilities(some, sets=min(at_once, sets - start))
        for number, row in enumerate(table, start):
            drawer = Drawer(stream_seed(shots.seed, Stream.DRAW, parameter_set=number))
            samples.append(_sample(drawer, row, found.words, shots, wording))
    return samples


def _sample(
    drawer: Drawer, probabilities: NDArray[np.float64], words: list[str], shots: Shots, wording: Wording
) -> Sample:
    if shots.memory:
        outcomes = drawer.outcomes(probabilities, shots=shots.number)
        counts = np.bincount(outcomes, minlength=len(probabilities))
    else:
        counts = drawer.counts(probabilities, shots=shots.number)
    return Sample(
        wording=wording,
        hex_counts={words[index]: int(counts[index]) for index in np.flatnonzero(counts)},
        hex_memory=[words[index] for index in outcomes] if shots.memory else (),
    )
