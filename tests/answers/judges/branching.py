"""Exact distributions of circuits that measure and reset on the way: every outcome is followed, none is drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.complex128]
"""Amplitudes; qubit 0 is the lowest bit of an index."""

NEGLIGIBLE = 1e-12
MAX_BRANCHES = 2048


class TooManyBranchesError(Exception):
    """More outcomes on the way than are worth following."""


@dataclass(slots=True)
class Branch:
    """One sequence of outcomes.

    Attributes:
        state: Its normalised state.
        bits: The classical bits as they stand.
        weight: Its probability.
    """

    state: Vector
    bits: dict[int, int]
    weight: float = 1.0


class Ensemble:
    """All sequences of outcomes so far."""

    def __init__(self, num_qubits: int) -> None:
        state = np.zeros(2**num_qubits, dtype=complex)
        state[0] = 1.0
        self.branches = [Branch(state, {})]

    def evolve(self, change: Callable[[Vector], Vector], *, where: Callable[[Mapping[int, int]], bool]) -> None:
        """Change the state of the branches whose bits satisfy a condition."""
        for branch in self.branches:
            if where(branch.bits):
                branch.state = change(branch.state)

    def measure(self, qubit: int, bit: int, *, where: Callable[[Mapping[int, int]], bool]) -> None:
        """Measure a qubit into a bit."""
        self._split(qubit, where=where, after=lambda branch, outcome: branch.bits.__setitem__(bit, outcome))

    def reset(self, qubit: int, *, where: Callable[[Mapping[int, int]], bool]) -> None:
        """Set a qubit to |0>."""

        def after(branch: Branch, outcome: int) -> None:
            if outcome:
                branch.state = _flipped(branch.state, qubit)

        self._split(qubit, where=where, after=after)

    def project(self, qubit: int, outcome: int) -> None:
        """Keep the part in which a qubit has an outcome; the weights say how likely that was."""
        kept = []
        for branch in self.branches:
            for found, state, probability in _outcomes(branch.state, qubit):
                if found == outcome:
                    kept.append(Branch(state, dict(branch.bits), branch.weight * probability))
        self.branches = kept

    def probabilities(self) -> dict[tuple[int, ...], float]:
        """By the bits that are one."""
        found: dict[tuple[int, ...], float] = defaultdict(float)
        for branch in self.branches:
            found[tuple(sorted(bit for bit, value in branch.bits.items() if value))] += branch.weight
        return dict(found)

    def _split(
        self, qubit: int, *, where: Callable[[Mapping[int, int]], bool], after: Callable[[Branch, int], None]
    ) -> None:
        found: list[Branch] = []
        for branch in self.branches:
            if not where(branch.bits):
                found.append(branch)
                continue
            for outcome, state, probability in _outcomes(branch.state, qubit):
                new = Branch(state, dict(branch.bits), branch.weight * probability)
                after(new, outcome)
                found.append(new)
        if len(found) > MAX_BRANCHES:
            raise TooManyBranchesError(f"more than {MAX_BRANCHES} sequences of outcomes")
        self.branches = found


def applied(state: Vector, matrix: NDArray[np.complex128], qubits: Sequence[int]) -> Vector:
    """The state after a gate whose first qubit is the highest bit of the matrix's indices."""
    width, number = state.size.bit_length() - 1, len(qubits)
    axes = [width - 1 - qubit for qubit in qubits]
    moved = np.tensordot(
        matrix.reshape([2] * (2 * number)), state.reshape([2] * width), axes=(range(number, 2 * number), axes)
    )
    return np.ascontiguousarray(np.moveaxis(moved, range(number), axes)).reshape(-1)


def _outcomes(state: Vector, qubit: int) -> Iterator[tuple[int, Vector, float]]:
    table = state.reshape(-1, 2, 2**qubit)
    for outcome in (0, 1):
        probability = float(np.sum(np.abs(table[:, outcome]) ** 2))
        if probability > NEGLIGIBLE:
            projected = np.zeros_like(table)
            projected[:, outcome] = table[:, outcome] / np.sqrt(probability)
            yield outcome, projected.reshape(-1), probability


def _flipped(state: Vector, qubit: int) -> Vector:
    return np.ascontiguousarray(state.reshape(-1, 2, 2**qubit)[:, ::-1]).reshape(-1)
