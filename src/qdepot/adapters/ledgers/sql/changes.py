"""What is written of jobs: new ones, changes, deletions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, insert, select, update

from qdepot.adapters.ledgers.refusals import IDENTITY, exists_already
from qdepot.adapters.ledgers.sql.batches import batches
from qdepot.adapters.ledgers.sql.ledger_time import LedgerTime
from qdepot.adapters.ledgers.sql.rows import event_row, job_row, tag_rows, tags_text
from qdepot.adapters.ledgers.sql.tables import events, job_tags, jobs, tombstones
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Job, JobChange
from qdepot.errors import QDepotError, UnavailableError


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


def add(connection: Connection, new: Sequence[tuple[Job, JobEvent]]) -> None:
    """Insert jobs with their first events.

    Raises:
        sqlalchemy.exc.IntegrityError: An id or key is taken; :func:`conflict` says by whom.
        JobExistsError: An id belongs to a deleted job.
    """
    if not new:
        return
    at_once = {"due_at": 0.0, "lease_holder": None, "lease_until": None, "parked_until": None}
    connection.execute(insert(jobs), [{**job_row(job), **_duty(job), **at_once} for job, _ in new])
    _insert_tags(connection, (job for job, _ in new))
    connection.execute(insert(events), [event_row(event) for _, event in new])
    # Looked for after the insert: a deletion that an insert of the same id had to wait for is seen now.
    for some in batches([job.id for job, _ in new]):
        deleted = connection.scalar(select(tombstones.c.job_id).where(tombstones.c.job_id.in_(some)).limit(1))
        if deleted is not None:
            raise exists_already(deleted, what="id")


def conflict(connection: Connection, new: Sequence[tuple[Job, JobEvent]]) -> QDepotError:
    """Says which stored job has an id or a key that one of these wants."""
    for some in batches([job.id for job, _ in new]):
        taken = connection.scalar(select(jobs.c.id).where(jobs.c.id.in_(some)).limit(1))
        if taken is not None:
            return exists_already(taken, what="id")
    for job, _ in new:
        key = job.idempotency_key_sha256
        taken = key and connection.scalar(job_with_key(jobs.c.id, project=job.project, owner=job.owner, key=key))
        if taken:
            return exists_already(taken, what="idempotency key")
    return UnavailableError("A job with the same id or key was deleted at this very moment.", solution="Try again.")


def job_with_key(*columns: ColumnElement[Any], project: str, owner: str, key: str) -> Select[Any]:
    """The job that was submitted with this idempotency key."""
    return select(*columns).where(
        jobs.c.project == project, jobs.c.owner == owner, jobs.c.idempotency_key_sha256 == key
    )


def save(
    connection: Connection, changes: Sequence[JobChange], *, holder: str | None, keep_lease: bool, time: LedgerTime
) -> list[bool]:
    """Save those changes that win; see :meth:`qdepot.ports.ledger.Ledger.save`."""
    standings = _locked(connection, sorted({change.before.id for change in changes}), time=time)
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
        connection.execute(insert(events), [event_row(event) for event in history])
    return won


def remove(connection: Connection, job: Job, *, at: datetime) -> bool:
    """Delete a job with all that hangs on it and leave a tombstone; False if it is not what it was."""
    gone = connection.execute(delete(jobs).where(jobs.c.id == job.id, jobs.c.version == job.version)).rowcount
    if gone:
        connection.execute(insert(tombstones).values(job_id=job.id, deleted_at=at))
    return bool(gone)


def _locked(connection: Connection, job_ids: Sequence[str], *, time: LedgerTime) -> dict[str, _Standing]:
    """Lock the rows of these jobs, always in the same order, and read where they stand."""
    standings: dict[str, _Standing] = {}
    for some in batches(job_ids):
        rows = (
            select(jobs.c.id, jobs.c.version, jobs.c.tags, jobs.c.lease_holder, jobs.c.lease_until)
            .where(jobs.c.id.in_(some))
            .order_by(jobs.c.id)
            .with_for_update()
            .cte("locked")
        )
        for job_id, version, tags, lease_holder, lease_until, now in connection.execute(select(rows, time.read())):
            standings[job_id] = _Standing(version, tags, lease_holder, lease_until, now)
    return standings


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
        connection.execute(insert(job_tags), rows)


_UPDATE = update(jobs).where(jobs.c.id == bindparam("this_job"))
