"""Jobs: look, cancel, edit, delete."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from qdepot.archive.archive import Archive
from qdepot.archive.notes import EDITED
from qdepot.domain.caller import Caller
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Job, JobChange, JobStatus, canonical_job_id
from qdepot.domain.waiting import why_waiting
from qdepot.errors import ConflictError, JobFailedError, NotFinishedError, QDepotError
from qdepot.ports.clock import Clock
from qdepot.ports.ledger import JobFilter, Ledger, Page
from qdepot.services.orders import JobOrder, Submitted
from qdepot.services.partial_results import PartialResult, PartialResults
from qdepot.services.submissions import Submissions

_EDIT_TRIES = 5
"""How often an owner's edit is tried again when a duty changed the job in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """What can be asked of jobs. Everything is seen through the caller's project: others' jobs do not exist.

    Attributes:
        ledger, archive, clock: Where jobs are.
        submissions: Takes new ones.
        on_work: Called with jobs that somebody has to act on now.
    """

    ledger: Ledger
    archive: Archive
    clock: Clock
    submissions: Submissions
    on_work: Callable[[Sequence[Job]], None]

    def submit(
        self, order: JobOrder, *, caller: Caller, job_id: str | None = None, idempotency_key: str | None = None
    ) -> Submitted:
        """Accept a job; see :meth:`Submissions.submit`."""
        submitted = self.submissions.submit(order, caller=caller, job_id=job_id, idempotency_key=idempotency_key)
        return replace(submitted, job=self.told(submitted.job))

    def submit_many(
        self, orders: Sequence[JobOrder], *, caller: Caller, atomic: bool, idempotency_key: str | None = None
    ) -> list[Submitted | QDepotError]:
        """Accept many jobs at once; see :meth:`Submissions.submit_many`."""
        return self.submissions.submit_many(orders, caller=caller, atomic=atomic, idempotency_key=idempotency_key)

    def get(self, job_id: str, *, caller: Caller) -> Job:
        """One job, its ``why`` a sentence on what it waits for now.

        Raises:
            NotFoundError: There is none, the id is nonsense, or it is another project's.
            GoneError: It was deleted.
        """
        return self.told(self._found(job_id, caller))

    def get_many(self, job_ids: Sequence[str], *, caller: Caller) -> dict[str, Job]:
        """Those of the jobs that exist, by id, in one query."""
        found = self.ledger.get_many(job_ids)
        return {job_id: self.told(job) for job_id, job in found.items() if job.project == caller.project}

    def page(self, job_filter: JobFilter, *, caller: Caller, limit: int, cursor: str | None = None) -> Page:
        """A page of the project's jobs, newest first.

        Raises:
            InvalidRequestError: The cursor is not one of ours.
        """
        page = self.ledger.page(replace(job_filter, project=caller.project), limit=limit, cursor=cursor)
        return replace(page, jobs=tuple(self.told(job) for job in page.jobs))

    def events(self, job_id: str, *, caller: Caller, after: int = 0) -> list[JobEvent]:
        """The history of a job. Raises as :meth:`get`."""
        return self.ledger.events(self._found(job_id, caller).id, after=after)

    def program(self, job_id: str, *, caller: Caller) -> bytes:
        """The ``program`` of the request as it was sent: UTF-8 JSON. Raises as :meth:`get`."""
        return self.archive.read_request(self._found(job_id, caller)).program_document()

    def result(self, job_id: str, *, caller: Caller) -> Iterator[bytes]:
        """The result document ``{"results": [...]}`` in pieces, read from the archive.

        Raises:
            NotFinishedError: It is not final; ``details["status"]`` says what it is.
            JobFailedError: It ended without one; details hold ``status`` and ``failure``.
        """
        return self.archive.open_result(self._completed(job_id, caller))

    def result_arrays(self, job_id: str, *, caller: Caller) -> Iterator[bytes]:
        """Per-shot outcomes, as the bytes of an ``.npz`` file with arrays ``memory/<circuit>/<register>``.

        Raises as :meth:`result`, and NotFoundError if the job did not ask for memory.
        """
        return self.archive.open_arrays(self._completed(job_id, caller))

    def partial_result(self, job_id: str, *, caller: Caller) -> PartialResult:
        """What there is of the result by now, of a job in any status. Raises as :meth:`get`.

        Reading it raises UnavailableError if the job ends just then: ask again.
        """
        return self._partial_results.result(self._found(job_id, caller))

    def partial_arrays(self, job_id: str, *, caller: Caller) -> Iterator[bytes]:
        """As :meth:`result_arrays`, of the circuits that are done, of a job in any status.

        Raises:
            NotFoundError: As for :meth:`get`; or the job did not ask for memory, or ended without any.
        """
        return self._partial_results.arrays(self._found(job_id, caller))

    def export(self, job_id: str, *, caller: Caller) -> Iterator[bytes]:
        """All that is kept of a final job as the pieces of a zip file that people can read.

        Raises:
            NotFinishedError: It is not final; ``details["status"]`` says what it is.
        """
        return self.archive.open_export(self._ended(job_id, caller))

    def bundle(self, job_id: str, *, caller: Caller) -> Iterator[bytes]:
        """The file that holds everything about a final job, as it lies in the archive, in pieces. Raises as export."""
        return self.archive.open_bundle(self._ended(job_id, caller))

    def bundle_link(self, job_id: str, *, caller: Caller, valid_for: timedelta) -> str | None:
        """An address at the store itself to fetch that file from; None if the store gives none. Raises as export.

        Whoever has the address can read the file until the time is over, without any other right.
        """
        return self.archive.bundle_link(self._ended(job_id, caller), valid_for=valid_for)

    def objects(self, job_id: str, *, caller: Caller) -> list[dict[str, object]]:
        """Where the job lies: ``area``, ``key``, ``size_bytes``, ``sha256`` and, for a bundle, ``members``."""
        return self.archive.objects(self._found(job_id, caller))

    def cancel(self, job_id: str, *, caller: Caller) -> Job:
        """Wish that the job ends; repeats are fine.

        Raises:
            ConflictError: It has ended otherwise.
            NotFoundError: As for :meth:`get`.
        """

        def wish(job: Job) -> JobChange | None:
            if job.status is JobStatus.CANCELLED or (job.cancel_requested and not job.is_final):
                return None
            if job.is_final:
                raise ConflictError(f"job {job.id} is {job.status} already", details={"status": job.status.value})
            return job.edited(at=self.clock.now(), by=caller.user, why="cancel requested", cancel_requested=True)

        job = self._change(job_id, caller, wish)
        self.on_work([job])
        return self.told(job)

    def edit(self, job_id: str, *, caller: Caller, name: str | None = None, tags: Sequence[str] | None = None) -> Job:
        """Change name or tags, in the archive first.

        Raises:
            NotFoundError: As for :meth:`get`.
            UnavailableError: Store or ledger do not answer; a repeat is safe.
        """

        def rename(job: Job) -> JobChange | None:
            new_name = job.name if name is None else name
            new_tags = job.tags if tags is None else tuple(tags)
            if (new_name, new_tags) == (job.name, job.tags):
                return None
            change = job.relabelled(name=new_name, tags=new_tags, at=self.clock.now(), by=caller.user, why=EDITED)
            self.archive.put_edit(change)
            return change

        return self.told(self._change(job_id, caller, rename))

    def delete(self, job_id: str, *, caller: Caller) -> None:
        """Remove a final job with its objects; a tombstone stays.

        Raises:
            ConflictError: It is not final.
            NotFoundError: As for :meth:`get`.
        """
        job = self._found(job_id, caller)
        if not job.is_final:
            raise ConflictError(
                f"job {job.id} is {job.shown_status}; only a job that has ended can be deleted",
                solution="Cancel it first, and wait until it is CANCELLED.",
                details={"status": job.shown_status},
            )
        at = self.clock.now()
        # The tombstone comes first: whatever is interrupted after it, a rebuild does not bring the job back. The row
        # goes last: a caller who got no answer repeats the call, and that does what is left to do.
        self.archive.put_tombstone(job, at=at)
        self.archive.delete(job, shared_in_use=self.ledger.unfinished_with_request(job.request_key) > 0)
        for _ in range(_EDIT_TRIES):
            if self.ledger.delete(job, at=at):
                return
            job = self._found(job_id, caller)
        raise ConflictError(f"job {job.id} keeps changing while it is being deleted", solution="Repeat the call.")

    def told(self, job: Job) -> Job:
        """The same job, its ``why`` a sentence on what it waits for now."""
        trouble = "" if job.is_final else self.submissions.acceptance.backends.trouble(job.backend)
        return replace(job, why=why_waiting(job, now=self.clock.now(), trouble=trouble))

    @property
    def _partial_results(self) -> PartialResults:
        return PartialResults(ledger=self.ledger, archive=self.archive)

    def _found(self, job_id: str, caller: Caller) -> Job:
        """The job as the ledger holds it."""
        return self.ledger.get(canonical_job_id(job_id) or job_id, project=caller.project)

    def _change(self, job_id: str, caller: Caller, step: Callable[[Job], JobChange | None]) -> Job:
        """Apply an owner's edit to the job as it is now, again if a duty was faster."""
        for _ in range(_EDIT_TRIES):
            job = self._found(job_id, caller)
            change = step(job)
            if change is None:
                return job
            if self.ledger.save([change])[0]:
                return change.after
        raise ConflictError(f"job {job_id} keeps changing", solution="Repeat the call.")

    def _ended(self, job_id: str, caller: Caller) -> Job:
        job = self._found(job_id, caller)
        if not job.is_final:
            raise NotFinishedError(
                f"job {job.id} is kept as a file once it has ended: it is {job.shown_status}",
                solution="Wait until it has ended.",
                details={"status": job.shown_status},
            )
        return job

    def _completed(self, job_id: str, caller: Caller) -> Job:
        job = self._found(job_id, caller)
        if job.status is JobStatus.COMPLETED:
            return job
        details: dict[str, object] = {"status": job.shown_status}
        if job.circuits_done:
            details["circuits_done"] = job.circuits_done
        if not job.is_final:
            raise NotFinishedError(
                f"job {job.id} has no result yet: it is {job.shown_status}",
                solution="Ask for its status with ?wait=30, then again for the result.",
                details=details,
            )
        failure = job.failure
        if failure is None:
            raise JobFailedError(f"job {job.id} was cancelled", solution=_hint(job), details=details)
        described = {"code": failure.code, "message": failure.message, "solution": failure.solution}
        details["failure"] = {**described, "details": dict(failure.details)}
        solution = f"{failure.solution} {_hint(job)}".strip()
        raise JobFailedError(f"job {job.id} failed: {failure.message}", solution=solution, details=details)


def _hint(job: Job) -> str:
    if not job.circuits_done:
        return ""
    return (
        f"The results of the first {job.circuits_done} of {job.num_circuits} circuits are kept: ask for ?partial=true."
    )
