"""Leases: who may act on which jobs, how long.

Statements are built once and executed with parameters: building one takes longer than running it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Integer,
    Row,
    Select,
    Text,
    TextClause,
    Update,
    bindparam,
    case,
    null,
    or_,
    select,
    union_all,
    update,
)

from qdepot.adapters.ledgers.sql.batches import batches
from qdepot.adapters.ledgers.sql.ledger_time import LedgerTime
from qdepot.adapters.ledgers.sql.rows import JOB_COLUMNS, job_of
from qdepot.adapters.ledgers.sql.tables import IS_FREE, IS_PARKED, jobs
from qdepot.domain.job import Duty, Job

_Condition: TypeAlias = ColumnElement[bool] | TextClause

_Seconds: TypeAlias = ColumnElement[float]

_DUTY = bindparam("of_duty", type_=Text)
_HOLDER = bindparam("holder", type_=Text)
_LEASE_S = bindparam("lease_s", type_=Double)
_MOST = bindparam("most", type_=Integer)
_IDS = bindparam("ids", type_=Text, expanding=True)
_BACKENDS = bindparam("backends", type_=Text, expanding=True)


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

    @property
    def distinct_backends(self) -> list[str]:
        """Each once."""
        return sorted(set(self.backends or ()))

    def parameters(self) -> dict[str, object]:
        """What a statement of this wish's shape is executed with, beside the time."""
        known: dict[str, object] = {
            "of_duty": self.duty.value,
            "holder": self.holder,
            "lease_s": self.lease_s,
            "most": self.limit,
        }
        if self.job_ids is not None:
            known["ids"] = list(self.job_ids)
        if self.backends is not None:
            known["backends"] = self.distinct_backends
        if self.job_ids is None:
            known |= {f"backend_{place}": name for place, name in enumerate(self.distinct_backends)}
        return known


class Leases:
    """The leases of a ledger, judged by its time."""

    def __init__(self, time: LedgerTime, *, most_unparked: int = 10_000) -> None:
        """Build the statements.

        Args:
            time: By which they are judged.
            most_unparked: How many jobs whose time has come one claim takes note of. If more came due since the last
                claim (after a long stop), those that waited longest go first and the rest follow with the next claims.
        """
        self._time = time
        self._unpark = unpark_statement(time.now, most=most_unparked)
        self._renew = renew_statement(time.now)
        self._release = release_statement(time.now)
        self._release_named = release_statement(time.now).where(jobs.c.id.in_(_IDS))
        self._claims: dict[_Shape, Update] = {}

    def claim(self, connection: Connection, wish: Wish) -> Sequence[Row[Any]]:
        """Lease jobs to the holder, in one statement (after one that unparks those whose time has come).

        Returns:
            The jobs' rows, in no order; :func:`in_turn` makes jobs of them when the transaction is over.
        """
        if wish.is_empty:
            return []
        if wish.job_ids is None:
            connection.execute(self._unpark, self._time.parameters())
        shape = _Shape.of(wish)
        if shape not in self._claims:
            self._claims[shape] = claim_statement(shape, self._time.now)
        return connection.execute(self._claims[shape], {**wish.parameters(), **self._time.parameters()}).all()

    def renew(self, connection: Connection, job_ids: Sequence[str], *, holder: str, lease_s: float) -> set[str]:
        """Extend those leases that the holder still has."""
        renewed: set[str] = set()
        for some in batches(sorted(set(job_ids))):
            named = {"ids": some, "holder": holder, "lease_s": lease_s}
            renewed.update(connection.execute(self._renew, {**named, **self._time.parameters()}).scalars())
        return renewed

    def release(self, connection: Connection, *, holder: str, job_ids: Sequence[str] | None) -> int:
        """End leases that the holder still has; returns how many."""
        mine = {"holder": holder, **self._time.parameters()}
        if job_ids is None:
            return connection.execute(self._release, mine).rowcount
        named = batches(sorted(set(job_ids)))
        return sum(connection.execute(self._release_named, {"ids": some, **mine}).rowcount for some in named)


