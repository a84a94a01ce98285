"""How many jobs of a project may be on their way at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from qdepot.domain.fitting import check_count
from qdepot.errors import QuotaExceededError
from qdepot.ports.clock import Clock
from qdepot.ports.ledger import Ledger
from qdepot.services.orders import ProjectLimits

_BELIEVED_S = 1.0
_RETRY_AFTER_S = 10.0


@dataclass(slots=True)
class _Room:
    """What is known of a project: open jobs when they were counted, and those that this process has added since."""

    counted: int
    believed_until: float
    added: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """Keeps ``max_jobs_in_flight``. Thread-safe.

    A process never lets in more than the limit, however many callers come at once. It counts at most once a second, and
    when there seems to be no room; of what other processes let in it hears no sooner. So with several processes a
    project may have more by what the others accept within a second.

    Attributes:
        ledger: Where jobs are.
        clock: Judges for how long a count is believed.
        limits: What each project may.
    """

    ledger: Ledger
    clock: Clock
    limits: ProjectLimits
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _rooms: dict[str, _Room] = field(default_factory=dict, repr=False)
    _under_way: dict[str, int] = field(default_factory=dict, repr=False)

    @contextmanager
    def room_for(self, count: int, *, project: str) -> Iterator[None]:
        """Keep room for so many jobs while they are being accepted; what raises has taken none.

        Raises:
            QuotaExceededError: There is none now.
            InvalidRequestError: There can never be so much.
        """
        most = self.limits.of(project).max_jobs_in_flight
        if most is None:
            yield
            return
        check_count("jobs at once", count, most)
        self._take(count, project, most)
        try:
            yield
        except BaseException:
            self._end(count, project, were_added=False)
            raise
        self._end(count, project, were_added=True)

    def _take(self, count: int, project: str, most: int) -> None:
        with self._lock:
            room = self._rooms.get(project)
            is_believed = room is not None and self.clock.monotonic() < room.believed_until
            if room is None or not is_believed or room.counted + room.added + count > most:
                room = self._counted(project)
            if room.counted + room.added + count > most:
                raise QuotaExceededError(
                    f"project {project} has {room.counted + room.added:,} jobs that have not ended, of {most:,} that "
                    f"are allowed (limit max_jobs_in_flight): there is no room for {count:,} more",
                    solution="Wait until some have ended, or ask the operator for more.",
                    details={"limit": "max_jobs_in_flight", "value": most},
                    retry_after_s=_RETRY_AFTER_S,
                )
            room.added += count
            self._under_way[project] = self._under_way.get(project, 0) + count

    def _counted(self, project: str) -> _Room:
        """Count anew. Those that are being accepted may be in the count or not: they are taken to be not."""
        room = _Room(
            counted=self.ledger.count_open(project),
            believed_until=self.clock.monotonic() + _BELIEVED_S,
            added=self._under_way.get(project, 0),
        )
        self._rooms[project] = room
        return room

    def _end(self, count: int, project: str, *, were_added: bool) -> None:
        with self._lock:
            self._under_way[project] -= count
            if not were_added:
                self._rooms[project].added -= count
