"""How fast projects may send requests."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import cached_property

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from qdepot.errors import TooManyRequestsError
from qdepot.services.orders import SubmitLimits


class Rates:
    """Counts the requests of each project, in this process alone: of several, each lets so many in. Thread-safe."""

    def __init__(self, limits_of: Callable[[str], SubmitLimits]) -> None:
        """Nothing is counted yet.

        Args:
            limits_of: What a project may.
        """
        self._limits_of = limits_of

    def admit(self, project: str) -> None:
        """Count a request.

        Raises:
            TooManyRequestsError: There were too many just now; it says when there is room again.
        """
        limits = self._limits_of(project)
        if limits.requests_per_s is None:
            return
        window = _window(limits.requests_per_s, limits.request_burst)
        if self._counter.hit(window, project):
            return
        free_at = self._counter.get_window_stats(window, project).reset_time
        raise TooManyRequestsError(
            f"project {project} may send {limits.requests_per_s:g} requests a second (limit requests_per_s), "
            f"{window.amount} at once",
            solution="Wait as long as Retry-After says. To follow many jobs, ask for their statuses in one request.",
            details={"limit": "requests_per_s", "value": limits.requests_per_s},
            retry_after_s=max(0.0, free_at - time.time()),
        )

    @cached_property
    def _counter(self) -> MovingWindowRateLimiter:
        return MovingWindowRateLimiter(MemoryStorage())


def _window(per_s: float, burst: int | None) -> RateLimitItem:
    """So many seconds that a burst is what is allowed in them."""
    seconds = max(1, math.ceil((burst or 1) / per_s))
    return RateLimitItemPerSecond(max(1, round(per_s * seconds)), seconds)
