"""Long lists in pieces that fit into one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

_MOST = 1000


def batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """The items, at most a thousand at a time."""
    return (items[start : start + _MOST] for start in range(0, len(items), _MOST))
