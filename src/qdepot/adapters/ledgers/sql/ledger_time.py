"""The monotonic time by which a ledger judges leases and waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import ColumnElement, Double, bindparam, cast, extract, func

from qdepot.ports.clock import Clock

_NO_PARAMETERS: Mapping[str, float] = {}


class LedgerTime(Protocol):
    """Where statements take the time from, in seconds."""

    @property
    def now(self) -> ColumnElement[float]:
        """The time when a statement begins; one value throughout it, so that indexes can use it."""
        ...

    @property
    def after_lock(self) -> ColumnElement[float]:
        """The time when the database evaluates this, for use behind a lock that may have taken long."""
        ...

    def parameters(self) -> Mapping[str, float]:
        """What a statement that holds :attr:`now` or :attr:`after_lock` is executed with."""
        ...


@dataclass(frozen=True, slots=True)
class MachineTime:
    """The clock of this machine, which all processes share that share a SQLite file.

    A unit of work reads it once it has the write lock, so that waiting for the lock counts.
    """

    clock: Clock

    @property
    def now(self) -> ColumnElement[float]:
        """See :class:`LedgerTime`."""
        return bindparam("clock_reading", type_=Double)

    @property
    def after_lock(self) -> ColumnElement[float]:
        """See :class:`LedgerTime`."""
        return self.now

    def parameters(self) -> Mapping[str, float]:
        """See :class:`LedgerTime`."""
        return {"clock_reading": self.clock.monotonic()}


@dataclass(frozen=True, slots=True)
class DatabaseTime:
    """PostgreSQL's own clock, the one that all hosts share."""

    @property
    def now(self) -> ColumnElement[float]:
        """See :class:`LedgerTime`."""
        return cast(extract("epoch", func.statement_timestamp()), Double)

    @property
    def after_lock(self) -> ColumnElement[float]:
        """See :class:`LedgerTime`."""
        return cast(extract("epoch", func.clock_timestamp()), Double)

    def parameters(self) -> Mapping[str, float]:
        """See :class:`LedgerTime`."""
        return _NO_PARAMETERS
