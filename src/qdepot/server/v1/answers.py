"""From the services to the wire. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping

from qdepot.domain.backend import BackendInfo
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Failure, Job, JobStatus
from qdepot.wire.answers import BackendAnswer, EventAnswer, FailureAnswer, JobAnswer, StatusAnswer

JOBS_PATH = "/v1/jobs"


def path_of(job: Job) -> str:
    """Where a job is found."""
    return f"{JOBS_PATH}/{job.id}"


def status_answer(job: Job) -> StatusAnswer:
    """The status of a job."""
    return StatusAnswer(
        id=job.id,
        status=job.shown_status,  # one of WireStatus: pydantic checks it
        stage=job.stage.value,
        why=job.why,
        attempt=job.attempt,
        queue_position=job.queue_position,
        circuits_done=job.circuits_done,
        num_circuits=job.num_circuits,
        ended_at=job.ended_at,
    )


def job_answer(job: Job) -> JobAnswer:
    """All about a job, without its result."""
    return JobAnswer.model_validate(
        {
            **{name: getattr(job, name) for name in _SAME},
            "status": job.shown_status,
            "stage": job.stage.value,
            "tags": list(job.tags),
            "options": dict(job.options),
            "summary": None if job.summary is None else dict(job.summary),
            "failure": None if job.failure is None else failure_answer(job.failure),
            "links": links_of(job),
        }
    )


def failure_answer(failure: Failure) -> FailureAnswer:
    """Why a job failed."""
    return FailureAnswer.model_validate(
        {
            "code": failure.code,
            "message": failure.message,
            "solution": failure.solution,
            "details": dict(failure.details),
        }
    )


def links_of(job: Job) -> Mapping[str, str]:
    """Where to go from a job."""
    path = path_of(job)
    links = {name: f"{path}/{name}" for name in ("status", "program", "events", "objects")}
    if job.status is JobStatus.COMPLETED:
        links["result"] = f"{path}/result"
    elif job.circuits_done:
        links["partial_result"] = f"{path}/result?partial=true"
    if job.is_final:
        links["export"] = f"{path}/export"
        links["download"] = f"{path}/download"
    else:
        links["cancel"] = f"{path}/cancel"
    return {"self": path, **links}


def event_answer(event: JobEvent) -> EventAnswer:
    """A line of a job's history."""
    return EventAnswer(
        number=event.number,
        at=event.at,
        from_status=event.from_status,
        to_status=event.to_status,
        stage=event.stage,
        attempt=event.attempt,
        by=event.by,
        why=event.why,
    )


def backend_answer(backend: BackendInfo) -> BackendAnswer:
    """A backend."""
    return BackendAnswer.model_validate(
        {
            **{name: getattr(backend, name) for name in BackendAnswer.model_fields},
            "kinds": sorted(backend.kinds),
            "formats": sorted(backend.formats),
            "options": sorted(backend.options),
        }
    )


_OWN = {"status", "stage", "tags", "options", "summary", "failure", "result", "links"}
_SAME = tuple(name for name in JobAnswer.model_fields if name not in _OWN)
