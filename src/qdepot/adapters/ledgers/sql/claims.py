"""Leases: who may act on which jobs, how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Select, TextClause, Update, case, null, or_, select, union_all, update

from qdepot.adapters.ledgers.sql.batches import batches
from qdepot.adapters.ledgers.sql.ledger_time import LedgerTime
from qdepot.adapters.ledgers.sql.rows import JOB_COLUMNS, job_of
from qdepot.adapters.ledgers.sql.tables import IS_FREE, IS_PARKED, jobs
from qdepot.domain.job import Duty, Job

_MOST_UNPARKED = 10_000
"""How many jobs whose time has come one claim takes note of. If more came due since the last claim (a service that was
down for long), those that waited longest go first and the rest follow with the next claims."""

_Condition: TypeAlias = ColumnElement[bool] | TextClause

_TURN = (jobs.c.priority.desc(), jobs.c.created_at, jobs.c.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a holder wants to claim; see :meth:`qdepot.ports.ledger.Ledger.claim`."""

    duty: Duty
    holder: str
    lease_s: float
    limit: int
    job_ids: Sequence[str] | None
    backends: Sequence[str] | None

    @property
    def is_empty(self) -> bool:
        """True if nothing can match."""
        return self.limit < 1 or any(names is not None and not names for names in (self.job_ids, self.backends))


def claim(connection: Connection, wish: Wish, *, time: LedgerTime) -> list[Job]:
    """Lease jobs to the holder, in one statement (after one that unparks those whose time has come)."""
    if wish.is_empty:
        return []
    if wish.job_ids is None:
        connection.execute(unpark_statement(time=time))
    rows = connection.execute(claim_statement(wish, time=time))
    return sorted(map(job_of, rows), key=lambda job: (-job.priority, job.created_at, job.id))


def unpark_statement(*, time: LedgerTime) -> Update:
    """Frees the jobs whose wait is over or whose lease has lapsed."""
    ripe = (
        select(jobs.c.id)
        .where(IS_PARKED, jobs.c.parked_until <= time.now())
        .order_by(jobs.c.parked_until)
        .limit(_MOST_UNPARKED)
        .with_for_update(skip_locked=True)
        .cte("ripe")
    )
    return (
        update(jobs)
        .where(jobs.c.id.in_(select(ripe.c.id)))
        .values(parked_until=null(), lease_holder=null(), lease_until=null())
    )


def claim_statement(wish: Wish, *, time: LedgerTime) -> Update:
    """Picks jobs in the order of their turn and leases them. Rows that another claim has locked are passed over."""
    branches = [_picked(condition, limit=wish.limit).subquery() for condition in _conditions(wish, time=time)]
    together = union_all(*(select(branch) for branch in branches)).subquery()
    picked = (
        select(together.c.id)
        .order_by(together.c.priority.desc(), together.c.created_at, together.c.id)
        .limit(wish.limit)
        .cte("picked")
    )
    return (
        update(jobs)
        .where(jobs.c.id.in_(select(picked.c.id)))
        .values(lease_holder=wish.holder, **_leased_until(time.now() + wish.lease_s))
        .returning(*JOB_COLUMNS)
    )


def renew(connection: Connection, job_ids: Sequence[str], *, holder: str, lease_s: float, time: LedgerTime) -> set[str]:
    """Extend those leases that the holder still has."""
    renewed: set[str] = set()
    for some in batches(sorted(set(job_ids))):
        statement = (
            update(jobs)
            .where(jobs.c.id.in_(some), *_held_by(holder, time=time))
            .values(_leased_until(time.now() + lease_s))
            .returning(jobs.c.id)
        )
        renewed.update(connection.execute(statement).scalars())
    return renewed


def release(connection: Connection, *, holder: str, job_ids: Sequence[str] | None, time: LedgerTime) -> int:
    """End leases that the holder still has; returns how many."""
    named: Iterable[ColumnElement[bool]] = [jobs.c.lease_holder == holder]
    if job_ids is not None:
        named = (jobs.c.id.in_(some) for some in batches(sorted(set(job_ids))))
    ended = 0
    for condition in named:
        still_waits = case((jobs.c.due_at > time.now(), jobs.c.due_at))
        statement = (
            update(jobs)
            .where(condition, *_held_by(holder, time=time))
            .values(lease_holder=null(), lease_until=null(), parked_until=still_waits)
        )
        ended += connection.execute(statement).rowcount
    return ended


def _held_by(holder: str, *, time: LedgerTime) -> tuple[ColumnElement[bool], ...]:
    """The holder's lease has not lapsed."""
    return jobs.c.lease_holder == holder, jobs.c.lease_until > time.now()


def _leased_until(end: ColumnElement[float]) -> dict[str, ColumnElement[Any]]:
    """The columns that a lease sets beside its holder."""
    later = case((jobs.c.due_at > end, jobs.c.due_at), else_=end)
    return {"lease_until": end, "parked_until": case((jobs.c.duty.is_not(None), later))}


def _conditions(wish: Wish, *, time: LedgerTime) -> Iterator[tuple[_Condition, ...]]:
    """Ways in which a job can be the holder's next; each is served by one index, and none overlaps another."""
    of_duty = jobs.c.duty == wish.duty.value
    at_backends = () if wish.backends is None else (jobs.c.backend.in_(wish.backends),)
    if wish.job_ids is not None:
        nobody_else = or_(
            jobs.c.lease_holder.is_(None), jobs.c.lease_holder == wish.holder, jobs.c.lease_until <= time.now()
        )
        for some in batches(sorted(set(wish.job_ids))):
            yield jobs.c.id.in_(some), of_duty, nobody_else, *at_backends
        return
    yield jobs.c.lease_holder == wish.holder, of_duty, IS_PARKED, jobs.c.due_at <= time.now(), *at_backends
    if wish.backends is None:
        yield of_duty, IS_FREE
    else:
        yield from ((of_duty, IS_FREE, jobs.c.backend == backend) for backend in sorted(set(wish.backends)))


def _picked(condition: Iterable[_Condition], *, limit: int) -> Select[Any]:
    """The first jobs, by turn, that meet one condition."""
    return (
        select(jobs.c.id, jobs.c.priority, jobs.c.created_at)
        .where(*condition)
        .order_by(*_TURN)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
