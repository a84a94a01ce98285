"""Jobs: submit, look, cancel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from qdepot.domain.caller import Caller
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Job
from qdepot.errors import QDepotError
from qdepot.ports.ledger import JobFilter, Page
from qdepot.services.orders import JobOrder, Submitted


class Jobs(Protocol):  # becomes a frozen dataclass over ledger, archive, backends, pool and clock
    """What can be asked of jobs. Everything is seen through the caller's project: others' jobs do not exist."""

    def submit(
        self, order: JobOrder, *, caller: Caller, job_id: str | None = None, idempotency_key: str | None = None
    ) -> Submitted:
        """Accept a job: check, archive the request, commit the row. A repeat of an accepted order gives the same job.

        Raises:
            NotFoundError: No such backend.
            InvalidRequestError: One of its subclasses says what is wrong with the order; nothing is left behind.
            ConflictError: The id or the key was used with another body.
            UnavailableError: Store or ledger do not answer; nothing was accepted. A repeat with the same key is safe.
        """
        ...

    def submit_many(
        self, orders: Sequence[JobOrder], *, caller: Caller, atomic: bool, idempotency_key: str | None = None
    ) -> list[Submitted | QDepotError]:
        """Accept many jobs with one request object and one commit; the answers are in the order of the orders.

        Raises:
            InvalidRequestError: ``atomic`` and one of the orders is bad (``details["job"]`` says which).
        """
        ...

    def get(self, job_id: str, *, caller: Caller) -> Job:
        """One job. Raises NotFoundError (also for nonsense ids and other projects' jobs) or GoneError."""
        ...

    def get_many(self, job_ids: Sequence[str], *, caller: Caller) -> dict[str, Job]:
        """Those of the jobs that exist, by id."""
        ...

    def page(self, job_filter: JobFilter, *, caller: Caller, limit: int, cursor: str | None = None) -> Page:
        """A page of the project's jobs, newest first."""
        ...

    def events(self, job_id: str, *, caller: Caller, after: int = 0) -> list[JobEvent]:
        """The history of a job."""
        ...

    def program(self, job_id: str, *, caller: Caller) -> bytes:
        """The ``program`` of the request as it was sent: UTF-8 JSON."""
        ...

    def result(self, job_id: str, *, caller: Caller) -> Iterator[bytes]:
        """The result document ``{"results": [...]}`` in pieces, read from the archive.

        Raises:
            NotFinishedError: It is not final; ``details["status"]`` says what it is.
            JobFailedError: It ended without one; details hold ``status`` and ``failure``.
        """
        ...

    def result_arrays(self, job_id: str, *, caller: Caller) -> Iterator[bytes]:
        """Per-shot outcomes, as the bytes of an ``.npz`` file with arrays ``memory/<circuit>/<register>``.

        Raises as :meth:`result`, and NotFoundError if the job did not ask for memory.
        """
        ...

    def objects(self, job_id: str, *, caller: Caller) -> list[dict[str, object]]:
        """Where the job lies: ``area``, ``key``, ``size_bytes``, ``sha256`` and, for a bundle, ``members``."""
        ...

    def cancel(self, job_id: str, *, caller: Caller) -> Job:
        """Wish that the job ends; repeats are fine. Raises ConflictError if it has ended otherwise."""
        ...

    def edit(self, job_id: str, *, caller: Caller, name: str | None = None, tags: Sequence[str] | None = None) -> Job:
        """Change name or tags, in the archive first."""
        ...

    def delete(self, job_id: str, *, caller: Caller) -> None:
        """Remove a final job with its objects; a tombstone stays. Raises ConflictError if it is not final."""
        ...
