"""Orphans: requests that became no job, because their acceptance was interrupted between the archive and the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from qdepot.archive.recovery import AskedJob, read_requests
from qdepot.errors import ArchiveDamagedError
from qdepot.ports.ledger import Ledger
from qdepot.ports.object_store import ObjectNotFoundError, ObjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphans:
    """Removes requests that nobody needs.

    Attributes:
        ledger: Tells whether a job needs one.
        store: The pending store.
    """

    ledger: Ledger
    store: ObjectStore

    def removed(self, key: str, *, before: datetime) -> bool:
        """Remove a request object, or a batch, if it is older than that and no job needs it; whether it is gone.

        A repeat of the submit under the same id may adopt it at this very moment; then it is put back.

        Raises:
            UnavailableError: Ledger or store do not answer.
        """
        try:
            asked = _whole(read_requests(self.store, key))
            document = self.store.get(key)
        except (ObjectNotFoundError, ArchiveDamagedError):
            return False
        if any(it.record.created_at >= before for it in asked) or self._is_needed(key, asked):
            return False
        self.store.delete([key])
        if self._is_needed(key, asked):
            self.store.create(key, document)
            return False
        return True

    def _is_needed(self, key: str, asked: list[AskedJob]) -> bool:
        rows = self.ledger.get_many([it.record.job_id for it in asked]).values()
        return any(row.request_key == key and not row.pending_removed for row in rows)


def _whole(found: list[AskedJob | ArchiveDamagedError]) -> list[AskedJob]:
    """The requests of an object that can be read to its end; what cannot is left to a person."""
    for it in found:
        if isinstance(it, ArchiveDamagedError):
            raise it
    return [it for it in found if isinstance(it, AskedJob)]
