"""How much memory large request bodies may take, all together and of one project."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import anyio

from qdepot.errors import TooManyLargeRequestsError
from qdepot.server.memory import return_memory

SMALL_BYTES = 64 * 1024
"""Bodies up to this size are not counted: the number of connections bounds them."""

_RETRY_AFTER_S = 2.0
_RETURN_AFTER_S = 1.0
_READERS = 2
"""Large bodies that are read at once. More would wait for each other, and make small requests wait."""


class BodyRoom:
    """Counts the bytes of large bodies that the service holds. Used on the event loop's thread alone."""

    def __init__(self, total_bytes: int) -> None:
        """All of it is free.

        Args:
            total_bytes: What all large bodies together may have. A single one is let in whatever its size.
        """
        self._total = total_bytes
        self._held: Counter[str] = Counter()
        self._returns = False
        self.readers = anyio.CapacityLimiter(_READERS)

    @contextmanager
    def taken(self, size: int, *, project: str, largest: int) -> Iterator[None]:
        """Hold room for one body.

        Args:
            size: Its bytes, as announced, or the most that it may have.
            project: Whose it is. It cannot take the room for one body of another project.
            largest: Bytes of the largest body that there may be.

        Raises:
            TooManyLargeRequestsError: There is no room now.
        """
        if not self._has_room(size, project, largest):
            raise TooManyLargeRequestsError(
                f"the service holds as many large requests as its memory allows: {self._total} bytes in all "
                "(setting body_memory_bytes)",
                solution="Wait as long as Retry-After says, and send large requests one after the other.",
                details={"limit": "body_memory_bytes", "value": self._total},
                retry_after_s=_RETRY_AFTER_S,
            )
        self._held[project] += size
        try:
            yield
        finally:
            self._held[project] -= size
            self._held = +self._held
            self._return_soon()

    def _has_room(self, size: int, project: str, largest: int) -> bool:
        held = self._held.total()
        if held == 0:
            return True
        kept_for_others = largest if self._total >= 2 * largest else 0
        own = self._held[project]
        return held + size <= self._total and (own == 0 or own + size <= self._total - kept_for_others)

    def _return_soon(self) -> None:
        """Return memory to the system soon after a body was released; once for many bodies."""
        with suppress(RuntimeError):  # without a loop
            loop = asyncio.get_running_loop()
            if not self._returns:
                self._returns = True
                loop.call_later(_RETURN_AFTER_S, self._return, loop)

    def _return(self, loop: asyncio.AbstractEventLoop) -> None:
        self._returns = False
        loop.run_in_executor(None, return_memory)
