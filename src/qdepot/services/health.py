"""Is the service fit to work?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from qdepot.errors import QDepotError


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


def _outcome(check: Callable[[], None]) -> str:
    try:
        check()
    except QDepotError as error:
        return error.message
    return "ok"
