"""The ledger in a SQL database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, func, select
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
from qdepot.adapters.ledgers.sql import changes as writing
from qdepot.adapters.ledgers.sql import claims, tables
from qdepot.adapters.ledgers.sql.batches import batches
from qdepot.adapters.ledgers.sql.connecting import Database
from qdepot.adapters.ledgers.sql.faults import database_errors_explained
from qdepot.adapters.ledgers.sql.listing import page_statement
from qdepot.adapters.ledgers.sql.rows import EVENT_COLUMNS, JOB_COLUMNS, event_of, job_of
from qdepot.adapters.ledgers.sql.schema import Schema
from qdepot.adapters.ledgers.subscribers import Subscribers
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Duty, Job, JobChange, JobStatus
from qdepot.errors import UnavailableError
from qdepot.ports.ledger import JobFilter, Page

T = TypeVar("T")


class SqlLedger:
    """A :class:`~qdepot.ports.ledger.Ledger` in SQLite or PostgreSQL; see :func:`.opening.open_ledger`."""

    def __init__(self, database: Database, *, schema: Schema) -> None:
        self._database = database
        self._schema = schema
        self._subscribers = Subscribers()
        self._closed = False

    def __repr__(self) -> str:
        return f"SqlLedger({self._database.place})"

    def add(self, jobs: Sequence[tuple[Job, JobEvent]]) -> None:
        """See the port."""
        batch_checked(job for job, _ in jobs)
        with self._asked():
            try:
                self._database.transactions.run(partial(writing.add, new=jobs))
            except IntegrityError:
                raise self._database.read(partial(writing.conflict, new=jobs)) from None
        self._subscribers.tell()

    def get(self, job_id: str) -> Job:
        """See the port."""
        found = self.get_many([job_id])
        if found:
            return found[job_id]
        buried = select(tables.tombstones.c.deleted_at).where(tables.tombstones.c.job_id == job_id)
        deleted_at = self._read(lambda connection: connection.scalar(buried))
        raise not_found(job_id) if deleted_at is None else gone(job_id, at=deleted_at)

    def get_many(self, job_ids: Sequence[str]) -> dict[str, Job]:
        """See the port."""
        found: dict[str, Job] = {}
        for some in batches(job_ids):
            statement = select(*JOB_COLUMNS).where(tables.jobs.c.id.in_(some))
            found |= {job.id: job for job in self._jobs(statement)}
        return found

    def find_by_idempotency_key(self, *, project: str, owner: str, key_sha256: str) -> Job | None:
        """See the port."""
        found = self._jobs(writing.job_with_key(*JOB_COLUMNS, project=project, owner=owner, key=key_sha256))
        return found[0] if found else None

    def page(self, job_filter: JobFilter, *, limit: int, cursor: str | None = None) -> Page:
        """See the port."""
        page_limit_checked(limit)
        behind = None if cursor is None else position_of(cursor)
        if job_filter.status is not None and not job_filter.status:
            return Page(jobs=(), next_cursor=None)
        found = self._jobs(page_statement(job_filter, limit=limit + 1, behind=behind))
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
        wish = claims.Wish(duty=duty, holder=holder, lease_s=lease_s, limit=limit, job_ids=job_ids, backends=backends)
        return self._write(partial(claims.claim, wish=wish, time=self._database.time))

    def renew(self, job_ids: Sequence[str], *, holder: str, lease_s: float) -> set[str]:
        """See the port."""
        return self._write(
            partial(claims.renew, job_ids=job_ids, holder=holder, lease_s=lease_s, time=self._database.time)
        )

    def save(self, changes: Sequence[JobChange], *, holder: str | None = None, keep_lease: bool = False) -> list[bool]:
        """See the port."""
        for change in changes:
            identity_checked(change)
        won = self._write(
            partial(writing.save, changes=changes, holder=holder, keep_lease=keep_lease, time=self._database.time)
        )
        if any(won):
            self._subscribers.tell()
        return won

    def release(self, *, holder: str, job_ids: Sequence[str] | None = None) -> int:
        """See the port."""
        ended = self._write(partial(claims.release, holder=holder, job_ids=job_ids, time=self._database.time))
        if ended:
            self._subscribers.tell()
        return ended

    def events(self, job_id: str, *, after: int = 0, limit: int = 1000) -> list[JobEvent]:
        """See the port."""
        history = (
            select(*EVENT_COLUMNS)
            .where(tables.events.c.job_id == job_id, tables.events.c.number > after)
            .order_by(tables.events.c.number)
            .limit(limit)
        )
        return self._read(lambda connection: [event_of(row) for row in connection.execute(history)])

    def counts(self, *, project: str | None = None) -> Mapping[JobStatus, int]:
        """See the port."""
        per_status = select(tables.jobs.c.status, func.count()).group_by(tables.jobs.c.status)
        if project is not None:
            per_status = per_status.where(tables.jobs.c.project == project)
        found: dict[str, int] = self._read(
            lambda connection: {row[0]: row[1] for row in connection.execute(per_status)}
        )
        return {status: found.get(status.value, 0) for status in JobStatus}

    def unfinished_with_request(self, request_key: str) -> int:
        """See the port."""
        sharing = select(func.count()).where(tables.jobs.c.request_key == request_key, tables.IS_OPEN)
        return self._read(lambda connection: connection.scalar(sharing) or 0)

    def delete(self, job: Job, *, at: datetime) -> bool:
        """See the port."""
        if not job.is_final:
            raise not_final(job)
        removed = self._write(partial(writing.remove, job=job, at=at))
        if removed:
            self._subscribers.tell()
        return removed

    def on_change(self, callback: Callable[[], None]) -> None:
        """See the port."""
        self._subscribers.add(callback)

    def check(self) -> None:
        """See the port."""
        self._read(self._schema.check)

    def close(self) -> None:
        """See the port."""
        self._closed = True
        self._database.close()

    def _jobs(self, statement: Select[Any]) -> list[Job]:
        """The jobs that a query for :data:`JOB_COLUMNS` finds."""
        return self._read(lambda connection: [job_of(row) for row in connection.execute(statement)])

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
            raise UnavailableError("This ledger has been closed.")
        with database_errors_explained():
            yield
