"""What objects tell of jobs without a ledger: what a lost one is rebuilt from.

Each function reads one object, whole, and raises :class:`~qdepot.errors.ArchiveDamagedError` where it is not what was
written, :class:`~qdepot.ports.object_store.ObjectNotFoundError` where there is none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from qdepot.archive import layout, notes
from qdepot.archive.bundle import REQUEST, RESULT
from qdepot.archive.bundle_shelf import measured_bundle
from qdepot.archive.job_document import read_ending, read_job
from qdepot.archive.manifest import damaged
from qdepot.archive.places import Kind, place_of
from qdepot.archive.plain import time_of
from qdepot.archive.request import RequestRecord, batch_entries, is_whole_batch, read_request_document
from qdepot.archive.request_shelf import StoredRequest
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Job
from qdepot.errors import ArchiveDamagedError
from qdepot.ports.object_store import ObjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownJob:
    """A job with its history, as the archive tells them.

    Attributes:
        job: The job, but for what only coordinates work.
        events: At least one, in order.
    """

    job: Job
    events: Sequence[JobEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedJob:
    """A job that was asked for, as its request tells.

    Attributes:
        record: What was asked.
        stored: Where that lies.
    """

    record: RequestRecord
    stored: StoredRequest

    @property
    def stem(self) -> str:
        """What the keys of all objects of this job alone begin with."""
        return f"{layout.folder(self.record.project, self.record.created_at)}/{self.record.job_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The id that a backend gave to an attempt of a job, and since when it has it, where that was noted."""

    provider_job_id: str
    queued_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Burial:
    """What a tombstone tells of a deleted job: when, whose, and the caller's key, where it had one that was noted."""

    deleted_at: datetime
    owner: str
    idempotency_key_sha256: str | None


def read_bundle(store: ObjectStore, key: str) -> KnownJob:
    """The job of a bundle, all of whose files are compared with their checksums.

    Its history is that of the bundle, and the line about the end. Its pending objects are taken to be gone.
    """
    bundle, _, sha256 = measured_bundle(store, key)
    bundle.check()
    ending = read_ending(bundle.document, key=key)
    request = read_request_document(bundle.read(REQUEST), key=key)
    # The key of the request object is not kept; nothing needs it once that is gone.
    request_key = layout.request_key(request.project, request.created_at, request.job_id)
    job = read_job(bundle.document, key=key, request_key=request_key)
    if layout.bundle_key(job) != key or (request.job_id, request.request_sha256) != (job.id, job.request_sha256):
        raise damaged(key, f"it holds job {job.id} and the request of job {request.job_id}")
    result = bundle.manifest.get(RESULT)
    job = replace(
        job,
        outcome=job.status,
        why="stored",
        result_sha256=sha256,
        result_size_bytes=result.size_bytes if result else None,
        pending_removed=True,
    )
    return KnownJob(job=job, events=(*ending.events, _end(job, ending.events)))


def read_requests(store: ObjectStore, key: str) -> list[AskedJob | ArchiveDamagedError]:
    """The jobs that a request object, or a batch, asks for; a damaged entry of a batch hides no other."""
    document = store.get(key)
    if place_of(key).kind is Kind.REQUEST:
        record = read_request_document(document, key=key)
        if layout.request_key(record.project, record.created_at, record.job_id) != key:
            raise damaged(key, f"it is the request of job {record.job_id}")
        return [AskedJob(record=record, stored=_stored(key, document, record))]
    found: list[AskedJob | ArchiveDamagedError] = []
    for index, entry in enumerate(batch_entries(document, key=key)):
        try:
            record = read_request_document(entry, key=key)
        except ArchiveDamagedError as error:
            found.append(error)
            continue
        found.append(AskedJob(record=record, stored=replace(_stored(key, entry, record), index=index)))
    if not is_whole_batch(document, key=key):
        found.append(damaged(key, "it is not whole"))
    return found


def read_receipt(store: ObjectStore, key: str) -> Receipt:
    """What a receipt says."""
    document = notes.read_document(store, key, expected=notes.RECEIPT_FORMAT)
    try:
        since = document.get("queued_at")
        queued_at = None if since is None else time_of(since)
        return Receipt(provider_job_id=str(document["provider_job_id"]), queued_at=queued_at)
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(key, "it holds no receipt that this version of qdepot can read") from error


def read_tombstone(store: ObjectStore, key: str) -> Burial:
    """When the job was deleted, and by which key it was submitted."""
    document = notes.read_document(store, key, expected=notes.TOMBSTONE_FORMAT)
    try:
        return Burial(
            deleted_at=time_of(document["deleted_at"]),
            owner=str(document["owner"]),
            idempotency_key_sha256=document.get("idempotency_key_sha256"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(key, "it does not say when the job was deleted") from error


def with_edits(known: KnownJob, edits: Sequence[notes.Edit]) -> KnownJob:
    """The job with its later edits, in their order.

    The row has the number of the last edit, so that the next one comes behind it.
    """
    job, events = known.job, list(known.events)
    told = {event.at for event in events if event.why == notes.EDITED}
    for edit in edits:
        job = replace(
            job,
            name=job.name if edit.name is None else edit.name,
            tags=job.tags if edit.tags is None else edit.tags,
            edits=max(job.edits, edit.version),
        )
        if edit.edited_at not in told:
            _tell(events, job, edit)
    return KnownJob(job=job, events=events)


def _tell(events: list[JobEvent], job: Job, edit: notes.Edit) -> None:
    """Put the line about an edit to its place in the history."""
    place = sum(event.at <= edit.edited_at for event in events)
    before = events[max(place, 1) - 1]
    line = replace(
        before,
        at=max(before.at, edit.edited_at),
        from_status=before.to_status,
        by=edit.edited_by or job.owner,
        why=notes.EDITED,
    )
    events.insert(max(place, 1), line)


def _end(job: Job, events: Sequence[JobEvent]) -> JobEvent:
    """The line that was written with the row, behind the bundle."""
    assert job.ended_at is not None
    return JobEvent(
        job_id=job.id,
        at=job.ended_at,
        from_status=events[-1].to_status if events else "",
        to_status=job.status.value,
        stage=job.stage.value,
        attempt=job.attempt,
        by="collector",
        why="stored",
    )


def _stored(key: str, document: bytes, record: RequestRecord) -> StoredRequest:
    digest = hashlib.sha256(document).hexdigest()
    return StoredRequest(key=key, sha256=digest, size_bytes=len(document), created_at=record.created_at)
