"""Submitter: hand jobs to their backends, each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from qdepot.archive.request import RequestRecord
from qdepot.domain.job import Duty, Job, JobChange, JobStatus, Stage
from qdepot.errors import InvalidRequestError, QDepotError, UnavailableError
from qdepot.ports.object_store import ObjectNotFoundError
from qdepot.ports.provider import Provider, ProviderStatus, RunsHere, Submission
from qdepot.reconciler.desk import BATCH, Desk, failure_of
from qdepot.reconciler.isolation import MOST_TRIES, is_lasting, own_error
from qdepot.reconciler.receipt import store_receipt, tidy_up

FIRST_LOOK_S = 0.2
"""When a job that runs here is looked at for the first time, if it does not announce its end before."""
_LATER_S = 0.005
"""So much later for each job that is in hand besides: they may well be before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitter:
    """Gives a provider as many jobs as it has room for.

    Attributes:
        desk: What it works at.
        provider: Whom it serves.
        note_ended: Told the ids of jobs that ended while they were still being handed over.
    """

    desk: Desk
    provider: Provider
    note_ended: Callable[[Sequence[str]], None]

    def run_once(self) -> int:
        """Hand over one batch; how many jobs it met."""
        here = self.provider if isinstance(self.provider, RunsHere) else None
        most = BATCH if here is None else min(BATCH, here.room())
        room = self.desk.allowance(self.provider, most)
        names = self.desk.names_of(self.provider)
        if room < 1 or not names:
            return 0
        jobs = self.desk.claim(Duty.SUBMIT, limit=room, backends=names)
        if here is not None:
            self._start_here(jobs, here)
        else:
            self._send_all(jobs)
        return len(jobs)

    def _start_here(self, jobs: Sequence[Job], here: RunsHere) -> None:
        """A simulator's job may be started twice without harm, so one commit after the start serves a whole batch."""
        started: list[JobChange] = []
        ended: list[JobChange] = []
        requests = self.desk.requests.of(jobs)
        look_in_s = FIRST_LOOK_S + _LATER_S * len(self.desk.in_hand)
        for place, (job, request) in enumerate(zip(jobs, requests, strict=True)):
            if place and here.room() < 1:
                # They were claimed as if they were small: any process may take them.
                self.desk.give_back([waiting.id for waiting in jobs[place:]])
                break
            change = self._started(job, request, look_in_s=look_in_s)
            (started if change.after.status is JobStatus.QUEUED else ended).append(change)
        self.desk.save(ended)
        saved = self.desk.save(started, keep_lease=True, on_lost=lambda lost: self._undo(lost, here))
        self.note_ended([job.id for job in saved if _has_ended(job, self.provider)])

    def _started(self, job: Job, request: RequestRecord | QDepotError, *, look_in_s: float) -> JobChange:
        if job.cancel_requested:
            return self._cancelled(job)
        try:
            submission = _submission(job, request)
            with self.desk.asking(self.provider):
                provider_job_id = self.provider.submit(submission)
        except Exception as error:
            return self._refused(job, own_error(error, job_id=job.id, step="start"))
        return self._queued(job, provider_job_id, retry_in_s=look_in_s)

    def _undo(self, lost: Sequence[str], here: RunsHere) -> None:
        """Take back runs whose start could not be saved.

        The runs are forgotten before the jobs are given back: a run that was only cancelled would be found under the
        same tag by the next start, and would be taken for one that the owner cancelled.
        """
        for job_id in lost:
            here.give_up(job_id)
        self.desk.give_back(lost)

    def _send_all(self, jobs: Sequence[Job]) -> None:
        for place, job in enumerate(jobs):
            if not self.desk.allowance(self.provider, 1):
                # It stopped answering on the way: the others wait where any process may take them.
                self.desk.give_back([waiting.id for waiting in jobs[place:]])
                return
            self._send(job)

    def _send(self, job: Job) -> None:
        """Intent, call, receipt, commit: whoever finds the job after a crash in between can tell what may have been."""
        if job.cancel_requested:
            self.desk.save([self._cancelled(job)])
            return
        try:
            [request] = self.desk.requests.of([job])
            submission = _submission(job, request)
            is_new = self.desk.archive.put_prepared(job, tag=submission.tag)
            if not is_new and self._has_receipt(job):
                # The row is behind the archive, as in a database from an old backup: the rescuer adopts the job.
                self.desk.save([self._intent(job, "its receipt is stored")])
                return
        except Exception as error:
            self.desk.save([self._refused(job, own_error(error, job_id=job.id, step="send"))])
            return
        self.desk.sending.take([job])
        try:
            intended = self._intended(job)
            if intended is None:
                tidy_up(self.desk, job)
            else:
                self._hand_over(intended, submission)
        finally:
            self.desk.sending.drop([job.id])

    def _intended(self, job: Job) -> Job | None:
        """The job with its intent stored; None if it is another process's by now. The call follows at once."""
        intended = self.desk.save([self._intent(job, "about to be sent")], keep_lease=True)
        return intended[0] if intended and self.desk.still_held(job) else None

    def _intent(self, job: Job, why: str) -> JobChange:
        return job.moved_to(JobStatus.CREATED, Stage.SUBMITTING, at=self.desk.now(), by="submitter", why=why)

    def _has_receipt(self, job: Job) -> bool:
        try:
            self.desk.archive.read_receipt(job)
        except ObjectNotFoundError:
            return False
        return True

    def _hand_over(self, job: Job, submission: Submission) -> None:
        try:
            with self.desk.asking(self.provider):
                provider_job_id = self.provider.submit(submission)
        except Exception as error:
            if _sent_nothing(error):
                self.desk.save([self._refused(job, error)])
                return
            # The answer was lost: the rescuer finds out what became of it.
            lost = own_error(error, job_id=job.id, step="send")
            self.desk.save([self.desk.later(job, lost, by="submitter", stage=Stage.SUBMITTING)])
            return
        store_receipt(self.desk, self._queued(job, provider_job_id))

    def _queued(self, job: Job, provider_job_id: str, *, retry_in_s: float = 0.0) -> JobChange:
        return job.moved_to(
            JobStatus.QUEUED,
            Stage.WAITING,
            at=self.desk.now(),
            by="submitter",
            why=f"{job.backend} has it",
            provider_job_id=provider_job_id,
            retry_in_s=retry_in_s,
        )

    def _cancelled(self, job: Job) -> JobChange:
        return self.desk.ending(job, JobStatus.CANCELLED, by="submitter", why="cancelled before it was sent")

    def _refused(self, job: Job, error: QDepotError) -> JobChange:
        if isinstance(error, InvalidRequestError) or (is_lasting(error) and job.failures_in_row + 1 >= MOST_TRIES):
            why = f"{job.backend} refused it" if isinstance(error, InvalidRequestError) else error.message
            return self.desk.ending(job, JobStatus.FAILED, by="submitter", why=why, failure=failure_of(error))
        return self.desk.later(job, error, by="submitter")


def _submission(job: Job, request: RequestRecord | QDepotError) -> Submission:
    if isinstance(request, QDepotError):
        raise request
    return Submission(
        tag=tag_of(job),
        job_id=job.id,
        backend=job.backend,
        program=request.program(),
        options=job.options,
        owner=job.project,
        timeout_s=job.timeout_s,
        summary=job.summary,
        done=job.circuits_done,
    )


def tag_of(job: Job) -> str:
    """What marks this attempt of a job at its backend."""
    return f"{job.id}.{job.attempt}"


def _sent_nothing(error: Exception) -> TypeGuard[QDepotError]:
    """Only the two errors of the contract say so; after any other, as after a lost answer, the backend may have it."""
    return isinstance(error, InvalidRequestError | UnavailableError) and not error.details.get("maybe_sent")


def _has_ended(job: Job, provider: Provider) -> bool:
    """An end that was announced before the job was saved as QUEUED reached nobody; so look once more."""
    try:
        status = provider.status(job.provider_job_id or "").status
    except QDepotError:
        return True
    return status not in {ProviderStatus.QUEUED, ProviderStatus.RUNNING}
