"""Commits that share the price of one.

A commit costs a sync of the disk, however much is in it; while one is under way, the next group gathers.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, Self, TypeVar, cast, runtime_checkable

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from qdepot.adapters.ledgers.sql.faults import CommitLostError, closed
from qdepot.adapters.ledgers.sql.transactions import Transactions, Unit
from qdepot.errors import UnavailableError

T = TypeVar("T")

_LARGEST_GROUP = 256


@runtime_checkable
class Joinable(Protocol):
    """A unit without a result that is cheaper in company."""

    def __call__(self, connection: Connection) -> None:
        """Do it."""
        ...

    def joined(self, others: Sequence[Self]) -> Unit[None]:
        """Do it and the others."""
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
    """One thread that commits all waiting units in one transaction; a unit that fails leaves the others alone."""

    def __init__(self, transactions: Transactions, *, patience_s: float) -> None:
        """Begin.

        Args:
            transactions: What runs a group.
            patience_s: How long a caller waits for its unit.
        """
        self._transactions = transactions
        self._patience_s = patience_s
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._door = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="qdepot-ledger-writer", daemon=True)
        self._thread.start()

    def run(self, unit: Unit[T]) -> T:
        """See :class:`~.transactions.Transactions`."""
        waiting = _Waiting(unit, Future())
        with self._door:
            if self._closed:
                raise closed()
            self._queue.put(waiting)
        try:
            return cast(T, waiting.future.result(self._patience_s))
        except TimeoutError:
            was_begun = not waiting.future.cancel()
            if was_begun and waiting.future.done():
                raise  # the unit's own
            raise UnavailableError(
                f"The ledger did not write within {self._patience_s:g} s.",
                solution="Check its disk; try again.",
                details={"maybe_committed": True} if was_begun else None,
            ) from None

    def close(self) -> None:
        """See :class:`~.transactions.Transactions`."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()
        self._transactions.close()

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
        failed: list[_Outcome] = []
        for run in (_all_or_none, _each_for_itself):
            try:
                return self._transactions.run(partial(run, units=units))
            except Exception as error:
                failed = [_Outcome(error=error)] * len(units)
                if len(units) == 1 or isinstance(error, OperationalError | CommitLostError):
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
        if not _goes_on(connection):
            raise  # the database has undone all: SQLite does so when the disk is full, PostgreSQL when it goes away
        savepoint.rollback()
        return _Outcome(error=error)
    savepoint.commit()
    return _Outcome(result=result)


def _goes_on(connection: Connection) -> bool:
    """True if the transaction is still there."""
    if connection.invalidated:
        return False
    return bool(getattr(connection.connection.dbapi_connection, "in_transaction", True))
