"""From a job that ends to the bytes of its bundle."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from qdepot.archive import layout
from qdepot.archive.bundle import JOB, REQUEST, RESULT, write_bundle
from qdepot.archive.job_document import Ending, job_document
from qdepot.archive.manifest import manifest_document
from qdepot.archive.request import RequestRecord, request_document
from qdepot.archive.safe_names import safe_members
from qdepot.archive.spool import writing_temporarily
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Failure, Job, JobStatus
from qdepot.domain.result import Buffer, Outcome
from qdepot.errors import InternalError

_IN_MEMORY_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBundle:
    """A bundle that is in the archive.

    Attributes:
        key, sha256, size_bytes: Of the bundle.
        result_size_bytes: Of the result document in it; None if there is none.
        circuits_done: How many circuits, from the first on, have their results in it.
        status, failure, ended_at: How the job ended: of an adopted bundle as the bundle says.
        adopted: It was there already (an earlier try stored it), and says what is true.
        told: Of an adopted bundle, what it says of the run: fields of the job.
    """

    key: str
    sha256: str
    size_bytes: int
    result_size_bytes: int | None
    circuits_done: int
    status: JobStatus
    failure: Failure | None
    ended_at: datetime
    adopted: bool
    told: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A job that ends, with everything that is kept of it.

    Attributes:
        job: As the ledger holds it, with the circuits that the outcome holds as done.
        status: Final.
        failure: Set exactly when the status is FAILED.
        ended_at: When (UTC, aware).
        outcome: What came back; a job that failed or was cancelled may have a part of it, or none.
        events: The history; the line about the end may be its last, though it is committed only later.
        request: What was asked.
    """

    job: Job
    status: JobStatus
    failure: Failure | None
    ended_at: datetime
    outcome: Outcome | None
    events: Sequence[JobEvent]
    request: RequestRecord

    def __post_init__(self) -> None:
        """Refuse an end that no job may have."""
        whole = self.outcome is not None or self.status is not JobStatus.COMPLETED
        if not (self.status.is_final and whole and (self.failure is not None) == (self.status is JobStatus.FAILED)):
            raise InternalError(f"job {self.job.id} cannot end as {self.status} with failure {self.failure}")
        if self.request.job_id != self.job.id:
            raise InternalError(f"job {self.job.id} cannot end with the request of job {self.request.job_id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedBundle:
    """A bundle on its way into the archive: in memory, or in a temporary file that goes away with this object."""

    stored: StoredBundle
    file: io.BytesIO | io.BufferedRandom

    @property
    def in_memory(self) -> bytes | None:
        """The bytes, where they are few."""
        return self.file.getvalue() if isinstance(self.file, io.BytesIO) else None


def pack(completion: Completion, *, scratch: str | None) -> PackedBundle:
    """Make the bundle of a job; one beyond 8 MB is written to a temporary file in the folder ``scratch``.

    Raises:
        UnavailableError: The temporary file cannot be written.
    """
    outcome = completion.outcome
    files: dict[str, Buffer] = {REQUEST: request_document(completion.request)}
    if outcome is not None:
        files |= {RESULT: outcome.document} | safe_members(outcome.members, taken={JOB, REQUEST, RESULT})
    ending = Ending(
        status=completion.status,
        failure=completion.failure,
        ended_at=completion.ended_at,
        events=completion.events,
        metadata=outcome.metadata if outcome else {},
    )
    document = job_document(completion.job, ending, manifest=manifest_document(files))
    file = zipped({JOB: document, **files}, scratch)
    size_bytes = file.seek(0, io.SEEK_END)
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    stored = StoredBundle(
        key=layout.bundle_key(completion.job),
        sha256=digest,
        size_bytes=size_bytes,
        result_size_bytes=memoryview(outcome.document).nbytes if outcome else None,
        circuits_done=completion.job.circuits_done,
        status=completion.status,
        failure=completion.failure,
        ended_at=completion.ended_at,
        adopted=False,
    )
    return PackedBundle(stored=stored, file=file)


def zipped(files: Mapping[str, Buffer], scratch: str | None) -> io.BytesIO | io.BufferedRandom:
    """A zip of these files, at its beginning; beyond 8 MB in a temporary file in the folder ``scratch``.

    Raises:
        UnavailableError: The temporary file cannot be written.
    """
    if sum(memoryview(content).nbytes for content in files.values()) <= _IN_MEMORY_BYTES:
        memory = io.BytesIO()
        write_bundle(memory, files)
        memory.seek(0)
        return memory
    with writing_temporarily(), ExitStack() as undone:
        file = undone.enter_context(tempfile.TemporaryFile(dir=scratch))
        write_bundle(file, files)
        file.seek(0)
        undone.pop_all()
    return file
