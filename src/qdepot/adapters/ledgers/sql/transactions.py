"""How units of work reach the database: a unit is a function of a connection, committed as a whole or not at all."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeAlias, TypeVar, cast, runtime_checkable

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from qdepot.adapters.ledgers.sql.faults import sqlstate_of
from qdepot.errors import UnavailableError

T = TypeVar("T")
Unit: TypeAlias = Callable[[Connection], T]

_LARGEST_GROUP = 256
_TRIES = 4
_COLLIDED = frozenset({"40001", "40P01"})
"""PostgreSQL undid a transaction because it got in the way of another one."""


@runtime_checkable
class Joinable(Protocol):
    """A unit without a result that is cheaper in company."""

    def __call__(self, connection: Connection) -> None:
        """Do it."""
        ...

    def joined(self, others: Sequence[Self]) -> Unit[None]:
        """Do it and the others."""
        ...


class Transactions(Protocol):
    """Runs units of work that write."""

    def run(self, unit: Unit[T]) -> T:
        """Run the unit in a transaction, and return its result once that is durably committed.

        What the unit raises undoes it and is raised here. A unit may be run more than once until one run counts.
        """
        ...

    def close(self) -> None:
        """Finish what was begun, take no more. May be repeated."""
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A unit, and whoever waits for it."""

    unit: Unit[Any]
    future: Future[Any]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a unit within its group."""

    result: Any = None
    error: Exception | None = None


class GroupedTransactions:
    """One thread that commits all waiting units in one transaction; a unit that fails leaves the others alone.

    A commit costs a sync of the disk, however much is in it; while one is under way, the next group gathers. This suits
    SQLite, which lets one connection write at a time anyway.
    """

    def __init__(self, engine: Engine, *, patience_s: float) -> None:
        self._engine = engine
        self._patience_s = patience_s
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._door = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="qdepot-ledger-writer", daemon=True)
        self._thread.start()

    def run(self, unit: Unit[T]) -> T:
        """See :class:`Transactions`."""
        waiting = _Waiting(unit, Future())
        with self._door:
            if self._closed:
                raise UnavailableError("This ledger has been closed.")
            self._queue.put(waiting)
        try:
            return cast(T, waiting.future.result(self._patience_s))
        except TimeoutError:
            if not waiting.future.cancel() and waiting.future.done():
                raise  # the unit's own
            raise UnavailableError(
                f"The ledger did not write within {self._patience_s:g} s.", solution="Check its disk; try again."
            ) from None

    def close(self) -> None:
        """See :class:`Transactions`."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while group := self._next_group():
            begun = [waiting for waiting in group if waiting.future.set_running_or_notify_cancel()]
            for waiting, outcome in zip(begun, self._committed([each.unit for each in begun]), strict=True):
                if outcome.error is None:
                    waiting.future.set_result(outcome.result)
                else:
                    waiting.future.set_exception(outcome.error)

    def _next_group(self) -> list[_Waiting]:
        """All that waits now, and at least one; nothing once the ledger is closed and all is done."""
        group: list[_Waiting] = []
        while len(group) < _LARGEST_GROUP:
            try:
                waiting = self._queue.get(block=not group)
            except queue.Empty:
                break
            if waiting is None:
                if group:
                    self._queue.put(None)  # for the next time
                break
            group.append(waiting)
        return group

    def _committed(self, units: Sequence[Unit[Any]]) -> list[_Outcome]:
        """Commit the units together; if that fails as a whole, none of them has happened."""
        for run in (_all_or_none, _each_for_itself):
            try:
                with self._engine.begin() as connection:
                    return run(connection, units)
            except Exception as error:
                failed = [_Outcome(error=error)] * len(units)
                if len(units) == 1 or isinstance(error, OperationalError):
                    break  # it is known which unit is to blame, or the database is
        return failed


def _all_or_none(connection: Connection, units: Sequence[Unit[Any]]) -> list[_Outcome]:
    """Run the units in the hope that none fails. Those that can be joined cost little more than one."""
    joinable = [unit for unit in units if isinstance(unit, Joinable)]
    if joinable:
        joinable[0].joined(joinable[1:])(connection)
    return [_Outcome() if isinstance(unit, Joinable) else _Outcome(result=unit(connection)) for unit in units]


def _each_for_itself(connection: Connection, units: Sequence[Unit[Any]]) -> list[_Outcome]:
    """Run each unit in a savepoint, so that one that fails leaves the others alone."""
    return [_tried(connection, unit) for unit in units]


def _tried(connection: Connection, unit: Unit[Any]) -> _Outcome:
    savepoint = connection.begin_nested()
    try:
        result = unit(connection)
    except Exception as error:
        if not _is_in_transaction(connection):
            raise  # SQLite has undone the whole transaction: a full disk, for one
        savepoint.rollback()
        return _Outcome(error=error)
    savepoint.commit()
    return _Outcome(result=result)


def _is_in_transaction(connection: Connection) -> bool:
    return bool(getattr(connection.connection.dbapi_connection, "in_transaction", True))


class PlainTransactions:
    """Each caller commits on a connection of its own. This suits a database server, which groups commits itself."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._closed = False

    def run(self, unit: Unit[T]) -> T:
        """See :class:`Transactions`."""
        for tries_left in reversed(range(_TRIES)):
            if self._closed:
                break
            is_committing = False
            try:
                with self._engine.connect() as connection:
                    transaction = connection.begin()
                    result = unit(connection)
                    is_committing = True
                    transaction.commit()
                    return result
            except DBAPIError as error:
                if not tries_left or not _left_nothing(error, is_committing=is_committing):
                    raise
        raise UnavailableError("This ledger has been closed.")

    def close(self) -> None:
        """See :class:`Transactions`."""
        self._closed = True


def _left_nothing(error: DBAPIError, *, is_committing: bool) -> bool:
    """True if the transaction certainly did not happen, and may well succeed when it is run again."""
    return sqlstate_of(error) in _COLLIDED or (error.connection_invalidated and not is_committing)
