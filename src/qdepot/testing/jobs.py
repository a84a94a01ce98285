"""Jobs and events for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from qdepot.domain.event import JobEvent
from qdepot.domain.job import Failure, Job, JobChange, JobStatus, Stage

MADE_AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
"""When :func:`make_job` says that its jobs were accepted, unless told otherwise."""


def job_id_of(number: int) -> str:
    """A valid job id that sorts as ``number`` does."""
    return str(UUID(int=(0x7 << 76) | (0x2 << 62) | (number << 80) | number))


def make_job(number: int = 1, **fields: Any) -> Job:  # noqa: ANN401 - fields of Job
    """A freshly accepted job; ``number`` tells it from others, ``fields`` override anything."""
    job_id = fields.pop("id", job_id_of(number))
    given: dict[str, Any] = {
        "id": job_id,
        "backend": "aer",
        "kind": "sampler",
        "created_at": MADE_AT,
        "num_circuits": 1,
        "shots": 1024,
        "request_sha256": f"{number:064x}",
        "request_key": f"pending/{job_id}/request.json",
    }
    return Job(**{**given, **fields})


def accepted(job: Job, *, by: str = "jobs") -> tuple[Job, JobEvent]:
    """The job with its first event, as :meth:`~qdepot.ports.ledger.Ledger.add` takes it."""
    event = JobEvent(
        job_id=job.id,
        at=job.created_at,
        from_status="",
        to_status=job.status.value,
        stage=job.stage.value,
        attempt=job.attempt,
        by=by,
        why="accepted",
    )
    return job, event


def make_final_job(number: int = 1, status: JobStatus = JobStatus.COMPLETED, **fields: Any) -> Job:  # noqa: ANN401
    """A job that has ended, with all that belongs to its end; its pending objects are still there."""
    job = make_job(number)
    before = queued(job).after if status is JobStatus.COMPLETED else job
    return replace(ended(before, status).after, **fields)


def relabelled(job: Job, *, name: str | None = None, tags: tuple[str, ...] | None = None) -> JobChange:
    """An edit of the job's name, its tags, or both."""
    new_name, new_tags = job.name if name is None else name, job.tags if tags is None else tags
    return job.relabelled(name=new_name, tags=new_tags, at=MADE_AT, by="owner", why="name or tags edited")


def queued(job: Job, *, retry_in_s: float = 0.0, **changes: Any) -> JobChange:  # noqa: ANN401 - fields of Job
    """The step to QUEUED."""
    given = {"provider_job_id": f"vendor-{job.id}", **changes}
    return job.moved_to(
        JobStatus.QUEUED, Stage.WAITING, at=MADE_AT, by="submitter", why="sent", retry_in_s=retry_in_s, **given
    )


def ended(job: Job, status: JobStatus = JobStatus.COMPLETED, **changes: Any) -> JobChange:  # noqa: ANN401
    """The step to a final status, with all that belongs to it."""
    given: dict[str, Any] = {
        "outcome": status,
        "result_key": f"completed/{job.id}/bundle.zip",
        "result_sha256": "b" * 64,
        **changes,
    }
    if status is JobStatus.FAILED:
        given.setdefault("failure", Failure(code="backend_failed", message="the backend gave up"))
    return job.moved_to(status, Stage.DONE, at=MADE_AT, by="collector", why="stored", **given)
