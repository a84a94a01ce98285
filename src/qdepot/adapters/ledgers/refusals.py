"""What every ledger says when it refuses, in the same words."""

from __future__ import annotations

from datetime import datetime

from qdepot.domain.job import Job
from qdepot.errors import ConflictError, GoneError, InvalidRequestError, NotFoundError
from qdepot.ports.ledger import JobExistsError


def exists_already(job_id: str, *, what: str) -> JobExistsError:
    """Somebody has this ``what`` (id, idempotency key) already: the job that is named."""
    return JobExistsError(f"There is a job with this {what} already: {job_id}.", details={"job_id": job_id})


def not_found(job_id: str) -> NotFoundError:
    """No such job."""
    return NotFoundError(f"There is no job {job_id}.", details={"job_id": job_id})


def gone(job_id: str, *, at: datetime) -> GoneError:
    """There is a tombstone."""
    return GoneError(f"Job {job_id} was deleted at {at.isoformat()}.", details={"job_id": job_id})


def not_final(job: Job) -> ConflictError:
    """Only what has ended can be deleted."""
    return ConflictError(
        f"Job {job.id} is {job.shown_status}; only a job that has ended can be deleted.",
        solution="Cancel it first, or wait until it has ended.",
        details={"job_id": job.id, "status": job.shown_status},
    )


def page_limit_checked(limit: int) -> None:
    """A page has room for a job."""
    if limit < 1:
        raise InvalidRequestError(f"A page of {limit} jobs cannot be shown.", solution="Ask for at least one.")
