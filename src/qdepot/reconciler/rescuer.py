"""Rescuer: find out what became of jobs whose submitter died between intent and receipt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from qdepot.domain.job import Duty, Job, JobChange, JobStatus, Stage
from qdepot.ports.object_store import ObjectNotFoundError
from qdepot.ports.provider import FindsByTag, Provider
from qdepot.reconciler.desk import Desk
from qdepot.reconciler.isolation import own_error
from qdepot.reconciler.receipt import store_receipt
from qdepot.reconciler.submitter import tag_of

RESCUER = "rescuer"
"""By whom the history says that something was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescuer:
    """Adopts, sends again, or leaves to a person: whatever the backend's abilities allow without paying twice.

    Attributes:
        desk: What it works at.
        provider: Whose jobs it looks after.
        send_deadline_s: A call to a backend is cut off after so many seconds; later nothing of it can arrive there.
    """

    desk: Desk
    provider: Provider
    send_deadline_s: float

    def run_once(self) -> int:
        """Look after one batch; how many jobs it met."""
        jobs = self.desk.claim(Duty.RESCUE, backends=self.desk.names_of(self.provider))
        # Asked behind the claim: what a thread of this process is sending right now needs no rescue.
        under_way = set(self.desk.sending.ids())
        stranded = [job for job in jobs if job.id not in under_way]
        for job in stranded:
            self._rescue(job)
        return len(stranded)

    def _rescue(self, job: Job) -> None:
        try:
            change = self._rescued(job)
            if change.after.provider_job_id is None:
                self.desk.save([change])
            else:
                store_receipt(self.desk, change)
        except Exception as caught:
            error = own_error(caught, job_id=job.id, step="find")
            self.desk.save([self.desk.later(job, error, by=RESCUER, stage=job.stage)])

    def _rescued(self, job: Job) -> JobChange:
        noted = self._noted(job)
        if noted is not None:
            return _adopted(job, noted, at=self.desk.now(), why=f"{job.backend} has it: its receipt was stored")
        backend = self.desk.backends.get(job.backend)
        if backend.repeatable or backend.takes_key:
            return self._again(job, "sent again: this backend runs a tag only once, or repeats without harm")
        provider = self.provider
        if not (backend.finds_by_tag and isinstance(provider, FindsByTag)):
            return job.moved_to(
                JobStatus.CREATED,
                Stage.IN_DOUBT,
                at=self.desk.now(),
                by=RESCUER,
                why=f"nobody can tell whether {job.backend} has it; look there for {tag_of(job)}, then: "
                f"qdepot resolve {job.id} --adopt ITS_ID | --resubmit | --fail",
            )
        return self._searched(job, provider.find_by_tag, wait_s=backend.visibility_delay_s + self.send_deadline_s)

    def _searched(self, job: Job, find: Callable[[str], str | None], *, wait_s: float) -> JobChange:
        """Adopt what is found; send again what stays absent, once nothing of the first try can appear any more."""
        if job.stage is Stage.SEARCHING and (left_s := self._left_s(job)) > 0:
            return job.edited(retry_in_s=left_s)
        with self.desk.asking(self.provider):
            provider_job_id = find(tag_of(job))
        if provider_job_id is not None:
            return _adopted(job, provider_job_id, at=self.desk.now(), why=f"found by its tag at {job.backend}")
        if job.stage is not Stage.SEARCHING:
            return self._look_again(job, wait_s=wait_s)
        return self._again(job, "sent again: its tag stayed absent at the backend")

    def _noted(self, job: Job) -> str | None:
        """The backend's id, if the one who sent the job died behind the receipt."""
        try:
            return self.desk.archive.read_receipt(job)
        except ObjectNotFoundError:
            return None

    def _left_s(self, job: Job) -> float:
        """How long it is until a job may be looked for again.

        The ledger makes a job due before that when its owner edits it or wishes its end, and after a boot of the
        machine. What is sent again that early may be paid twice.
        """
        return (job.next_try_at - self.desk.now()).total_seconds() if job.next_try_at is not None else 0.0

    def _look_again(self, job: Job, *, wait_s: float) -> JobChange:
        return job.moved_to(
            JobStatus.CREATED,
            Stage.SEARCHING,
            at=self.desk.now(),
            by=RESCUER,
            why="its tag is not visible at the backend yet",
            failures_in_row=0,
            retry_in_s=wait_s,
            next_try_at=self.desk.now() + timedelta(seconds=wait_s),
        )

    def _again(self, job: Job, why: str) -> JobChange:
        return job.moved_to(
            JobStatus.CREATED,
            Stage.WAITING,
            at=self.desk.now(),
            by=RESCUER,
            why=why,
            failures_in_row=0,
            next_try_at=None,
        )


def _adopted(job: Job, provider_job_id: str, *, at: datetime, why: str) -> JobChange:
    return job.moved_to(
        JobStatus.QUEUED,
        Stage.WAITING,
        at=at,
        by=RESCUER,
        why=why,
        provider_job_id=provider_job_id,
        failures_in_row=0,
        next_try_at=None,
    )
