"""Doubts: a person decides what became of a submission that nobody can follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qdepot.archive.archive import Archive
from qdepot.domain.caller import Caller
from qdepot.domain.job import Failure, Job, JobChange, JobStatus, Stage
from qdepot.errors import ConflictError
from qdepot.ports.clock import Clock
from qdepot.ports.ledger import Ledger
from qdepot.services.jobs import Jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """Ends the doubt about jobs that are ``in_doubt``, or goes on with jobs that are ``held``.

    Attributes:
        jobs: Finds them.
        ledger, archive, clock: Where they are.
        on_work: Called with jobs that somebody has to act on now.
    """

    jobs: Jobs
    ledger: Ledger
    archive: Archive
    clock: Clock
    on_work: Callable[[Sequence[Job]], None]

    def adopt(self, job_id: str, provider_job_id: str, *, caller: Caller) -> Job:
        """The backend has it, under this id: go on by asking for it there.

        Raises:
            ConflictError: The job is not in doubt, or another id is stored for it.
            NotFoundError: There is no such job.
        """
        job = self._doubtful(job_id, caller)
        self.archive.put_receipt(job, provider_job_id=provider_job_id)
        change = job.moved_to(
            JobStatus.QUEUED,
            Stage.WAITING,
            at=self.clock.now(),
            by=caller.user,
            why=f"found at {job.backend} as {provider_job_id}",
            provider_job_id=provider_job_id,
            failures_in_row=0,
        )
        return self._saved(change)

    def resubmit(self, job_id: str, *, caller: Caller) -> Job:
        """The backend does not have it, or may be paid again: send it as a new attempt. Raises as :meth:`adopt`."""
        job = self._doubtful(job_id, caller)
        change = job.moved_to(
            JobStatus.CREATED,
            Stage.WAITING,
            at=self.clock.now(),
            by=caller.user,
            why="to be sent again",
            attempt=job.attempt + 1 if job.stage is Stage.IN_DOUBT else job.attempt,
            failures_in_row=0,
        )
        return self._saved(change)

    def fail(self, job_id: str, *, caller: Caller) -> Job:
        """Give it up. Raises as :meth:`adopt`."""
        job = self._doubtful(job_id, caller)
        failure = Failure(
            code="given_up",
            message=f"{caller.user} gave it up: {job.why}",
            solution=f"If {job.backend} has it after all, its result is there.",
        )
        change = job.moved_to(
            job.status,
            Stage.COLLECTING,
            at=self.clock.now(),
            by=caller.user,
            why="given up",
            outcome=JobStatus.FAILED,
            failure=failure,
        )
        return self._saved(change)

    def _doubtful(self, job_id: str, caller: Caller) -> Job:
        job = self.jobs.get(job_id, caller=caller)
        if job.stage not in {Stage.IN_DOUBT, Stage.HELD}:
            raise ConflictError(
                f"job {job.id} is {job.shown_status} at stage {job.stage}: there is nothing to decide",
                details={"status": job.shown_status, "stage": job.stage.value},
            )
        return job

    def _saved(self, change: JobChange) -> Job:
        if not self.ledger.save([change])[0]:
            raise ConflictError(f"job {change.after.id} changed just now", solution="Look at it again, then decide.")
        self.on_work([change.after])
        return self.jobs.told(change.after)
