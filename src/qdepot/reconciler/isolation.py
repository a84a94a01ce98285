"""One job's failure is its own: no other job waits for it, is repeated for it, or tells of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from qdepot.errors import ArchiveDamagedError, InternalError, QDepotError, UnavailableError, WorkerLostError

T = TypeVar("T")

_log = logging.getLogger(__name__)

MOST_TRIES = 3
"""A step that fails as it must fail each time is tried so often; then the job ends."""


def own_error(error: Exception, *, job_id: str, step: str) -> QDepotError:
    """An error as the reason of one job. What nobody expected goes into the log, not into the job's history."""
    if isinstance(error, QDepotError):
        return error
    _log.error("job_step_failed step=%s job_id=%s", step, job_id, exc_info=error)
    return InternalError(
        f"qdepot failed to {step} this job ({type(error).__name__})",
        solution="The operator finds the reason in the service's log, by the job's id.",
    )


def is_lasting(error: QDepotError) -> bool:
    """True if the same will happen again whenever the step is repeated.

    An archive that is damaged can be restored, and what does not answer now may answer later. A child that crashed, not
    one that was stopped, crashed because of what it worked on.
    """
    if isinstance(error, WorkerLostError):
        return bool(error.details.get("crashed")) and not error.details.get("outage")
    return not isinstance(error, UnavailableError | ArchiveDamagedError)


def in_turns(items: Sequence[T], *, project_of: Callable[[T], str]) -> Iterator[T]:
    """One item of each project, then the next of each: where tries are few, those of one use up no other's."""
    waiting: dict[str, list[T]] = {}
    for item in items:
        waiting.setdefault(project_of(item), []).append(item)
    for place in range(max(map(len, waiting.values()), default=0)):
        yield from (line[place] for line in waiting.values() if place < len(line))
