"""The document ``job.json``: everything about a job that has ended, but its request, result and further files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from qdepot.archive.manifest import damaged
from qdepot.archive.plain import json_lines, time_of
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Failure, Job, JobStatus, Stage

JOB_FORMAT = "qdepot-job/1"

_TIMES = ("created_at", "queued_at", "running_at")
_KEPT = (
    *("project", "owner", "backend", "kind", "name", "tags", "options", "priority", "timeout_s"),
    *(*_TIMES, "num_circuits", "shots", "summary", "attempt", "provider_job_id", "vendor_status"),
    *("circuits_done", "cancel_requested", "request_sha256", "idempotency_key_sha256"),
)
_FAILURE = ("code", "message", "solution", "details")
_EVENT = ("at", "from_status", "to_status", "stage", "attempt", "by", "why")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a job ended.

    Attributes:
        status: Final.
        failure: Set exactly when the status is FAILED.
        ended_at: When (UTC, aware).
        events: The job's history, including the line about its end where that is known already.
        metadata: How it was run; plain JSON data.
    """

    status: JobStatus
    failure: Failure | None
    ended_at: datetime
    events: Sequence[JobEvent] = ()
    metadata: Mapping[str, object] = field(default_factory=dict)


def job_document(job: Job, ending: Ending, *, manifest: Sequence[Mapping[str, object]]) -> bytes:
    """What ``job.json`` holds. What only coordinates work (leases, tries, keys) is left out."""
    failure = ending.failure
    document: dict[str, object] = {
        "format": JOB_FORMAT,
        "id": job.id,
        "status": ending.status.value,
        "failure": failure and {name: getattr(failure, name) for name in _FAILURE},
        **{name: getattr(job, name) for name in _KEPT},
        "ended_at": ending.ended_at,
        "events": [{name: getattr(event, name) for name in _EVENT} for event in ending.events],
        "metadata": ending.metadata,
        "manifest": list(manifest),
    }
    return json_lines(document)


def read_ending(document: Mapping[str, Any], *, key: str) -> Ending:
    """How the job of a ``job.json`` ended.

    Raises:
        ArchiveDamagedError: The document is not one that this version reads.
    """
    try:
        if document["format"] != JOB_FORMAT:
            raise damaged(key, f"job.json has the format {document['format']!r}, not {JOB_FORMAT!r}")
        return Ending(
            status=JobStatus(document["status"]),
            failure=document["failure"] and Failure(**{name: document["failure"][name] for name in _FAILURE}),
            ended_at=time_of(document["ended_at"]),
            events=tuple(_event(document["id"], event) for event in document["events"]),
            metadata=document["metadata"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(key, "job.json is not what was written") from error


def read_job(document: Mapping[str, Any], *, key: str, request_key: str) -> Job:
    """The job as the ledger held it at its end, but for what the ledger alone knows.

    ``result_key`` is ``key``; the other fields about the bundle, and ``pending_removed``, are the caller's to fill in.

    Raises:
        ArchiveDamagedError: The document is not one that this version reads.
    """
    ending = read_ending(document, key=key)
    try:
        fields = {name: document[name] for name in _KEPT}
        fields.update({name: fields[name] and time_of(fields[name]) for name in _TIMES})
        fields.update(id=document["id"], tags=tuple(fields["tags"]), status=ending.status, stage=Stage.DONE)
        fields.update(failure=ending.failure, ended_at=ending.ended_at, request_key=request_key, result_key=key)
        return Job(**fields)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(key, "job.json is not what was written") from error


def _event(job_id: str, document: Mapping[str, Any]) -> JobEvent:
    known = {name: document[name] for name in _EVENT}
    return JobEvent(job_id=job_id, **{**known, "at": time_of(known["at"])})
