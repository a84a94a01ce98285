"""Is the service fit to work?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from qdepot.errors import QDepotError
from qdepot.ports.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Runs one check per part.

    Attributes:
        checks: By name of the part: returns if it is well, raises QDepotError if not.
    """

    checks: Mapping[str, Callable[[], None]]

    def report(self) -> dict[str, str]:
        """Per part ``ok``, or what is wrong."""
        return {name: _outcome(check) for name, check in self.checks.items()}


class Recent:
    """A check that writes to its part, and is therefore made anew only every so often. Thread-safe.

    A failure is not kept: the part is looked at again at the next call.
    """

    def __init__(self, check: Callable[[], None], *, clock: Clock, good_for_s: float = 20.0) -> None:
        """Nothing is checked yet."""
        self._check = check
        self._clock = clock
        self._good_for_s = good_for_s
        self._good_until = float("-inf")

    def __call__(self) -> None:
        """Check, unless that went well a moment ago. Raises what the check raises."""
        if self._clock.monotonic() < self._good_until:
            return
        self._check()
        self._good_until = self._clock.monotonic() + self._good_for_s


def _outcome(check: Callable[[], None]) -> str:
    try:
        check()
    except QDepotError as error:
        return error.message
    return "ok"
