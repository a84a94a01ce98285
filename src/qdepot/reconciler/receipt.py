"""Receipts: the id that a backend gave a job, first in the archive, then in the ledger."""

from __future__ import annotations

from qdepot.domain.job import Job, JobChange
from qdepot.errors import InternalError
from qdepot.reconciler.desk import Desk


def store_receipt(desk: Desk, change: JobChange) -> None:
    """Note the backend's id that a change brings, and save the change.

    Raises:
        UnavailableError: The store or the ledger does not answer; the rescuer goes on from the intent.
        ConflictError: Another id is noted: the backend has the attempt twice.
    """
    job = change.after
    if job.provider_job_id is None:
        raise InternalError(f"job {job.id} has no id from {job.backend}")
    desk.archive.put_receipt(job, provider_job_id=job.provider_job_id)
    if not desk.save([change]):
        tidy_up(desk, job)


def tidy_up(desk: Desk, job: Job) -> None:
    """This process was stopped for long, and another one may have brought the job home: leave nothing behind."""
    current = desk.ledger.get_many([job.id]).get(job.id)
    if current is None or current.is_final:
        desk.archive.remove_pending(job, shared_in_use=True)


def tidy_up_bundle(desk: Desk, job: Job) -> None:
    """As :func:`tidy_up`; a job that its owner deleted meanwhile leaves its tombstone only."""
    if job.id not in desk.ledger.get_many([job.id]):
        desk.archive.delete(job, shared_in_use=True)
