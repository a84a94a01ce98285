"""What is about to be sent to a backend elsewhere: noted right before, so that what may have been sent can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qdepot.archive import layout
from qdepot.archive.manifest import damaged
from qdepot.archive.notes import read_document
from qdepot.archive.plain import json_lines
from qdepot.domain.job import Job
from qdepot.ports.object_store import ObjectExistsError, ObjectStore

PREPARED_FORMAT = "qdepot-prepared/1"
_SAME = ("job_id", "attempt", "tag", "request_sha256")
"""What a repeat must agree in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What was about to be sent.

    Attributes:
        job_id: Whose.
        attempt: Which attempt.
        summary: What reading the program told.
    """

    job_id: str
    attempt: int
    summary: dict[str, Any] | None


def put_prepared(store: ObjectStore, job: Job, *, tag: str) -> bool:
    """Note that the job's current attempt is about to be sent under this tag; its program is that of the request.

    Returns:
        True if this is news, False if it was noted before.

    Raises:
        ArchiveDamagedError: Something else is noted for this attempt.
    """
    key = layout.prepared_key(job)
    document: dict[str, object] = {
        "format": PREPARED_FORMAT,
        "job_id": job.id,
        "attempt": job.attempt,
        "tag": tag,
        "backend": job.backend,
        "options": job.options,
        "timeout_s": job.timeout_s,
        "request_sha256": job.request_sha256,
        "summary": job.summary,
    }
    try:
        store.create(key, json_lines(document))
    except ObjectExistsError:
        noted = read_document(store, key, expected=PREPARED_FORMAT)
        if any(noted.get(name) != document[name] for name in _SAME):
            raise damaged(key, f"it tells of something else than attempt {job.attempt} of job {job.id}") from None
        return False
    return True


def read_prepared(store: ObjectStore, key: str) -> Prepared:
    """What was noted there.

    Raises:
        ObjectNotFoundError: Nothing is noted.
        ArchiveDamagedError: The note is not what was written.
    """
    document = read_document(store, key, expected=PREPARED_FORMAT)
    try:
        return Prepared(job_id=document["job_id"], attempt=document["attempt"], summary=document["summary"])
    except KeyError as error:
        raise damaged(key, f"it does not say {error}") from error
