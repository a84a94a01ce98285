"""The monotonic time by which a ledger judges leases and waits."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import ColumnElement, Double, cast, extract, func, literal

from qdepot.ports.clock import Clock


class LedgerTime(Protocol):
    """Where a statement takes the time from, in seconds."""

    def now(self) -> ColumnElement[float]:
        """The time when the statement began, at the latest; one value throughout it, so that indexes can use it."""
        ...

    def read(self) -> ColumnElement[float]:
        """The time when the database evaluates this, for use behind a lock that may have taken long."""
        ...


class MachineTime:
    """The clock of this machine, which all processes share that share a SQLite file.

    A unit of work builds its statements once it has the write lock, so that waiting for the lock counts.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> ColumnElement[float]:
        """See :class:`LedgerTime`."""
        return literal(self._clock.monotonic(), Double)

    def read(self) -> ColumnElement[float]:
        """See :class:`LedgerTime`."""
        return self.now()


class DatabaseTime:
    """PostgreSQL's own clock, the one that all hosts share."""

    def now(self) -> ColumnElement[float]:
        """See :class:`LedgerTime`."""
        return cast(extract("epoch", func.statement_timestamp()), Double)

    def read(self) -> ColumnElement[float]:
        """See :class:`LedgerTime`."""
        return cast(extract("epoch", func.clock_timestamp()), Double)
