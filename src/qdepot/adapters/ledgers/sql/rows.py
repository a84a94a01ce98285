"""Records to rows and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

from qdepot.adapters.ledgers.sql import tables
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Failure, Job, JobStatus, Stage

_JOB_FIELDS = tuple(field.name for field in fields(Job))
_EVENT_FIELDS = tuple(field.name for field in fields(JobEvent))

_json = json.JSONEncoder(separators=(",", ":")).encode

JOB_COLUMNS = tuple(tables.jobs.c[name] for name in _JOB_FIELDS)
"""What :func:`job_of` wants, in this order."""
EVENT_COLUMNS = tuple(tables.events.c[name] for name in _EVENT_FIELDS)
"""What :func:`event_of` wants, in this order."""


def job_row(job: Job) -> dict[str, Any]:
    """The columns of ``jobs`` that hold the record."""
    return {name: _stored(name, getattr(job, name)) for name in _JOB_FIELDS}


def changed_row(before: Job, after: Job) -> dict[str, Any]:
    """The columns of ``jobs`` that a step changes: a step touches a few of many, and each has its price."""
    return {
        name: _stored(name, value)
        for name in _JOB_FIELDS
        if (value := getattr(after, name)) is not (old := getattr(before, name)) and value != old
    }


def duty_row(job: Job) -> dict[str, str | None]:
    """The column of ``jobs`` that says who acts next."""
    duty = job.next_duty
    return {"duty": None if duty is None else duty.value}


def job_of(row: Row[Any] | Sequence[Any]) -> Job:
    """The record that a row of :data:`JOB_COLUMNS` holds."""
    known: dict[str, Any] = dict(zip(_JOB_FIELDS, row, strict=True))
    known["status"] = JobStatus(known["status"])
    known["stage"] = Stage(known["stage"])
    known["tags"] = () if known["tags"] == "[]" else tuple(json.loads(known["tags"]))
    known["options"] = {} if known["options"] == "{}" else json.loads(known["options"])
    if known["summary"] is not None:
        known["summary"] = json.loads(known["summary"])
    if known["outcome"] is not None:
        known["outcome"] = JobStatus(known["outcome"])
    if known["failure"] is not None:
        known["failure"] = Failure(**json.loads(known["failure"]))
    return Job(**known)


def tag_rows(job: Job) -> list[dict[str, Any]]:
    """The rows of ``job_tags`` by which the job is found."""
    return [
        {"project": job.project, "tag": tag, "created_at": job.created_at, "job_id": job.id}
        for tag in dict.fromkeys(job.tags)
    ]


def event_row(event: JobEvent) -> dict[str, Any]:
    """The columns of ``events``; the number is the database's."""
    row = {name: getattr(event, name) for name in _EVENT_FIELDS}
    del row["number"]
    return row


def event_of(row: Row[Any] | Sequence[Any]) -> JobEvent:
    """The event that a row of :data:`EVENT_COLUMNS` holds."""
    return JobEvent(**dict(zip(_EVENT_FIELDS, row, strict=True)))


def _stored(name: str, value: Any) -> Any:  # noqa: ANN401 - of any column
    """A field as its column holds it."""
    encode = _ENCODERS.get(name)
    return value if encode is None or value is None else encode(value)


def _word(value: StrEnum) -> str:
    return value.value


_ENCODERS: Mapping[str, Callable[[Any], str]] = {
    "status": _word,
    "stage": _word,
    "outcome": _word,
    "tags": _json,
    "options": _json,
    "summary": _json,
    "failure": lambda failure: _json(asdict(failure)),
}
"""Fields that are not stored as they are."""
