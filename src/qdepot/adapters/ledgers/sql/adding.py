"""New jobs, and those that come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from qdepot.adapters.ledgers.refusals import exists_already
from qdepot.adapters.ledgers.sql.batches import batches
from qdepot.adapters.ledgers.sql.queries import DELETED, JOB_BY_KEY, JOBS_BY_ID
from qdepot.adapters.ledgers.sql.rows import duty_row, event_row, job_row, tag_rows
from qdepot.adapters.ledgers.sql.tables import events, job_tags, jobs, tombstones
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Job
from qdepot.errors import QDepotError, UnavailableError
from qdepot.ports.ledger import Tombstone

_FREE_AT_ONCE = {"due_at": 0.0, "lease_holder": None, "lease_until": None, "parked_until": None}
_INSERT_JOBS = insert(jobs)
_INSERT_TAGS = insert(job_tags)
_INSERT_EVENTS = insert(events).inline()  # nobody asks for the numbers

_Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Addition:
    """Inserts jobs with their histories. The rows are made by whoever adds, before it is the addition's turn.

    Raises:
        sqlalchemy.exc.IntegrityError: An id or key is taken; :meth:`conflict` says by whom.
        JobExistsError: An id belongs to a deleted job.
    """

    jobs: _Rows
    tags: _Rows
    events: _Rows

    @classmethod
    def of(cls, new: Sequence[tuple[Job, Sequence[JobEvent]]]) -> Addition:
        """Of these jobs, each with its events in order."""
        return cls(
            [{**job_row(job), **duty_row(job), **_FREE_AT_ONCE} for job, _ in new],
            [row for job, _ in new for row in tag_rows(job)],
            [event_row(event) for _, history in new for event in history],
        )

    def __call__(self, connection: Connection) -> None:
        """Insert them."""
        for statement, rows in ((_INSERT_JOBS, self.jobs), (_INSERT_TAGS, self.tags), (_INSERT_EVENTS, self.events)):
            if rows:
                connection.execute(statement, rows if len(rows) > 1 else rows[0])
        # Looked for after the insert: a deletion that an insert of the same id had to wait for is seen now.
        for some in batches(self._ids()):
            deleted = connection.scalar(DELETED, {"ids": some})
            if deleted is not None:
                raise exists_already(deleted, what="id")

    def joined(self, others: Sequence[Addition]) -> Addition:
        """These and the others."""
        together = (self, *others)
        return Addition(
            [row for each in together for row in each.jobs],
            [row for each in together for row in each.tags],
            [row for each in together for row in each.events],
        )

    def conflict(self, connection: Connection) -> QDepotError:
        """Says which stored job has an id or a key that one of these wants."""
        for some in batches(self._ids()):
            for found in connection.execute(JOBS_BY_ID, {"ids": some}):
                return exists_already(found.id, what="id")
        for row in self.jobs:
            key = {"project": row["project"], "owner": row["owner"], "key": row["idempotency_key_sha256"]}
            for found in connection.execute(JOB_BY_KEY, key):
                return exists_already(found.id, what="idempotency key")
        return UnavailableError("A job with the same id or key was deleted at this very moment.", solution="Try again.")

    def _ids(self) -> list[str]:
        return [row["id"] for row in self.jobs]


def bury(connection: Connection, deleted: Sequence[Tombstone]) -> None:
    """Leave tombstones where there are none yet.

    Raises:
        JobExistsError: There is a job with one of these ids.
    """
    wanted = {tombstone.job_id: tombstone for tombstone in deleted}
    for some in batches(list(wanted)):
        for row in connection.execute(JOBS_BY_ID, {"ids": some}):
            raise exists_already(row.id, what="id")
        known = set(connection.scalars(select(tombstones.c.job_id).where(tombstones.c.job_id.in_(some))))
        rows = [asdict(wanted[job_id]) for job_id in some if job_id not in known]
        if rows:
            connection.execute(insert(tombstones), rows)
