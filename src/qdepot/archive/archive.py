"""The archive: what was asked, what ran, what came back."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from qdepot.archive import layout
from qdepot.archive.bundle import REQUEST, RESULT, Bundle, arrays_file
from qdepot.archive.job_document import read_ending
from qdepot.archive.manifest import damaged
from qdepot.archive.packing import Completion, PackedBundle, StoredBundle, pack
from qdepot.archive.receipt import receipt_document
from qdepot.archive.request import (
    RequestRecord,
    batch_document,
    batch_span,
    read_request_document,
    request_document,
)
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Failure, Job, JobStatus
from qdepot.domain.result import Outcome
from qdepot.errors import ArchiveDamagedError, ConflictError, InternalError, NotFoundError
from qdepot.ports.object_store import ObjectExistsError, ObjectNotFoundError, ObjectStore

_AT_ONCE_BYTES = 16 * 1024 * 1024
_BATCH_HEAD_BYTES = 64 * 1024
_PIECE_BYTES = 1024 * 1024


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What lies where, and in which order it is written. Every step may be repeated.

    Methods raise :class:`~qdepot.errors.UnavailableError` where a store does, and
    :class:`~qdepot.errors.ArchiveDamagedError` where stored bytes are not what they were.

    Attributes:
        pending: Holds jobs that have not ended.
        completed: Holds jobs that have.
        scratch: Folder for bundles too large for memory; None: the system's.
    """

    pending: ObjectStore
    completed: ObjectStore
    scratch: str | None = None

    def put_request(self, record: RequestRecord) -> StoredRequest:
        """Store what was asked, durably, before the job's row is committed.

        A repeat of the same request under the same id adopts what the first try stored, and its ``created_at``.

        Raises:
            ConflictError: Another request is stored under this id.
        """
        key = layout.request_key(record.project, record.created_at, record.job_id)
        document = request_document(record)
        created_at, adopted = record.created_at, False
        try:
            self.pending.create(key, document)
        except ObjectExistsError:
            document = self.pending.get(key)
            created_at, adopted = _adopted_time(record, document, key=key), True
        return _stored_request(key, document, created_at=created_at, adopted=adopted)

    def put_requests(self, batch_id: str, records: Sequence[RequestRecord]) -> list[StoredRequest]:
        """Store many requests of one project in one object, in their order.

        Raises:
            ConflictError: Other requests are stored under this id.
        """
        first = records[0]
        if any(record.project != first.project for record in records):
            raise InternalError("the requests of a batch are of several projects")
        key = layout.batch_key(first.project, first.created_at, batch_id)
        document = batch_document(batch_id, records)
        adopted = False
        try:
            self.pending.create(key, document)
        except ObjectExistsError as error:
            adopted = True
            if hashlib.sha256(self.pending.get(key)).digest() != hashlib.sha256(document).digest():
                raise ConflictError(f"another batch has the id {batch_id}", details={"key": key}) from error
        stored = _stored_request(key, document, created_at=first.created_at, adopted=adopted)
        return [replace(stored, index=index, created_at=it.created_at) for index, it in enumerate(records)]

    def discard_request(self, key: str) -> None:
        """Remove a request whose acceptance was not committed.

        Only for ids that this acceptance made up itself: under an id that the client chose, another try may have
        adopted the object meanwhile, and committed.
        """
        self.pending.delete([key])

    def read_request(self, job: Job) -> RequestRecord:
        """What was asked: from the pending archive, or from the bundle once that is gone."""
        record = None if job.pending_removed else self._pending_request(job)
        if record is None:
            bundle = self._bundle(job)
            record = read_request_document(bundle.read(REQUEST), key=bundle.key)
        if (record.job_id, record.request_sha256) != (job.id, job.request_sha256):
            raise damaged(job.request_key, f"it holds another request than that of job {job.id}")
        return record

    def put_receipt(self, job: Job, *, provider_job_id: str) -> None:
        """Store the id that a backend gave a job, before the row says so. A repeat with the same id is fine.

        Raises:
            ConflictError: Another id is stored for this attempt: the backend may have the job twice.
        """
        key = layout.receipt_key(job)
        document = receipt_document(job, provider_job_id=provider_job_id)
        try:
            self.pending.create(key, document)
        except ObjectExistsError as error:
            if self.pending.get(key) != document:
                raise ConflictError(
                    f"job {job.id} has another id at {job.backend} already",
                    solution="Look at the backend which of the two runs, and end the other.",
                    details={"key": key},
                ) from error

    def complete(
        self,
        job: Job,
        *,
        status: JobStatus,
        failure: Failure | None,
        ended_at: datetime,
        outcome: Outcome | None,
        events: Sequence[JobEvent],
        request: RequestRecord,
    ) -> StoredBundle:
        """Store everything about a job that ends; the row is moved to what the answer says.

        If a bundle is there already, it is checked and adopted: it says what is true.

        Raises:
            ArchiveDamagedError: The bundle that is there is damaged.
        """
        completion = Completion(
            job=job,
            status=status,
            failure=failure,
            ended_at=ended_at,
            outcome=outcome,
            events=events,
            request=request,
        )
        [stored] = self.complete_many([completion])
        if isinstance(stored, ArchiveDamagedError):
            raise stored
        return stored

    def complete_many(self, completions: Sequence[Completion]) -> list[StoredBundle | ArchiveDamagedError]:
        """As :meth:`complete` for several jobs, made durable together; an error is the answer for its job alone."""
        stored: list[StoredBundle | ArchiveDamagedError] = []
        waiting: list[PackedBundle] = []
        for completion in completions:
            packed = pack(completion, scratch=self.scratch)
            waiting.append(packed)
            if packed.in_memory is None or sum(it.stored.size_bytes for it in waiting) > _AT_ONCE_BYTES:
                stored += self._stored(waiting)
                waiting = []
        return stored + self._stored(waiting)

    def open_result(self, job: Job) -> Iterator[bytes]:
        """The result document in pieces, as it was stored; checked at the latest behind the last piece.

        Raises:
            NotFoundError: The job ended without one.
        """
        return self._bundle(job).pieces(RESULT)

    def open_arrays(self, job: Job) -> Iterator[bytes]:
        """Per-shot outcomes as an ``.npz`` file, in pieces: arrays ``memory/<circuit>/<register>``.

        Raises:
            NotFoundError: There are none.
        """
        bundle = self._bundle(job)
        arrays = [member for name, member in bundle.manifest.items() if name.startswith("memory/")]
        if not arrays:
            raise NotFoundError(
                f"job {job.id} has no per-shot outcomes", solution='Submit with "options": {"memory": true}.'
            )
        return arrays_file((member, bundle.pieces(member.name)) for member in arrays)

    def read_member(self, job: Job, name: str) -> bytes:
        """One file of the bundle.

        Raises:
            NotFoundError: There is no such file in it.
        """
        return self._bundle(job).read(name)

    def remove_pending(self, job: Job, *, shared_in_use: bool) -> None:
        """Remove what the pending archive holds of a final job.

        Args:
            job: A job whose bundle is stored and committed.
            shared_in_use: Another job that is not final still needs the request object, if several share it.
        """
        self.remove_pending_many([job], in_use={job.request_key} if shared_in_use else ())

    def remove_pending_many(self, jobs: Sequence[Job], *, in_use: Collection[str]) -> None:
        """As :meth:`remove_pending` for several jobs in one call; ``in_use`` are batch objects that must stay."""
        requests = {job.request_key for job in jobs}
        keys = [key for key in requests if not (layout.is_batch(key) and key in in_use)]
        keys += [key(job) for job in jobs if job.prepared for key in (layout.prepared_key, layout.receipt_key)]
        self.pending.delete(keys)

    def _pending_request(self, job: Job) -> RequestRecord | None:
        key = job.request_key
        try:
            if job.request_index is None:
                return read_request_document(self.pending.get(key), key=key)
            start, length = batch_span(self._batch_head(key), job.request_index, key=key)
            return read_request_document(self.pending.get_range(key, start=start, length=length), key=key)
        except ObjectNotFoundError:
            return None

    def _batch_head(self, key: str) -> bytes:
        length = _BATCH_HEAD_BYTES
        while True:
            head = self.pending.get_range(key, start=0, length=length)
            if b"\n" in head or len(head) < length:
                return head
            length *= 4

    def _bundle(self, job: Job) -> Bundle:
        try:
            return Bundle.open(self.completed, layout.bundle_key(job), sha256=job.result_sha256)
        except ObjectNotFoundError as error:
            raise damaged(layout.bundle_key(job), "it is missing") from error

    def _stored(self, packed: Sequence[PackedBundle]) -> list[StoredBundle | ArchiveDamagedError]:
        small = [(it.stored.key, content) for it in packed if (content := it.in_memory) is not None]
        created = dict(zip((key for key, _ in small), self.completed.create_many(small) if small else [], strict=True))
        for it in packed:
            if it.in_memory is None:
                created[it.stored.key] = self._created(it)
        return [it.stored if created[it.stored.key] else self._adopted(it.stored.key) for it in packed]

    def _created(self, packed: PackedBundle) -> bool:
        try:
            with packed.file as file:
                self.completed.create(packed.stored.key, file)
        except ObjectExistsError:
            return False
        return True

    def _adopted(self, key: str) -> StoredBundle | ArchiveDamagedError:
        try:
            bundle = Bundle.open(self.completed, key)
            bundle.check()
            ending = read_ending(bundle.document, key=key)
            if bundle.document.get("id") != layout.id_of(key):
                return damaged(key, "it is the bundle of another job")
        except ArchiveDamagedError as error:
            return error
        size_bytes, sha256 = self._measured(key)
        result = bundle.manifest.get(RESULT)
        return StoredBundle(
            key=key,
            sha256=sha256,
            size_bytes=size_bytes,
            result_size_bytes=result.size_bytes if result else None,
            status=ending.status,
            failure=ending.failure,
            ended_at=ending.ended_at,
            adopted=True,
        )

    def _measured(self, key: str) -> tuple[int, str]:
        digest = hashlib.sha256()
        size = 0
        while piece := self.completed.get_range(key, start=size, length=_PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
        return size, digest.hexdigest()


def _stored_request(key: str, document: bytes, *, created_at: datetime, adopted: bool) -> StoredRequest:
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
