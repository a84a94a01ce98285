"""What the writers of programs have in common: choices that Hypothesis makes, and can make smaller again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st

Choice = TypeVar("Choice")

BITS_FLIPPED = {"x": (1, 0), "cx": (2, 0), "ccx": (3, 0), "id": (1, 0)}
"""Gates by name: qubits and angles. These leave a basis state a basis state."""


@dataclass(slots=True)
class Pen:
    """Draws choices; the first of each kind is the simplest, which is where shrinking ends."""

    draw: Any
    taken: set[str] = field(default_factory=set)

    def one(self, choices: Sequence[Choice]) -> Choice:
        """One of them."""
        return self.draw(st.sampled_from(choices))

    def number(self, low: int, high: int) -> int:
        """Both ends are possible."""
        return self.draw(st.integers(low, high))

    def chance(self, percent: int) -> bool:
        """True in about so many cases of a hundred; shrinks to False."""
        return self.draw(st.integers(0, 99)) >= 100 - percent

    def some(self, choices: Sequence[Choice], number: int) -> list[Choice]:
        """Different ones, in any order."""
        return self.draw(st.permutations(choices))[:number]

    def fresh(self, names: Sequence[str]) -> str:
        """A name that is not taken yet, now taken."""
        free = [name for name in names if name not in self.taken]
        name = self.one(free) if free else f"name{len(self.taken)}"
        self.taken.add(name)
        return name
