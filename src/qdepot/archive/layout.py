"""Which keys a job's objects have.

The keys are flat within a day, so that one folder is synced however many jobs come in; they contain the job's id, so
that a person finds everything about a job by its id alone. "pending" and "completed" are the roots of the two stores
and no part of the keys. The day is that of ``created_at``, UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from qdepot.domain.job import Job
from qdepot.errors import InvalidRequestError

TOMBSTONE = ".tombstone.json"
"""What the key of a tombstone ends in."""

PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def checked_project(project: str) -> str:
    """The name itself, if it can be a folder of the archive.

    Raises:
        InvalidRequestError: It cannot.
    """
    if not PROJECT.fullmatch(project):
        raise InvalidRequestError(
            f"{project[:100]!r} cannot be the name of a project",
            solution="Use 1 to 64 letters, digits, dots, hyphens and underscores, the first a letter or digit.",
        )
    return project


def folder(project: str, created_at: datetime) -> str:
    """Where all of a project's objects of one day lie, without a slash at the end."""
    return f"{checked_project(project)}/{created_at.astimezone(UTC).date()}"


def request_key(project: str, created_at: datetime, job_id: str) -> str:
    """Pending: what was asked, one job."""
    return f"{folder(project, created_at)}/{_checked_id(job_id)}.request.json"


def batch_key(project: str, created_at: datetime, batch_id: str) -> str:
    """Pending: what was asked, many jobs in one object."""
    return f"{folder(project, created_at)}/{_checked_id(batch_id)}.batch.json"


def prepared_key(job: Job, *, attempt: int | None = None) -> str:
    """Pending: what an attempt of the job will send, written right before; without ``attempt`` the current one."""
    return f"{stem(job)}.prepared-{attempt or job.attempt:04}.json"


def receipt_key(job: Job, *, attempt: int | None = None) -> str:
    """Pending: the id that the backend gave an attempt of the job; without ``attempt`` the job's current one."""
    return f"{stem(job)}.receipt-{attempt or job.attempt:04}.json"


def part_key(job: Job, number: int) -> str:
    """Pending: the result of a part of the job; numbers begin at 1."""
    return f"{stem(job)}.part-{number:04}.zip"


def bundle_key(job: Job) -> str:
    """Completed: everything about a job that has ended."""
    return f"{stem(job)}.zip"


def edit_key(job: Job, *, version: int, nonce: str) -> str:
    """Completed: a later change of name or tags; ``nonce`` keeps racing edits of one version apart."""
    return f"{stem(job)}.edit-{version:06}-{_checked_id(nonce)}.json"


def tombstone_key(job: Job) -> str:
    """Completed: the job was deleted."""
    return f"{stem(job)}{TOMBSTONE}"


def stem(job: Job) -> str:
    """What the keys of all objects of this job alone begin with, up to the first dot behind the id."""
    return f"{folder(job.project, job.created_at)}/{_checked_id(job.id)}"


def id_of(key: str) -> str:
    """The id of the job, or of the batch, that an object belongs to."""
    return key.rpartition("/")[2].partition(".")[0]


def project_of(key: str) -> str:
    """The project that an object belongs to."""
    return key.partition("/")[0]


def is_batch(key: str) -> bool:
    """True for a request object that several jobs may share."""
    return key.endswith(".batch.json")


def _checked_id(text: str) -> str:
    if not ID.fullmatch(text):
        raise InvalidRequestError(
            f"{text[:100]!r} cannot be an id in the archive", solution="Ids are UUIDs in their text form."
        )
    return text
