"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FrozenClock:
    """A :class:`~qdepot.ports.clock.Clock` for tests.

    Attributes:
        start: What :meth:`now` shows at first.
    """

    def __init__(self, start: datetime = datetime(2030, 1, 1, 12, tzinfo=UTC)) -> None:
        self.start = start
        self._now = start
        self._monotonic = 1000.0
        self._boot = 1

    def now(self) -> datetime:
        """The time of day that the test has set."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since the boot that the test has set."""
        return self._monotonic

    def boot_id(self) -> str:
        """Changes with :meth:`reboot` only."""
        return f"boot-{self._boot}"

    def advance(self, seconds: float) -> None:
        """Let time pass, on both hands of the clock."""
        if seconds < 0:
            raise ValueError("time does not go back; set_now() makes the time of day jump")
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def set_now(self, now: datetime) -> None:
        """Make the time of day jump; monotonic time does not see it."""
        self._now = now

    def reboot(self) -> None:
        """Start the machine again: monotonic time begins anew under another boot id."""
        self._boot += 1
        self._monotonic = 1.0
