"""Which tables a database has, and how it comes to have ours."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, Table, Text, inspect, select, text

from qdepot.errors import UnavailableError

if TYPE_CHECKING:
    from alembic.config import Config

REVISION = "0004"
"""The schema that this version works with: the newest migration."""
MIGRATIONS = Path(__file__).parent / "migrations"

VERSION_TABLE = "qdepot_schema"
_UPGRADE_LOCK = 0x71646570  # PostgreSQL's number for "somebody changes the schema"; any constant does
_one_at_a_time = threading.Lock()
"""Alembic's operations are a global of the process while a migration runs."""

_schema = Table(VERSION_TABLE, MetaData(), Column("version_num", Text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The migrations and where they lead.

    Attributes:
        revision: The wanted schema.
        migrations: Folder with Alembic's revisions.
    """

    revision: str = REVISION
    migrations: Path = MIGRATIONS

    def check(self, connection: Connection) -> None:
        """Pass if the database has exactly this schema.

        Raises:
            UnavailableError: It has not; the message says what it has.
        """
        found = self._found(connection)
        if found == self.revision:
            return
        if found is None:
            raise UnavailableError("The ledger's database has no tables yet.", solution="Open it once for writing.")
        if found in self._known():
            raise UnavailableError(
                f"The ledger has schema {found}; this version of qdepot works with {self.revision}.",
                solution="Back the database up, then open the ledger with upgrading allowed.",
            )
        raise UnavailableError(
            f"The ledger has schema {found}, which this version of qdepot ({self.revision}) does not know: a newer one "
            "has worked with it.",
            solution="Run that newer version, or restore a backup from before the upgrade.",
        )

    def bring_about(self, connection: Connection, *, upgrade: bool) -> None:
        """Within the connection's transaction, give the database this schema.

        A database without tables gets them; an older schema is brought forward if ``upgrade`` allows it.

        Raises:
            UnavailableError: It is older and may not be upgraded, newer, or not a ledger at all.
        """
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
        found = self._found(connection)
        if found is None and inspect(connection).has_table("jobs"):
            raise UnavailableError(
                "The database has a table of jobs that is not a ledger's.", solution="Give the ledger its own database."
            )
        if found is None or (upgrade and found != self.revision and found in self._known()):
            self._migrate(connection)
        self.check(connection)

    def _found(self, connection: Connection) -> str | None:
        """The revision that the database has."""
        if not inspect(connection).has_table(VERSION_TABLE):
            return None
        found: str | None = connection.scalar(select(_schema.c.version_num))
        return found

    def _known(self) -> set[str]:
        # Alembic is slow to import and needed only where the schema is not what it should be.
        from alembic.script import ScriptDirectory

        scripts = ScriptDirectory.from_config(self._config())
        return {script.revision for script in scripts.walk_revisions()}

    def _migrate(self, connection: Connection) -> None:
        from alembic import command

        config = self._config()
        config.attributes["connection"] = connection
        with _one_at_a_time, _time_enough(connection):
            command.upgrade(config, self.revision)

    def _config(self) -> Config:
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(self.migrations).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        return config


def _time_enough(connection: Connection) -> AbstractContextManager[None]:
    """An index over all jobs takes longer than any statement of daily work."""
    if connection.dialect.name != "postgresql":
        return nullcontext()
    from qdepot.adapters.ledgers.sql.impatience import patience

    return patience(connection)
