"""What is written of jobs: new ones, changes, deletions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, bindparam, delete, insert, select, update

from qdepot.adapters.ledgers.refusals import IDENTITY, exists_already, key_of
from qdepot.adapters.ledgers.sql.batches import batches
from qdepot.adapters.ledgers.sql.ledger_time import LedgerTime
from qdepot.adapters.ledgers.sql.queries import DELETED, JOB_BY_KEY, JOBS_BY_ID
from qdepot.adapters.ledgers.sql.rows import event_row, job_row, tag_rows, tags_text
from qdepot.adapters.ledgers.sql.tables import events, job_tags, jobs, tombstones
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Job, JobChange
from qdepot.errors import QDepotError, UnavailableError

_FREE_AT_ONCE = {"due_at": 0.0, "lease_holder": None, "lease_until": None, "parked_until": None}
_INSERT_JOBS = insert(jobs)
_INSERT_TAGS = insert(job_tags)
_INSERT_EVENTS = insert(events)
_UPDATE = update(jobs).where(jobs.c.id == bindparam("this_job"))


@dataclass(slots=True)
class _Standing:
    """Where a stored job stands while changes are judged, by the ledger's clock."""

    version: int
    tags: str
    holder: str | None
    lease_until: float | None
    now: float

    def lets_win(self, change: JobChange, *, holder: str | None) -> bool:
        """True if nothing happened since ``change.before``, and the holder, if there is one, still has its lease."""
        if holder is not None and (self.holder != holder or (self.lease_until or 0.0) <= self.now):
            return False
        return self.version == change.before.version


@dataclass(frozen=True, slots=True)
class Addition:
    """Inserts jobs with their first events, and those that followed.

    Raises:
        sqlalchemy.exc.IntegrityError: An id or key is taken; :meth:`conflict` says by whom.
        JobExistsError: An id belongs to a deleted job.
    """

    new: Sequence[tuple[Job, JobEvent]]
    later: Sequence[JobEvent] = ()

    def __call__(self, connection: Connection) -> None:
        """Insert them."""
        if not self.new:
            return
        connection.execute(_INSERT_JOBS, [{**job_row(job), **_duty(job), **_FREE_AT_ONCE} for job, _ in self.new])
        _insert_tags(connection, (job for job, _ in self.new))
        connection.execute(_INSERT_EVENTS, [event_row(event) for event in (*(it for _, it in self.new), *self.later)])
        # Looked for after the insert: a deletion that an insert of the same id had to wait for is seen now.
        for some in batches([job.id for job, _ in self.new]):
            deleted = connection.scalar(DELETED, {"ids": some})
            if deleted is not None:
                raise exists_already(deleted, what="id")

    def joined(self, others: Sequence[Addition]) -> Addition:
        """These and the others."""
        together = (self, *others)
        return Addition([new for it in together for new in it.new], [event for it in together for event in it.later])

    def conflict(self, connection: Connection) -> QDepotError:
        """Says which stored job has an id or a key that one of these wants."""
        for some in batches([job.id for job, _ in self.new]):
            for row in connection.execute(JOBS_BY_ID, {"ids": some}):
                return exists_already(row.id, what="id")
        for key in filter(None, (key_of(job) for job, _ in self.new)):
            for row in connection.execute(JOB_BY_KEY, dict(zip(("project", "owner", "key"), key, strict=True))):
                return exists_already(row.id, what="idempotency key")
        return UnavailableError("A job with the same id or key was deleted at this very moment.", solution="Try again.")


