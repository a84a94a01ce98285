"""Requests in the pending store: one object each, or one for many."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from qdepot.archive import layout
from qdepot.archive.request import (
    RequestRecord,
    batch_document,
    batch_entries,
    batch_span,
    read_request_document,
    request_document,
)
from qdepot.domain.job import Job
from qdepot.errors import ArchiveDamagedError, ConflictError, InternalError, UnavailableError
from qdepot.ports.object_store import ObjectExistsError, ObjectNotFoundError, ObjectStore

_BATCH_HEAD_BYTES = 64 * 1024
_TOGETHER_BYTES = 4 * 1024 * 1024
"""Objects of more are not read as a whole for the sake of a few entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRequest:
    """A request that is in the archive.

    Attributes:
        key, sha256, size_bytes: Of the object.
        index: Place within it, where it holds many.
        created_at: When the job was accepted, as the archive says: the row must say the same.
        adopted: An earlier try had stored it already.
    """

    key: str
    sha256: str
    size_bytes: int
    index: int | None = None
    created_at: datetime
    adopted: bool = False


def put_request(store: ObjectStore, record: RequestRecord) -> StoredRequest:
    """Store one request, or adopt what an earlier try of the same stored.

    Raises:
        ConflictError: Another request is stored under this id.
    """
    key = layout.request_key(record.project, record.created_at, record.job_id)
    document = request_document(record)
    try:
        store.create(key, document)
    except ObjectExistsError:
        document = store.get(key)
        return _stored(key, document, created_at=_adopted_time(record, document, key=key), adopted=True)
    return _stored(key, document, created_at=record.created_at)


def put_requests(store: ObjectStore, batch_id: str, records: Sequence[RequestRecord]) -> list[StoredRequest]:
    """Store many requests of one project in one object, in their order.

    Raises:
        ConflictError: Other requests are stored under this id.
    """
    first = records[0]
    if any(record.project != first.project for record in records):
        raise InternalError("the requests of a batch are of several projects")
    key = layout.batch_key(first.project, first.created_at, batch_id)
    document = batch_document(batch_id, records)
    stored = _stored(key, document, created_at=first.created_at)
    try:
        store.create(key, document)
    except ObjectExistsError as error:
        stored = replace(stored, adopted=True)
        if hashlib.sha256(store.get(key)).hexdigest() != stored.sha256:
            raise ConflictError(f"another batch is stored under the id {batch_id}", details={"key": key}) from error
    return [replace(stored, index=index, created_at=record.created_at) for index, record in enumerate(records)]


def read_request(store: ObjectStore, job: Job) -> RequestRecord:
    """What was asked, of a batch object only the entry and the index.

    Raises:
        ObjectNotFoundError: It is not (or no longer) there.
        ArchiveDamagedError: It is not what was written.
    """
    key = job.request_key
    if job.request_index is None:
        return read_request_document(store.get(key), key=key)
    start, length = batch_span(_batch_head(store, key), job.request_index, key=key)
    return read_request_document(store.get_range(key, start=start, length=length), key=key)


def read_together(store: ObjectStore, jobs: Sequence[Job]) -> dict[str, RequestRecord]:
    """By job id, what was asked by those jobs whose requests lie with one another's in an object that is not large.

    What cannot be read so, for whatever reason, is left out: it is to be read by itself, and shows there what is wrong.
    """
    by_key: dict[str, list[Job]] = {}
    for job in jobs:
        if job.request_index is not None:
            by_key.setdefault(job.request_key, []).append(job)
    found: dict[str, RequestRecord] = {}
    for key, some in by_key.items():
        if len(some) > 1:
            with contextlib.suppress(ObjectNotFoundError, ArchiveDamagedError, UnavailableError):
                found |= _entries(store.get_range(key, start=0, length=_TOGETHER_BYTES), some, key=key)
    return found


def _entries(document: bytes, jobs: Sequence[Job], *, key: str) -> dict[str, RequestRecord]:
    if len(document) == _TOGETHER_BYTES:
        return {}
    entries = batch_entries(document, key=key)
    return {
        job.id: read_request_document(entries[job.request_index], key=key)
        for job in jobs
        if job.request_index is not None and job.request_index < len(entries)
    }


def _batch_head(store: ObjectStore, key: str) -> bytes:
    length = _BATCH_HEAD_BYTES
    while True:
        head = store.get_range(key, start=0, length=length)
        if b"\n" in head or len(head) < length:
            return head
        length *= 4


def _stored(key: str, document: bytes, *, created_at: datetime, adopted: bool = False) -> StoredRequest:
    digest = hashlib.sha256(document).hexdigest()
    return StoredRequest(key=key, sha256=digest, size_bytes=len(document), created_at=created_at, adopted=adopted)


def _adopted_time(record: RequestRecord, document: bytes, *, key: str) -> datetime:
    """When the stored request was accepted, if it is the same but for that."""
    stored = read_request_document(document, key=key)
    if replace(stored, created_at=record.created_at) != record:
        raise ConflictError(
            f"another request is stored under the id {record.job_id}",
            solution="Use another id, or repeat the request as it was.",
            details={"job_id": record.job_id},
        )
    return stored.created_at
