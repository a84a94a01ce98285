"""Where coordination is kept: status, leases, history, indexes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from qdepot.domain.event import JobEvent
from qdepot.domain.job import Duty, Job, JobChange, JobStatus
from qdepot.errors import ConflictError


class JobExistsError(ConflictError):
    """There is a job with this id, or with this idempotency key, already.

    ``details["job_id"]`` names it.
    """

    code = "job_exists"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs a list shows; what is None does not matter.

    Attributes:
        project: Only of this project.
        status: Only with one of these stored statuses.
        cancelling: Only (True) or only not (False) jobs that are shown as CANCELLING.
        backend, name: Exactly.
        tag: Among its tags.
        created_from: At or after.
        created_before: Before.
    """

    project: str | None = None
    status: frozenset[JobStatus] | None = None
    cancelling: bool | None = None
    backend: str | None = None
    name: str | None = None
    tag: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """What is left of a deleted job: whose it was, and when it was deleted."""

    job_id: str
    project: str
    deleted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some jobs, newest first, and where the rest begins (opaque; None at the end)."""

    jobs: tuple[Job, ...]
    next_cursor: str | None


class Ledger(Protocol):
    """One row a job, in a database that several processes share. All methods block and are thread-safe.

    **Leases.** A claim gives its *holder* (a name unique to one process) the sole right to act on a job until the lease
    lapses, by the ledger's own monotonic clock. A save by a holder whose lease has lapsed, or who never had one, is
    refused. Whatever a crashed holder had claimed can be claimed again once the lease has lapsed.

    A database that cannot be reached raises :class:`~qdepot.errors.UnavailableError`. A write has then not happened;
    or, where the error's details say ``{"maybe_committed": true}``, either as a whole or not at all.
    """

    def add(self, jobs: Sequence[tuple[Job, JobEvent]]) -> None:
        """Insert new jobs with their first events, all or none. From the commit on they exist.

        Raises:
            JobExistsError: An id, or an idempotency key within project and owner, is taken; nothing was inserted.
        """
        ...

    def restore(self, jobs: Sequence[tuple[Job, Sequence[JobEvent]]]) -> None:
        """Insert jobs that were there before, each with its history so far (in order, at least one event), all or none.

        Raises:
            JobExistsError: As for :meth:`add`.
        """
        ...

    def bury(self, deleted: Sequence[Tombstone]) -> None:
        """Leave tombstones for jobs that were deleted before. One that is there stays as it is.

        Raises:
            JobExistsError: There is a job with one of these ids; no tombstone was left.
        """
        ...

    def get(self, job_id: str, *, project: str | None = None) -> Job:
        """One job; with ``project``, as if there were no others than this project's, deleted ones neither.

        Raises:
            NotFoundError: There is none.
            GoneError: It was deleted; a tombstone is left.
        """
        ...

    def get_many(self, job_ids: Sequence[str]) -> dict[str, Job]:
        """Those of the jobs that exist, by id, in one query."""
        ...

    def find_by_idempotency_key(self, *, project: str, owner: str, key_sha256: str) -> Job | None:
        """The job that was submitted with this key, if any."""
        ...

    def page(self, job_filter: JobFilter, *, limit: int, cursor: str | None = None) -> Page:
        """A page of jobs, newest first (by ``created_at``, then id).

        Following the cursors yields every job that matched all along exactly once, also while jobs arrive.

        Raises:
            InvalidRequestError: The cursor is not one of ours.
        """
        ...

    def claim(
        self,
        duty: Duty,
        *,
        holder: str,
        lease_s: float,
        limit: int,
        job_ids: Sequence[str] | None = None,
        backends: Sequence[str] | None = None,
    ) -> list[Job]:
        """Take up to ``limit`` jobs whose next duty is ``duty``, that are due, and that nobody else holds.

        Higher priority first, then oldest first. The holder's own jobs count as free; with ``job_ids`` only those, and
        then also before they are due. ``backends`` restricts to these.
        """
        ...

    def renew(self, job_ids: Sequence[str], *, holder: str, lease_s: float) -> set[str]:
        """Extend leases; returns those that the holder still had and has now."""
        ...

    def save(self, changes: Sequence[JobChange], *, holder: str | None = None, keep_lease: bool = False) -> list[bool]:
        """Save changes with their events in one transaction; per change whether it won.

        A change wins if the row's version is still ``before.version`` and, with a ``holder``, that holder's lease has
        not lapsed; without a holder, any lease is ignored (a change by the owner). Only the fields that the change
        changes are written.

        An edit of name or tags (:meth:`Job.relabelled`) wins if, besides, the row's number of edits is still
        ``before.edits``. An edit makes no other change lose, and leaves the time at which the next duty is due as it
        is.

        A change that loses changes nothing and does not disturb those of other jobs; what follows it for the same job
        loses as well, since a chain of steps is never taken up in the middle. ``retry_in_s`` sets when the next duty is
        due. Unless ``keep_lease``, the holder's lease ends with the save.
        """
        ...

    def release(self, *, holder: str, job_ids: Sequence[str] | None = None) -> int:
        """End leases at once: those of the jobs named, or all of this holder; how many there were."""
        ...

    def events(self, job_id: str, *, after: int = 0, limit: int = 1000) -> list[JobEvent]:
        """The history of a job in order, from behind number ``after``."""
        ...

    def histories(self, job_ids: Sequence[str]) -> dict[str, list[JobEvent]]:
        """The whole histories of jobs in order, in as few queries as possible; unknown ids have empty ones."""
        ...

    def counts(self, *, project: str | None = None) -> Mapping[JobStatus, int]:
        """How many jobs have each status."""
        ...

    def count_open(self, project: str) -> int:
        """How many jobs of a project are not final. The cost grows with these, not with those that have ended."""
        ...

    def unfinished_with_request(self, request_key: str) -> int:
        """How many jobs that share this request object are not final yet."""
        ...

    def delete(self, job: Job, *, at: datetime) -> bool:
        """Remove a final job with its events, leaving a tombstone; False if it changed meanwhile.

        Raises:
            ConflictError: It is not final.
        """
        ...

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` (quick, any thread) after this process saved, and after others where it can tell."""
        ...

    def check(self) -> None:
        """Prove that the database answers and has the right schema.

        Raises:
            UnavailableError: It does not answer.
        """
        ...

    def close(self) -> None:
        """Let go of connections. May be repeated."""
        ...
