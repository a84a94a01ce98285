"""The ledger in a SQL database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Select
from sqlalchemy.exc import IntegrityError

from qdepot.adapters.ledgers.cursor import Position, cursor_of, position_of
from qdepot.adapters.ledgers.refusals import (
    batch_checked,
    gone,
    identity_checked,
    not_final,
    not_found,
    page_limit_checked,
)
from qdepot.adapters.ledgers.sql import queries
from qdepot.adapters.ledgers.sql.adding import Addition, bury
from qdepot.adapters.ledgers.sql.batches import batches
from qdepot.adapters.ledgers.sql.claims import Leases, Wish, in_turn
from qdepot.adapters.ledgers.sql.connecting import Database
from qdepot.adapters.ledgers.sql.faults import closed, database_errors_explained
from qdepot.adapters.ledgers.sql.listing import page_query
from qdepot.adapters.ledgers.sql.rows import event_of, job_of
from qdepot.adapters.ledgers.sql.saving import Saving, remove
from qdepot.adapters.ledgers.sql.schema import Schema
from qdepot.adapters.ledgers.sql.tokens import SqlTokenRegister
from qdepot.adapters.ledgers.subscribers import Subscribers
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Duty, Job, JobChange, JobStatus
from qdepot.ports.ledger import JobFilter, Page, Tombstone

T = TypeVar("T")


class SqlLedger:
    """A :class:`~qdepot.ports.ledger.Ledger` in SQLite or PostgreSQL; see :func:`.opening.open_ledger`."""

    def __init__(self, database: Database, *, schema: Schema) -> None:
        self._database = database
        self._schema = schema
        self._leases = Leases(database.time)
        self._saving = Saving(database.time)
        self._subscribers = Subscribers()
        self._closed = False

    def __repr__(self) -> str:
        return f"SqlLedger({self._database.place})"

    def add(self, jobs: Sequence[tuple[Job, JobEvent]]) -> None:
        """See the port."""
        self.restore([(job, [event]) for job, event in jobs])

    def restore(self, jobs: Sequence[tuple[Job, Sequence[JobEvent]]]) -> None:
        """See the port."""
        batch_checked(job for job, _ in jobs)
        addition = Addition.of(jobs)
        with self._asked():
            try:
                self._database.additions.run(addition)
            except IntegrityError as error:
                raise self._database.read(addition.conflict) from error.orig
        self._tell()

    def bury(self, deleted: Sequence[Tombstone]) -> None:
        """See the port."""
        self._write(partial(bury, deleted=deleted))

    def get(self, job_id: str, *, project: str | None = None) -> Job:
        """See the port."""
        asked = {"job_id": job_id}
        found = self._jobs(queries.JOB_BY_ID, asked)
        if found and project in {None, found[0].project}:
            return found[0]
        tombstone = self._read(lambda connection: connection.execute(queries.TOMBSTONE, asked).first())
        if tombstone is not None and project in {None, tombstone.project}:
            raise gone(job_id, at=tombstone.deleted_at)
        raise not_found(job_id)

    def get_many(self, job_ids: Sequence[str]) -> dict[str, Job]:
        """See the port."""
        found: dict[str, Job] = {}
        for some in batches(job_ids):
            found |= {job.id: job for job in self._jobs(queries.JOBS_BY_ID, {"ids": some})}
        return found

    def find_by_idempotency_key(self, *, project: str, owner: str, key_sha256: str) -> Job | None:
        """See the port."""
        found = self._jobs(queries.JOB_BY_KEY, {"project": project, "owner": owner, "key": key_sha256})
        return found[0] if found else None

    def page(self, job_filter: JobFilter, *, limit: int, cursor: str | None = None) -> Page:
        """See the port."""
        page_limit_checked(limit)
        behind = None if cursor is None else position_of(cursor)
        if job_filter.status is not None and not job_filter.status:
            return Page(jobs=(), next_cursor=None)
        found = self._jobs(*page_query(job_filter, limit=limit + 1, behind=behind))
        if len(found) <= limit:
            return Page(jobs=tuple(found), next_cursor=None)
        last = found[limit - 1]
        return Page(
            jobs=tuple(found[:limit]),
            next_cursor=cursor_of(Position(created_at=last.created_at, job_id=last.id)),
        )

    def claim(
        self,
        duty: Duty,
        *,
        holder: str,
        lease_s: float,
        limit: int,
        job_ids: Sequence[str] | None = None,
        backends: Sequence[str] | None = None,
    ) -> list[Job]:
        """See the port."""
        wish = Wish(duty=duty, holder=holder, lease_s=lease_s, limit=limit, job_ids=job_ids, backends=backends)
        return in_turn(self._write(partial(self._leases.claim, wish=wish)))

    def renew(self, job_ids: Sequence[str], *, holder: str, lease_s: float) -> set[str]:
        """See the port."""
        return self._write(partial(self._leases.renew, job_ids=job_ids, holder=holder, lease_s=lease_s))

    def save(self, changes: Sequence[JobChange], *, holder: str | None = None, keep_lease: bool = False) -> list[bool]:
        """See the port."""
        for change in changes:
            identity_checked(change)
        won = self._write(self._saving.of(changes, holder=holder, keep_lease=keep_lease))
        if any(won):
            self._tell()
        return won

    def release(self, *, holder: str, job_ids: Sequence[str] | None = None) -> int:
        """See the port."""
        ended = self._write(partial(self._leases.release, holder=holder, job_ids=job_ids))
        if ended:
            self._tell()
        return ended

    def events(self, job_id: str, *, after: int = 0, limit: int = 1000) -> list[JobEvent]:
        """See the port."""
        asked = {"job_id": job_id, "after": after, "most": limit}
        return self._read(lambda connection: [event_of(row) for row in connection.execute(queries.HISTORY, asked)])

    def histories(self, job_ids: Sequence[str]) -> dict[str, list[JobEvent]]:
        """See the port."""
        found: dict[str, list[JobEvent]] = {job_id: [] for job_id in job_ids}
        for some in batches(job_ids):
            for event in self._read(partial(_events, asked={"ids": some})):
                found[event.job_id].append(event)
        return found

    def counts(self, *, project: str | None = None) -> Mapping[JobStatus, int]:
        """See the port."""
        statement, asked = (
            (queries.COUNTS, {}) if project is None else (queries.COUNTS_OF_PROJECT, {"project": project})
        )
        found = self._read(lambda connection: {row[0]: row[1] for row in connection.execute(statement, asked)})
        return {status: found.get(status.value, 0) for status in JobStatus}

    def count_open(self, project: str) -> int:
        """See the port."""
        return self._read(lambda connection: connection.scalar(queries.NUM_OPEN, {"project": project}) or 0)

    def unfinished_with_request(self, request_key: str) -> int:
        """See the port."""
        asked = {"request_key": request_key}
        return self._read(lambda connection: connection.scalar(queries.NUM_OPEN_WITH_REQUEST, asked) or 0)

    def delete(self, job: Job, *, at: datetime) -> bool:
        """See the port."""
        if not job.is_final:
            raise not_final(job)
        removed = self._write(partial(remove, job=job, at=at))
        if removed:
            self._tell()
        return removed

    def token_register(self) -> SqlTokenRegister:
        """The tokens in the same database; usable as long as the ledger is open."""
        return SqlTokenRegister(self._database)

    def on_change(self, callback: Callable[[], None]) -> None:
        """See the port."""
        self._subscribers.add(callback)
        self._database.watch.start(self._subscribers.tell)

    def check(self) -> None:
        """See the port."""
        self._read(self._schema.check)

    def close(self) -> None:
        """See the port."""
        self._closed = True
        self._database.close()

    def _tell(self) -> None:
        """Something was committed."""
        self._subscribers.tell()
        self._database.watch.announce()

    def _jobs(self, statement: Select[Any], asked: Mapping[str, object]) -> list[Job]:
        """The jobs that a query for whole jobs finds."""
        return self._read(lambda connection: [job_of(row) for row in connection.execute(statement, asked)])

    def _read(self, query: Callable[[Connection], T]) -> T:
        with self._asked():
            return self._database.read(query)

    def _write(self, unit: Callable[[Connection], T]) -> T:
        with self._asked():
            return self._database.transactions.run(unit)

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Refuses if the ledger is closed; explains errors."""
        if self._closed:
            raise closed()
        with database_errors_explained():
            yield


def _events(connection: Connection, asked: Mapping[str, object]) -> list[JobEvent]:
    return [event_of(row) for row in connection.execute(queries.HISTORIES, asked)]
