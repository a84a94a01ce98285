"""Connections to SQLite and PostgreSQL; the one place where the two differ in how they are talked to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError

from qdepot.adapters.ledgers.sql.grouping import GroupedTransactions
from qdepot.adapters.ledgers.sql.ledger_file import LedgerFile
from qdepot.adapters.ledgers.sql.ledger_time import DatabaseTime, LedgerTime, MachineTime
from qdepot.adapters.ledgers.sql.transactions import PlainTransactions, Transactions
from qdepot.adapters.ledgers.sql.watch import PostgresWatch, SqliteWatch, Watch
from qdepot.errors import InvalidRequestError
from qdepot.ports.clock import Clock

T = TypeVar("T")

_CONNECTIONS = 8
_MORE_CONNECTIONS = 32
_PATIENCE_S = 60.0
"""How long jobs wait for being added to PostgreSQL; its own time limits are shorter."""
_SQLITE_PRAGMAS = (
    "PRAGMA synchronous=FULL",  # a commit is on the disk when it returns
    "PRAGMA fullfsync=ON",  # on macOS too
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database and how it is read and written.

    Attributes:
        place: What messages call it; holds no secret.
        readers: Gives connections on which each statement sees what is committed.
        writers: Gives connections for transactions that write, to those few who need more than a unit of work.
        transactions: Runs units of work that write.
        additions: Runs those that add jobs, which come one by one from many callers.
        time: The time by which leases are judged.
        is_timed_by_machine: That time is this machine's, so it begins anew with a boot.
        watch: The line to other processes.
    """

    place: str
    readers: Engine = field(repr=False)  # its own repr may show secrets that stand in a URL's query
    writers: Engine = field(repr=False)
    transactions: Transactions
    additions: Transactions
    time: LedgerTime
    is_timed_by_machine: bool
    watch: Watch

    def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query that writes nothing; once more if the connection turns out to be dead."""
        try:
            with self.readers.connect() as connection:
                return query(connection)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        with self.readers.connect() as connection:
            return query(connection)

    def close(self) -> None:
        """Let go of all connections."""
        self.watch.close()
        self.additions.close()
        self.transactions.close()
        self.readers.dispose()
        self.writers.dispose()


def connect(url: str, *, clock: Clock, busy_timeout_s: float, is_timed_by_machine: bool) -> Database:
    """Make ready to talk to a database; nothing is sent yet.

    Raises:
        InvalidRequestError: The URL is none that we know.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise _unknown_url() from None
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, clock=clock, busy_timeout_s=busy_timeout_s)
    if parsed.get_backend_name() in {"postgresql", "postgres"}:
        time: LedgerTime = MachineTime(clock) if is_timed_by_machine else DatabaseTime()
        return _postgres(parsed, time=time, is_timed_by_machine=is_timed_by_machine)
    raise _unknown_url()


def _sqlite(url: URL, *, clock: Clock, busy_timeout_s: float) -> Database:
    if url.database in {None, "", ":memory:"}:
        raise InvalidRequestError(
            "A SQLite ledger needs a file.", solution="Give its path: sqlite:////var/lib/qdepot/ledger.db."
        )
    local = URL.create("sqlite+pysqlite", database=str(Path(url.database).absolute()))
    connect_args = {"timeout": busy_timeout_s, "isolation_level": None}  # transactions begin when we say so
    readers = create_engine(
        local,
        connect_args=connect_args,
        hide_parameters=True,
        pool_size=_CONNECTIONS,
        max_overflow=_MORE_CONNECTIONS,
    )
    writers = create_engine(local, connect_args=connect_args, hide_parameters=True, pool_size=1, max_overflow=0)
    event.listen(readers, "connect", _pragmas_setter(*_SQLITE_PRAGMAS, "PRAGMA query_only=ON"))
    event.listen(writers, "connect", _pragmas_setter(*_SQLITE_PRAGMAS, "PRAGMA journal_mode=WAL"))
    file = LedgerFile(Path(local.database or ""))
    for engine in (readers, writers):
        event.listen(engine, "connect", file.note)
        event.listen(engine, "begin", file.check)
    event.listen(writers, "commit", file.check)
    event.listen(writers, "begin", _begin_immediate)
    # SQLite lets one connection write at a time anyway.
    grouped = GroupedTransactions(PlainTransactions(writers), patience_s=4 * busy_timeout_s)
    return Database(
        place=f"SQLite file {local.database}",
        readers=readers,
        writers=writers,
        transactions=grouped,
        additions=grouped,
        time=MachineTime(clock),
        is_timed_by_machine=True,
        watch=SqliteWatch(readers),
    )


def _pragmas_setter(*pragmas: str) -> Callable[[Any, object], None]:
    def set_pragmas(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
        for pragma in pragmas:
            connection.execute(pragma).close()

    return set_pragmas


def _begin_immediate(connection: Connection) -> None:
    # A transaction that begins by reading could not be upgraded once another process has written.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgres(url: URL, *, time: LedgerTime, is_timed_by_machine: bool) -> Database:
    writers = create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        pool_size=_CONNECTIONS,
        max_overflow=_MORE_CONNECTIONS,
        pool_timeout=10,
        connect_args={
            "connect_timeout": 5,
            "application_name": "qdepot",
            "tcp_user_timeout": 10_000,
            "keepalives_idle": 30,
            "options": _options(url),
        },
    )
    event.listen(writers, "do_connect", _connect_impatiently)
    plain = PlainTransactions(writers)
    return Database(
        place=f"PostgreSQL database {url.database or ''}",
        readers=writers.execution_options(isolation_level="AUTOCOMMIT"),
        writers=writers,
        transactions=plain,
        additions=GroupedTransactions(plain, patience_s=_PATIENCE_S),
        time=time,
        is_timed_by_machine=is_timed_by_machine,
        watch=PostgresWatch(writers),
    )


def _connect_impatiently(_dialect: object, _record: object, cargs: Any, cparams: Any) -> object:  # noqa: ANN401 - the driver's
    from qdepot.adapters.ledgers.sql.impatience import ImpatientConnection

    return ImpatientConnection.connect(*cargs, **cparams)


def _options(url: URL) -> str:
    """What every session is told: our limits, then what the URL says."""
    given = url.query.get("options", ())
    ours = "-c timezone=UTC -c lock_timeout=10s -c statement_timeout=15s -c idle_in_transaction_session_timeout=60s"
    return " ".join([ours, *([given] if isinstance(given, str) else given)])


def _unknown_url() -> InvalidRequestError:
    return InvalidRequestError(
        "The URL of the ledger is none that qdepot knows.",
        solution="Use sqlite:////path/to/ledger.db or postgresql://user:password@host/database.",
    )
