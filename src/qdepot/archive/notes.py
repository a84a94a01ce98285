"""Small documents beside a job: the backend's receipt, later edits, the tombstone of a deleted job."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from qdepot.archive import layout
from qdepot.archive.manifest import damaged
from qdepot.archive.plain import json_lines, time_of
from qdepot.domain.job import Job, JobChange
from qdepot.errors import ConflictError, InternalError
from qdepot.ports.object_store import ObjectExistsError, ObjectStore

RECEIPT_FORMAT = "qdepot-receipt/1"
EDIT_FORMAT = "qdepot-edit/1"
TOMBSTONE_FORMAT = "qdepot-tombstone/1"
EDITED = "name or tags edited"
"""What the history says of an edit."""
_EDITABLE = ("name", "tags")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change of name or tags.

    Attributes:
        version: The number of the edit (:attr:`Job.edits`); in notes of older versions, that of the row.
        edited_at: When (UTC, aware).
        edited_by: By whom; empty where that was not noted.
        name, tags: New value; None if it was not changed.
    """

    version: int
    edited_at: datetime
    edited_by: str
    name: str | None
    tags: tuple[str, ...] | None


def put_receipt(store: ObjectStore, job: Job, provider_job_id: str) -> None:
    """Note the id that the backend gave this attempt of the job.

    Raises:
        ConflictError: Another id is noted: the backend has the attempt twice.
    """
    key = layout.receipt_key(job)
    document = {
        "format": RECEIPT_FORMAT,
        "job_id": job.id,
        "attempt": job.attempt,
        "backend": job.backend,
        "provider_job_id": provider_job_id,
        "queued_at": job.queued_at,
    }
    try:
        store.create(key, json_lines(document))
    except ObjectExistsError as error:
        noted = read_receipt(store, job)
        if noted != provider_job_id:
            raise ConflictError(
                f"{job.backend} has attempt {job.attempt} of job {job.id} twice: as {noted} and as {provider_job_id}",
                solution=f"Cancel {provider_job_id} at {job.backend}.",
                details={"job_id": job.id, "provider_job_ids": [noted, provider_job_id]},
            ) from error


def read_receipt(store: ObjectStore, job: Job) -> str:
    """The id that the backend gave this attempt.

    Raises:
        ObjectNotFoundError: None is noted.
        ArchiveDamagedError: The note is not what was written.
    """
    key = layout.receipt_key(job)
    return str(read_document(store, key, expected=RECEIPT_FORMAT)["provider_job_id"])


def put_edit(store: ObjectStore, change: JobChange) -> None:
    """Note what an edit changes, before it is committed.

    Only what changes is noted, so that of two racing edits neither undoes the other's field. An edit that is noted and
    then not committed, by a crash or a lost race, may come to light in a rebuild: its owner wanted it.
    """
    before, after, event = change.before, change.after, change.event
    if event is None:
        raise InternalError(f"the edit of job {after.id} has no line for its history")
    document: dict[str, object] = {"format": EDIT_FORMAT, "job_id": after.id, "version": after.edits}
    document |= {"edited_at": event.at, "edited_by": event.by}
    document |= {name: getattr(after, name) for name in _EDITABLE if getattr(after, name) != getattr(before, name)}
    content = json_lines(document)
    nonce = hashlib.sha256(content).hexdigest()[:12]
    store.replace(layout.edit_key(after, version=after.edits, nonce=nonce), content)


def read_edit(store: ObjectStore, key: str) -> Edit:
    """An edit.

    Raises:
        ObjectNotFoundError: There is none under this key.
        ArchiveDamagedError: It is not what was written.
    """
    return _edit(read_document(store, key, expected=EDIT_FORMAT), key=key)


def in_order(edits: Iterable[Edit]) -> list[Edit]:
    """Edits in the order in which they apply."""
    return sorted(edits, key=lambda edit: (edit.version, edit.edited_at))


def put_tombstone(store: ObjectStore, job: Job, at: datetime) -> None:
    """Note that the job was deleted; a repeat keeps the first note."""
    document = {
        "format": TOMBSTONE_FORMAT,
        "job_id": job.id,
        "project": job.project,
        "owner": job.owner,
        "idempotency_key_sha256": job.idempotency_key_sha256,
        "deleted_at": at,
    }
    with contextlib.suppress(ObjectExistsError):
        store.create(layout.tombstone_key(job), json_lines(document))


def read_document(store: ObjectStore, key: str, *, expected: str) -> dict[str, Any]:
    """A note on a job, of the format that is expected.

    Raises:
        ObjectNotFoundError: There is none under this key.
        ArchiveDamagedError: It is something else.
    """
    try:
        document = json.loads(store.get(key))
    except ValueError as error:
        raise damaged(key, "it is not JSON") from error
    if not isinstance(document, dict) or document.get("format") != expected:
        raise damaged(key, f"it has not the format {expected!r}")
    if document.get("job_id") != layout.id_of(key):
        raise damaged(key, "it is about another job")
    return document


def _edit(document: Mapping[str, Any], *, key: str) -> Edit:
    try:
        return Edit(
            version=document["version"],
            edited_at=time_of(document["edited_at"]),
            edited_by=document.get("edited_by", ""),
            name=document.get("name"),
            tags=tuple(document["tags"]) if "tags" in document else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(key, "it holds no edit that this version of qdepot can read") from error
