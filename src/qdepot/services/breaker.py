"""Circuit breaker: leave a provider that does not answer in peace, and try it again after a growing while."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from qdepot.errors import UnavailableError
from qdepot.ports.clock import Clock

OPENS_AFTER = 3
"""Failures in a row after which a provider is left in peace."""

_PAUSES_S = (5.0, 15.0, 60.0, 120.0)
"""How long, the first time, the second ..., in seconds."""


class Breaker:
    """One per provider and process. Thread-safe.

    Closed, it lets everything through. After some failures in a row it opens: nobody calls. After a pause one call may
    try; if it works all is as before, if not the next pause is longer.
    """

    def __init__(self, clock: Clock) -> None:
        """Closed."""
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = float("-inf")
        self._since: datetime | None = None
        self._reason = ""

    def allowance(self, most: int) -> int:
        """How many jobs may be taken on now: ``most``, one (to try), or none."""
        with self._lock:
            if self._failures < OPENS_AFTER:
                return most
            return min(most, 1) if self._clock.monotonic() >= self._open_until else 0

    def worked(self) -> None:
        """The provider answered."""
        with self._lock:
            self._failures, self._since, self._reason = 0, None, ""

    def failed(self, error: UnavailableError) -> None:
        """The provider did not answer, or asked to be left in peace."""
        with self._lock:
            self._since = self._since or self._clock.now()
            self._reason = error.message
            self._failures += 1
            opened = self._failures - OPENS_AFTER
            if opened >= 0:
                pause_s = max(_PAUSES_S[min(opened, len(_PAUSES_S) - 1)], error.retry_after_s or 0.0)
                self._open_until = self._clock.monotonic() + pause_s

    def trouble(self) -> str:
        """What is wrong, since when, and when it is tried again; empty while the breaker is closed."""
        with self._lock:
            if self._failures < OPENS_AFTER or self._since is None:
                return ""
            wait = timedelta(seconds=max(0, round(self._open_until - self._clock.monotonic())))
            return f"{self._reason}, since {self._since:%Y-%m-%d %H:%M:%S} UTC; it is asked again in {wait.seconds} s"
