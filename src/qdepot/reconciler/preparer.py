"""Preparer: read and check, before anything is sent, what could not be checked while its owner waited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qdepot.domain.job import Duty, Job, JobChange, JobStatus, Stage
from qdepot.errors import InvalidRequestError, QDepotError, ResourceLimitError
from qdepot.ports.compute_pool import ComputePool, Limits
from qdepot.ports.operations import check_task
from qdepot.ports.provider import Provider
from qdepot.reconciler.desk import Desk, failure_of
from qdepot.reconciler.isolation import MOST_TRIES, is_lasting, own_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparer:
    """Checks jobs for backends elsewhere. A simulator of our own checks in the child that runs the job.

    Attributes:
        desk: What it works at.
        provider: Whose jobs it prepares. What nobody here knows is another process's, or of a provider that has not
            answered yet.
        checker: Reads circuits in child processes.
        limits: What one check may use up.
        max_total_shots: Most shots in a job, by project.
    """

    desk: Desk
    provider: Provider
    checker: ComputePool
    limits: Limits
    max_total_shots: Callable[[str], int]

    def run_once(self) -> int:
        """Prepare one batch; how many jobs it met."""
        jobs = self.desk.claim(Duty.PREPARE, backends=self.desk.names_of(self.provider))
        for job in jobs:
            self.desk.save([self._prepared(job)])
        return len(jobs)

    def _prepared(self, job: Job) -> JobChange:
        desk = self.desk
        if job.cancel_requested:
            return desk.ending(job, JobStatus.CANCELLED, by="preparer", why="cancelled before it was sent")
        try:
            summary = job.summary if job.summary is not None else self._check(job)
        except (InvalidRequestError, ResourceLimitError) as error:
            return desk.ending(
                job, JobStatus.FAILED, by="preparer", why="the program was refused", failure=failure_of(error)
            )
        except Exception as caught:
            return self._put_off(job, own_error(caught, job_id=job.id, step="check"))
        return job.moved_to(
            JobStatus.CREATED,
            Stage.WAITING,
            at=desk.now(),
            by="preparer",
            why="checked",
            prepared=True,
            summary=summary,
            failures_in_row=0,
        )

    def _put_off(self, job: Job, error: QDepotError) -> JobChange:
        if is_lasting(error) and job.failures_in_row + 1 >= MOST_TRIES:
            why = "the program cannot be checked"
            return self.desk.ending(job, JobStatus.FAILED, by="preparer", why=why, failure=failure_of(error))
        return self.desk.later(job, error, by="preparer")

    def _check(self, job: Job) -> dict[str, object]:
        request = self.desk.archive.read_request(job)
        task = check_task(
            request.program(),
            options=job.options,
            backend=self.desk.backends.get(job.backend),
            max_total_shots=self.max_total_shots(job.project),
            owner=job.project,
            limits=self.limits,
        )
        return dict(self.checker.submit(task).result().meta)
