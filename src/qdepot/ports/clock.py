"""Time, as the duties see it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """A source of time. Tests hand in one that stands still."""

    def now(self) -> datetime:
        """The time of day, UTC, aware. May jump; never used to decide who may act."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow, also while the machine sleeps; comparable between processes of one boot."""
        ...

    def boot_id(self) -> str:
        """Tells boots of the machine apart: readings of :meth:`monotonic` compare only within one."""
        ...
