"""Opening a ledger: connect, see that the tables are right, begin."""

from __future__ import annotations

from sqlalchemy import Connection, insert, null, select, update

from qdepot.adapters.ledgers.sql.connecting import Database, connect
from qdepot.adapters.ledgers.sql.faults import database_errors_explained
from qdepot.adapters.ledgers.sql.ledger import SqlLedger
from qdepot.adapters.ledgers.sql.schema import Schema
from qdepot.adapters.ledgers.sql.tables import IS_LEASED, IS_PARKED, jobs, ledger_state
from qdepot.ports.clock import Clock

_BOOT = "boot_id"
_CURRENT = Schema()


def open_ledger(
    url: str,
    *,
    clock: Clock,
    upgrade: bool = True,
    busy_timeout_s: float = 10.0,
    use_database_clock: bool = True,
    schema: Schema = _CURRENT,
) -> SqlLedger:
    """Open the ledger in a database, creating its tables if there are none.

    Args:
        url: ``sqlite:////path/to/file`` or ``postgresql://user:password@host/database``.
        clock: Judges leases and waits where the database has no clock of its own.
        upgrade: An older schema may be brought forward; other processes must not work with it meanwhile.
        busy_timeout_s: How long a write waits for other processes that write to the same SQLite file.
        use_database_clock: PostgreSQL's own clock judges, so that all hosts agree; tests with one ledger turn it off.
        schema: Another one than this version's own, in tests of migrations.

    Raises:
        InvalidRequestError: The URL is none that we know.
        UnavailableError: The database does not answer, or its schema is not ours.
    """
    database = connect(url, clock=clock, busy_timeout_s=busy_timeout_s, is_timed_by_machine=not use_database_clock)
    try:
        with database_errors_explained():
            _prepare(database, schema=schema, upgrade=upgrade, boot_id=clock.boot_id())
    except BaseException:
        database.close()
        raise
    return SqlLedger(database, schema=schema)


def _prepare(database: Database, *, schema: Schema, upgrade: bool, boot_id: str) -> None:
    """Bring the tables about, and forget times of an earlier boot."""
    with database.writers.begin() as connection:
        schema.bring_about(connection, upgrade=upgrade)
        if database.is_timed_by_machine:
            _begin_boot(connection, boot_id)


def _begin_boot(connection: Connection, boot_id: str) -> None:
    """Whoever opens a ledger first after a boot ends all leases and waits: their times mean nothing any more."""
    stored = connection.scalar(select(ledger_state.c.value).where(ledger_state.c.name == _BOOT))
    if stored == boot_id:
        return
    ended = {"due_at": 0.0, "lease_holder": null(), "lease_until": null(), "parked_until": null()}
    for condition in (IS_PARKED, IS_LEASED):
        connection.execute(update(jobs).where(condition).values(ended))
    if stored is None:
        connection.execute(insert(ledger_state).values(name=_BOOT, value=boot_id))
    else:
        connection.execute(update(ledger_state).where(ledger_state.c.name == _BOOT).values(value=boot_id))
