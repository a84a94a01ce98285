"""Changes of jobs, and their end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, bindparam, delete, insert, select, update

from qdepot.adapters.ledgers.sql.batches import batches
from qdepot.adapters.ledgers.sql.ledger_time import LedgerTime
from qdepot.adapters.ledgers.sql.rows import changed_row, duty_row, event_row, tag_rows
from qdepot.adapters.ledgers.sql.tables import events, job_tags, jobs, tombstones
from qdepot.adapters.ledgers.sql.transactions import Unit
from qdepot.domain.job import Job, JobChange

_INSERT_TAGS = insert(job_tags)
_INSERT_EVENTS = insert(events)
_UPDATE = update(jobs).where(jobs.c.id == bindparam("this_job"))


@dataclass(frozen=True, slots=True)
class _Step:
    """A change and the columns that it changes, in their stored form."""

    change: JobChange
    row: Mapping[str, Any]

    @property
    def job_id(self) -> str:
        return self.change.before.id


@dataclass(slots=True)
class _Standing:
    """Where a stored job stands while changes are judged, by the ledger's clock."""

    version: int
    edits: int
    holder: str | None
    lease_until: float | None
    now: float
    has_refused: bool = False
    last: JobChange | None = None
    last_move: JobChange | None = None
    row: dict[str, Any] = field(default_factory=dict)

    def takes(self, step: _Step, *, holder: str | None) -> bool:
        """Take the step if nothing happened since, none was refused, and the holder, if there is one, has its lease."""
        is_lapsed = holder is not None and (self.holder != holder or (self.lease_until or 0.0) <= self.now)
        # The version behind a step that was refused may be one that somebody else's step has led to.
        self.has_refused = self.has_refused or is_lapsed or self._is_outdated(step.change)
        if self.has_refused:
            return False
        self.last = step.change
        self.version = step.change.after.version
        self.edits = step.row.get("edits", self.edits)
        self.last_move = self.last_move if step.change.is_edit else step.change
        self.row.update(step.row)
        return True

    def _is_outdated(self, change: JobChange) -> bool:
        """True if the stored job is not the one that the change was made for. Edits concern only other edits."""
        before = change.before
        return self.version != before.version or (change.is_edit and self.edits != before.edits)


class Saving:
    """Saves changes of a ledger's jobs, judging leases by its time."""

    def __init__(self, time: LedgerTime) -> None:
        self._time = time
        self._lock = lock_statement(time.after_lock)

    def of(self, changes: Sequence[JobChange], *, holder: str | None, keep_lease: bool) -> Unit[list[bool]]:
        """The unit that saves these; see :meth:`qdepot.ports.ledger.Ledger.save`. Rows are made before its turn."""
        steps = [_Step(change, changed_row(change.before, change.after)) for change in changes]
        ends_lease = holder is not None and not keep_lease
        return partial(self._save, steps=steps, holder=holder, ends_lease=ends_lease)

    def _save(
        self, connection: Connection, steps: Sequence[_Step], *, holder: str | None, ends_lease: bool
    ) -> list[bool]:
        standings = self._locked(connection, sorted({step.job_id for step in steps}))
        won = [step.job_id in standings and standings[step.job_id].takes(step, holder=holder) for step in steps]
        _write(connection, standings.values(), ends_lease=ends_lease)
        history = [step.change.event for step, wins in zip(steps, won, strict=True) if wins and step.change.event]
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
        select(jobs.c.id, jobs.c.version, jobs.c.edits, jobs.c.lease_holder, jobs.c.lease_until)
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
        connection.execute(insert(tombstones).values(job_id=job.id, project=job.project, deleted_at=at))
    return bool(gone)


def _write(connection: Connection, standings: Iterable[_Standing], *, ends_lease: bool) -> None:
    """Write each job as the last step that it took leaves it: those that change the same columns in one statement."""
    taken = [(standing, change) for standing in standings if (change := standing.last)]
    alike: dict[frozenset[str], list[dict[str, Any]]] = {}
    for standing, change in taken:
        own = _own_columns(standing, standing.last_move, ends_lease=ends_lease) if standing.last_move else {}
        row = {**standing.row, **own, "this_job": change.before.id}
        alike.setdefault(frozenset(row), []).append(row)
    for rows in alike.values():
        connection.execute(_UPDATE, rows)
    retagged = [change.after for standing, change in taken if "tags" in standing.row]
    for some in batches([job.id for job in retagged]):
        connection.execute(delete(job_tags).where(job_tags.c.job_id.in_(some)))
    tags = [row for job in retagged for row in tag_rows(job)]
    if tags:
        connection.execute(_INSERT_TAGS, tags)


def _own_columns(standing: _Standing, change: JobChange, *, ends_lease: bool) -> dict[str, Any]:
    """The ledger's own columns: who acts next and when, who holds it, until when it is parked."""
    holder, lease_until = (None, None) if ends_lease else (standing.holder, standing.lease_until)
    due_at = standing.now + change.retry_in_s if change.retry_in_s > 0 else 0.0
    free_at = max(due_at, lease_until or 0.0)
    is_parked = change.after.next_duty is not None and free_at > standing.now
    return {
        **duty_row(change.after),
        "due_at": due_at,
        "lease_holder": holder,
        "lease_until": lease_until,
        "parked_until": free_at if is_parked else None,
    }
