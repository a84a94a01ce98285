"""Poller: ask backends what became of their jobs."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from qdepot.domain.backend import BackendInfo
from qdepot.domain.job import Duty, Failure, Job, JobChange, JobStatus, Stage
from qdepot.domain.plain_text import plain_text
from qdepot.errors import NotFoundError, QDepotError, UnavailableError, WorkerLostError
from qdepot.ports.provider import PollsMany, Provider, ProviderReport, ProviderStatus, RunsHere
from qdepot.reconciler.desk import BATCH, Desk, backoff_s
from qdepot.reconciler.finished import Finished
from qdepot.reconciler.isolation import own_error
from qdepot.reconciler.parts import Parts
from qdepot.reconciler.receipt import tidy_up
from qdepot.reconciler.reports import UNANSWERED_IN_ROW, reports_of

MAX_CRASHES = 3
"""A job whose worker was lost so often, and by a crash in the end, is taken to be what crashes it."""

MAX_LOSSES = 20
"""A job is given up after so many losses of its worker, also where something else killed that."""

_WORKER_LOST = "its worker was lost"

_LONGEST_WAIT_S = 60.0
_LONGEST_WAIT_HERE_S = 5.0


class Announced:
    """Jobs that are said to have ended; they are asked for at once. Thread-safe."""

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}
        self._lock = threading.Lock()

    def note(self, job_ids: Sequence[str]) -> None:
        """Remember jobs."""
        with self._lock:
            self._ids.update(dict.fromkeys(job_ids))

    def take(self, limit: int) -> list[str]:
        """Up to ``limit`` of the jobs noted, oldest first; they are forgotten."""
        with self._lock:
            taken = list(self._ids)[:limit]
            for job_id in taken:
                del self._ids[job_id]
            return taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Poller:
    """Moves jobs as their backends report.

    Attributes:
        desk: What it works at.
        provider: Whom it asks.
        announced: Jobs that are said to have ended.
        finished: Where jobs go that are done in this process.
    """

    desk: Desk
    provider: Provider
    announced: Announced = field(default_factory=Announced)
    finished: Finished = field(default_factory=Finished)

    @property
    def _parts(self) -> Parts:
        return Parts(desk=self.desk, provider=self.provider)

    def run_once(self) -> int:
        """Ask about the jobs announced and about one batch of those that are due; how many it met."""
        at_collector = self.finished.ids()
        jobs = self._met_again([job_id for job_id in self.announced.take(BATCH) if job_id not in at_collector])
        met = at_collector.union(job.id for job in jobs)
        page = self.provider.page_size if isinstance(self.provider, PollsMany) else BATCH
        page = self.desk.allowance(self.provider, page)
        due = self.desk.claim(Duty.POLL, limit=page, backends=self.desk.names_of(self.provider))
        jobs += [job for job in due if job.id not in met]
        for backend in sorted({job.backend for job in jobs}):
            self._ask([job for job in jobs if job.backend == backend], backend)
        return len(jobs)

    def _met_again(self, job_ids: Sequence[str]) -> list[Job]:
        """Jobs that are said to have ended: those in hand as they were seen last, which spares the ledger a claim."""
        jobs = [job for job in self.desk.in_hand.seen(job_ids) if job.next_duty is Duty.POLL]
        known = {job.id for job in jobs}
        others = [job_id for job_id in job_ids if job_id not in known]
        return jobs + (self.desk.claim(Duty.POLL, job_ids=others) if others else [])

    def _ask(self, jobs: Sequence[Job], name: str) -> None:
        try:
            backend = self.desk.backends.get(name)
            with self.desk.asking(self.provider):
                self._request_cancels(jobs)
                reports = reports_of(self.provider, jobs)
        except QDepotError as error:
            self.desk.save([self._unanswered(job, error) for job in jobs])
            return
        under_way = [job for job in jobs if _is_under_way(reports.get(job.id))]
        over = [job for job in jobs if not _is_under_way(reports.get(job.id))]
        # Those that are over do not wait until parts of the others are stored.
        for some in (over, under_way):
            self._save([self._step(job, backend, reports.get(job.id)) for job in some], backend)

    def _save(self, changes: Sequence[JobChange], backend: BackendInfo) -> None:
        # A job that runs here stays with this process until its result is stored; else another would take it for lost.
        staying = [c for c in changes if backend.runs_here and c.after.status is not JobStatus.CREATED]
        leaving = [c for c in changes if not backend.runs_here or c.after.status is JobStatus.CREATED]
        done = [c for c in staying if _is_done(c.after)]
        self.finished.put(done)
        if done:
            self.desk.wake({Duty.COLLECT})
        going_on = [c for c in staying if not _is_done(c.after)]
        saved = [*self.desk.save(going_on, keep_lease=True, on_lost=self.look_again), *self.desk.save(leaving)]
        kept = {job.id for job in (*(c.after for c in done), *saved)}
        for change in changes:
            if change.after.id not in kept and change.after.parts != change.before.parts:
                tidy_up(self.desk, change.after)

    def look_again(self, job_ids: Sequence[str]) -> None:
        """Meet jobs that are held here afresh: what their owner has edited is due at once."""
        self.desk.in_hand.forget_looks(job_ids)
        self.desk.wake({Duty.POLL})

    def _request_cancels(self, jobs: Sequence[Job]) -> None:
        """Pass requests to cancel on. One that does not get through is passed on with the next poll."""
        unanswered = 0
        for job in jobs:
            if not job.cancel_requested or job.provider_job_id is None or unanswered == UNANSWERED_IN_ROW:
                continue
            try:
                self.provider.cancel(job.provider_job_id)
            except NotFoundError:
                continue  # its report says so, too, and decides
            except UnavailableError:
                unanswered += 1
            except Exception as error:
                own_error(error, job_id=job.id, step="cancel")

    def _step(self, job: Job, backend: BackendInfo, report: ProviderReport | QDepotError | None) -> JobChange:
        """What a report means for its job. What goes wrong with that is the trouble of this job alone."""
        try:
            return self._reported(job, backend, report)
        except UnavailableError:
            raise
        except Exception as error:
            return self._unanswered(job, own_error(error, job_id=job.id, step="poll"))

    def _reported(self, job: Job, backend: BackendInfo, report: ProviderReport | QDepotError | None) -> JobChange:
        if report is None:
            return self._lost(job, backend, f"{job.backend} does not know it any more")
        if isinstance(report, QDepotError):
            return self._unanswered(job, report)
        if report.status is ProviderStatus.FAILED:
            return self._failed(job, backend, report)
        if report.status is ProviderStatus.CANCELLED:
            return self.desk.ending(job, JobStatus.CANCELLED, by="poller", why=f"cancelled at {job.backend}")
        if report.status is ProviderStatus.DONE:
            return job.moved_to(
                JobStatus.RUNNING,
                Stage.COLLECTING,
                at=self.desk.now(),
                by="poller",
                why=f"{job.backend} is done",
                vendor_status=plain_text(report.vendor_status),
                last_poll_error=None,
                failures_in_row=0,
            )
        return self._under_way(job, backend, report)

    def _under_way(self, job: Job, backend: BackendInfo, report: ProviderReport) -> JobChange:
        wait_s = _wait_s(job, backend, self.desk)
        try:
            stored = self._parts.stored(job)
        except NotFoundError as error:
            # Another process stored other parts than those that this run goes on from.
            return self._lost(job, backend, error.message)
        if report.status is ProviderStatus.RUNNING and job.status is JobStatus.QUEUED:
            return job.moved_to(
                JobStatus.RUNNING,
                Stage.RUNNING,
                at=self.desk.now(),
                by="poller",
                why=f"runs at {job.backend}",
                retry_in_s=wait_s,
                vendor_status=plain_text(report.vendor_status),
                queue_position=None,
                last_poll_error=None,
                next_try_at=self.desk.now() + timedelta(seconds=wait_s),
                failures_in_row=0,
                **stored,
            )
        # A late "queued" of a job that runs moves nothing back.
        return job.edited(
            retry_in_s=wait_s,
            vendor_status=plain_text(report.vendor_status),
            queue_position=report.queue_position,
            last_poll_error=None,
            next_try_at=self.desk.now() + timedelta(seconds=wait_s),
            failures_in_row=0,
            **stored,
        )

    def _failed(self, job: Job, backend: BackendInfo, report: ProviderReport) -> JobChange:
        failure = report.failure or Failure(code="backend_failed", message=f"{job.backend} reported a failure")
        if failure.code == WorkerLostError.code and backend.repeatable:
            if failure.details.get("outage"):  # which no job can have caused, so that it does not count
                return self._again(job, failure.message)
            most = MAX_CRASHES if failure.details.get("crashed", True) else MAX_LOSSES
            if self._losses(job) + 1 < most:
                return self._again(job, f"{_WORKER_LOST}: {failure.message}")
        why = f"failed at {job.backend}"
        return self.desk.ending(job, JobStatus.FAILED, by="poller", why=why, failure=failure)

    def _lost(self, job: Job, backend: BackendInfo, why: str) -> JobChange:
        if job.cancel_requested:
            return self.desk.ending(job, JobStatus.CANCELLED, by="poller", why=why)
        if backend.repeatable:
            return self._again(job, why)
        failure = Failure(
            code="lost_by_backend",
            message=f"{job.backend} does not know job {job.provider_job_id} any more",
            solution="Ask the backend's operator; submit it again if it may run, and cost, once more.",
        )
        return self.desk.ending(job, JobStatus.FAILED, by="poller", why=why, failure=failure)

    def _losses(self, job: Job) -> int:
        """How often its worker was lost before."""
        return sum(event.why.startswith(_WORKER_LOST) for event in self.desk.ledger.events(job.id))

    def _again(self, job: Job, why: str) -> JobChange:
        """Behind what is done; at once the first time, as after a restart, then after a growing wait."""
        recovered = self._parts.recovered(job)
        if isinstance(self.provider, RunsHere):
            self.provider.give_up(job.id)
        return job.moved_to(
            JobStatus.CREATED,
            Stage.WAITING,
            at=self.desk.now(),
            by="poller",
            why=why,
            attempt=job.attempt + 1,
            provider_job_id=None,
            vendor_status=None,
            queue_position=None,
            failures_in_row=job.failures_in_row + 1,
            retry_in_s=backoff_s(job.failures_in_row - 1) if job.failures_in_row else 0.0,
            **recovered,
        )

    def _unanswered(self, job: Job, error: QDepotError) -> JobChange:
        """A failed poll changes no status; it is recorded and tried again later, not before the provider allows it."""
        wait_s = max(backoff_s(job.failures_in_row), error.retry_after_s or 0.0)
        return job.edited(
            retry_in_s=wait_s,
            next_try_at=self.desk.now() + timedelta(seconds=wait_s),
            last_poll_error=plain_text(error.message),
            failures_in_row=job.failures_in_row + 1,
        )


def _is_done(job: Job) -> bool:
    """True for one whose result is there, and false for one that has failed or was cancelled."""
    return job.stage is Stage.COLLECTING and job.outcome is None


def _is_under_way(report: ProviderReport | QDepotError | None) -> bool:
    return isinstance(report, ProviderReport) and report.status in {ProviderStatus.QUEUED, ProviderStatus.RUNNING}


def _wait_s(job: Job, backend: BackendInfo, desk: Desk) -> float:
    """A tenth of its age: young jobs are asked about often, old ones seldom."""
    age_s = (desk.now() - (job.queued_at or job.created_at)).total_seconds()
    longest = _LONGEST_WAIT_HERE_S if backend.runs_here else _LONGEST_WAIT_S
    return min(longest, max(1.0, age_s / 10))