def in_turn(rows: Sequence[Row[Any]]) -> list[Job]:
    """The jobs of a claim, in the order of their turn."""
    return sorted(map(job_of, rows), key=lambda job: (-job.priority, job.created_at, job.id))


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a wish needs its statement to look like."""

    names_jobs: bool
    num_backends: int | None

    @classmethod
    def of(cls, wish: Wish) -> _Shape:
        return cls(wish.job_ids is not None, None if wish.backends is None else len(wish.distinct_backends))


def unpark_statement(now: _Seconds, *, most: int) -> Update:
    """Frees the jobs whose wait is over or whose lease has lapsed."""
    ripe = (
        select(jobs.c.id)
        .where(IS_PARKED, jobs.c.parked_until <= now)
        .order_by(jobs.c.parked_until)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("ripe")
    )
    return (
        update(jobs)
        .where(jobs.c.id.in_(select(ripe.c.id)))
        .values(parked_until=null(), lease_holder=null(), lease_until=null())
    )


def claim_statement(shape: _Shape, now: _Seconds) -> Update:
    """Picks jobs in the order of their turn and leases them. Rows that another claim has locked are passed over."""
    branches = [_first_by_turn(conditions).subquery() for conditions in _ways(shape, now)]
    together = union_all(*(select(branch) for branch in branches)).subquery()
    picked = (
        select(together.c.id)
        .order_by(together.c.priority.desc(), together.c.created_at, together.c.id)
        .limit(_MOST)
        .cte("picked")
    )
    return (
        update(jobs)
        .where(jobs.c.id.in_(select(picked.c.id)))
        .values(lease_holder=_HOLDER, **_leased_until(now + _LEASE_S))
        .returning(*JOB_COLUMNS)
    )


def renew_statement(now: _Seconds) -> Update:
    """Leases the jobs anew to a holder who still has them."""
    return (
        update(jobs)
        .where(jobs.c.id.in_(_IDS), *_still_held(now))
        .values(_leased_until(now + _LEASE_S))
        .returning(jobs.c.id)
    )


def release_statement(now: _Seconds) -> Update:
    """Ends the leases that a holder still has."""
    still_waits = case((jobs.c.due_at > now, jobs.c.due_at))
    ended = {"lease_holder": null(), "lease_until": null(), "parked_until": still_waits}
    return update(jobs).where(*_still_held(now)).values(ended)


def _still_held(now: _Seconds) -> tuple[ColumnElement[bool], ...]:
    """The holder's lease has not lapsed."""
    return jobs.c.lease_holder == _HOLDER, jobs.c.lease_until > now


def _leased_until(end: _Seconds) -> dict[str, ColumnElement[Any]]:
    """The columns that a lease sets beside its holder."""
    later = case((jobs.c.due_at > end, jobs.c.due_at), else_=end)
    return {"lease_until": end, "parked_until": case((jobs.c.duty.is_not(None), later))}


def _ways(shape: _Shape, now: _Seconds) -> Iterator[tuple[_Condition, ...]]:
    """The ways in which a job can be the holder's next; each is served by one index, and no job is found in two."""
    of_duty = jobs.c.duty == _DUTY
    at_backends = () if shape.num_backends is None else (jobs.c.backend.in_(_BACKENDS),)
    if shape.names_jobs:
        nobody_else = or_(jobs.c.lease_holder.is_(None), jobs.c.lease_holder == _HOLDER, jobs.c.lease_until <= now)
        yield jobs.c.id.in_(_IDS), of_duty, nobody_else, *at_backends
        return
    yield jobs.c.lease_holder == _HOLDER, of_duty, IS_PARKED, jobs.c.due_at <= now, *at_backends
    if shape.num_backends is None:
        yield of_duty, IS_FREE
    for place in range(shape.num_backends or 0):
        yield of_duty, IS_FREE, jobs.c.backend == bindparam(f"backend_{place}")


def _first_by_turn(conditions: Iterable[_Condition]) -> Select[Any]:
    """The first jobs, by turn, that meet all conditions."""
    return (
        select(jobs.c.id, jobs.c.priority, jobs.c.created_at)
        .where(*conditions)
        .order_by(jobs.c.priority.desc(), jobs.c.created_at, jobs.c.id)
        .limit(_MOST)
        .with_for_update(skip_locked=True)
    )