class Saving:
    """Saves changes of a ledger's jobs, judging leases by its time."""

    def __init__(self, time: LedgerTime) -> None:
        self._time = time
        self._lock = lock_statement(time.after_lock)

    def save(
        self, connection: Connection, changes: Sequence[JobChange], *, holder: str | None, keep_lease: bool
    ) -> list[bool]:
        """Save those changes that win; see :meth:`qdepot.ports.ledger.Ledger.save`."""
        standings = self._locked(connection, sorted({change.before.id for change in changes}))
        won: list[bool] = []
        winners: dict[str, JobChange] = {}
        for change in changes:
            standing = standings.get(change.before.id)
            wins = standing is not None and standing.lets_win(change, holder=holder)
            won.append(wins)
            if standing is not None and wins:
                standing.version = change.after.version
                winners[change.before.id] = change
        ends_lease = holder is not None and not keep_lease
        _write(connection, [(standings[job_id], change) for job_id, change in winners.items()], ends_lease=ends_lease)
        history = [change.event for change, wins in zip(changes, won, strict=True) if wins and change.event]
        if history:
            connection.execute(_INSERT_EVENTS, [event_row(event) for event in history])
        return won

    def _locked(self, connection: Connection, job_ids: Sequence[str]) -> dict[str, _Standing]:
        """Lock the rows of these jobs, always in the same order, and read where they stand."""
        standings: dict[str, _Standing] = {}
        for some in batches(job_ids):
            rows = connection.execute(self._lock, {"ids": some, **self._time.parameters()})
            standings |= {job_id: _Standing(*standing) for job_id, *standing in rows}
        return standings


def lock_statement(after_lock: ColumnElement[float]) -> Select[Any]:
    """Locks jobs and tells id, and what :class:`_Standing` holds."""
    locked = (
        select(jobs.c.id, jobs.c.version, jobs.c.tags, jobs.c.lease_holder, jobs.c.lease_until)
        .where(jobs.c.id.in_(bindparam("ids", type_=Text, expanding=True)))
        .order_by(jobs.c.id)
        .with_for_update()
        .cte("locked")
    )
    return select(locked, after_lock)


def remove(connection: Connection, job: Job, *, at: datetime) -> bool:
    """Delete a job with all that hangs on it and leave a tombstone; False if it is not what it was."""
    gone = connection.execute(delete(jobs).where(jobs.c.id == job.id, jobs.c.version == job.version)).rowcount
    if gone:
        connection.execute(insert(tombstones).values(job_id=job.id, deleted_at=at))
    return bool(gone)


def bury(connection: Connection, deleted: Mapping[str, datetime]) -> None:
    """Leave tombstones where there are none yet.

    Raises:
        JobExistsError: There is a job with one of these ids.
    """
    for some in batches(list(deleted)):
        for row in connection.execute(JOBS_BY_ID, {"ids": some}):
            raise exists_already(row.id, what="id")
        known = set(connection.scalars(select(tombstones.c.job_id).where(tombstones.c.job_id.in_(some))))
        rows = [{"job_id": job_id, "deleted_at": deleted[job_id]} for job_id in some if job_id not in known]
        if rows:
            connection.execute(insert(tombstones), rows)


def _write(connection: Connection, winners: Sequence[tuple[_Standing, JobChange]], *, ends_lease: bool) -> None:
    """Write each job as the last of its changes that won leaves it."""
    if not winners:
        return
    connection.execute(_UPDATE, [_updated(*winner, ends_lease=ends_lease) for winner in winners])
    retagged = [change.after for standing, change in winners if tags_text(change.after.tags) != standing.tags]
    for some in batches([job.id for job in retagged]):
        connection.execute(delete(job_tags).where(job_tags.c.job_id.in_(some)))
    _insert_tags(connection, retagged)


def _updated(standing: _Standing, change: JobChange, *, ends_lease: bool) -> dict[str, Any]:
    """The parameters of :data:`_UPDATE`."""
    job = change.after
    holder, lease_until = (None, None) if ends_lease else (standing.holder, standing.lease_until)
    due_at = standing.now + change.retry_in_s if change.retry_in_s > 0 else 0.0
    free_at = max(due_at, lease_until or 0.0)
    own = {
        "due_at": due_at,
        "lease_holder": holder,
        "lease_until": lease_until,
        "parked_until": free_at if job.next_duty and free_at > standing.now else None,
    }
    record = {name: value for name, value in job_row(job).items() if name not in IDENTITY}
    return {**record, **_duty(job), **own, "this_job": job.id}


def _duty(job: Job) -> dict[str, str | None]:
    """Who acts next, as the column holds it."""
    return {"duty": job.next_duty.value if job.next_duty else None}


def _insert_tags(connection: Connection, tagged: Iterable[Job]) -> None:
    """Make jobs findable by their tags."""
    rows = [row for job in tagged for row in tag_rows(job)]
    if rows:
        connection.execute(_INSERT_TAGS, rows)
