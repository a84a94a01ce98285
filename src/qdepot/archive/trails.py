"""What small documents beside a job tell: its edits, and how far it was on its way to a backend elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from qdepot.archive import layout
from qdepot.archive.notes import Edit, in_order, read_edit
from qdepot.archive.prepared import read_prepared
from qdepot.archive.recovery import read_receipt
from qdepot.archive.traces import Traces
from qdepot.domain.job import Job
from qdepot.errors import ArchiveDamagedError
from qdepot.ports.object_store import ObjectNotFoundError, ObjectStore

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How far a job was on its way to a backend elsewhere.

    Attributes:
        attempt: Which one.
        provider_job_id: The backend's own id; None if nobody can tell whether it has the job.
        queued_at: Since when it has it, where that was noted.
        summary: What reading the program told, where that was noted.
    """

    attempt: int
    provider_job_id: str | None = None
    queued_at: datetime | None = None
    summary: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trails:
    """Reads such documents where there are traces of them.

    Attributes:
        pending, completed: The stores.
        traces: What their keys tell.
        damaged: What was not what was written; it is left out.
    """

    pending: ObjectStore
    completed: ObjectStore
    traces: Traces
    damaged: list[ArchiveDamagedError] = field(default_factory=list)

    def edits(self, stem: str) -> list[Edit]:
        """The edits of the job whose keys begin so, in their order."""
        found = [self._read(read_edit, self.completed, key) for key in self.traces.edits.get(stem, ())]
        return in_order(edit for edit in found if edit is not None)

    def sent(self, job: Job) -> Sent | None:
        """How far the job was on its way; None if it never set out."""
        traces = self.traces.sent.get(layout.stem(job))
        if traces is None:
            return None
        attempt = traces.attempt
        prepared = self._read(read_prepared, self.pending, layout.prepared_key(job, attempt=attempt))
        receipt = self._read(read_receipt, self.pending, layout.receipt_key(job, attempt=attempt))
        return Sent(
            attempt=attempt,
            provider_job_id=None if receipt is None else receipt.provider_job_id,
            queued_at=None if receipt is None else receipt.queued_at,
            summary=None if prepared is None else prepared.summary,
        )

    def _read(self, read: Callable[[ObjectStore, str], T], store: ObjectStore, key: str) -> T | None:
        try:
            return read(store, key)
        except ObjectNotFoundError:
            return None
        except ArchiveDamagedError as error:
            self.damaged.append(error)
            return None
