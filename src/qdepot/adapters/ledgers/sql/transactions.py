"""How units of work reach the database: a unit is a function of a connection, committed as a whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from qdepot.adapters.ledgers.sql.faults import CommitLostError, closed, sqlstate_of

T = TypeVar("T")
Unit: TypeAlias = Callable[[Connection], T]

_TRIES = 4
_COLLIDED = frozenset({"40001", "40P01"})
"""PostgreSQL undid a transaction because it got in the way of another one."""


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


class PlainTransactions:
    """Each caller commits on a connection of its own."""

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
                if tries_left and _left_nothing(error, is_committing=is_committing):
                    continue
                if is_committing and sqlstate_of(error) not in _COLLIDED:
                    raise CommitLostError(error) from error
                raise
        raise closed()

    def close(self) -> None:
        """See :class:`Transactions`."""
        self._closed = True


def _left_nothing(error: DBAPIError, *, is_committing: bool) -> bool:
    """True if the transaction certainly did not happen, and may well succeed when it is run again."""
    return sqlstate_of(error) in _COLLIDED or (error.connection_invalidated and not is_committing)
