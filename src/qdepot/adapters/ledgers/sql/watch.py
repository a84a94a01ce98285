"""Hearing of what other processes change, and telling them.

Nothing rests on it: a word that is lost costs the time until somebody looks by himself.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
from collections.abc import Callable
from typing import Any, Protocol

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

_log = logging.getLogger(__name__)

_CHANNEL = "qdepot_ledger"
_LOOK_EVERY_S = 0.25
_PATIENCE_S = 5.0
"""Between tries to reach a database that does not answer, and how long a thread may take to end."""


class Watch(Protocol):
    """A line to other processes that use the same ledger."""

    def start(self, hear: Callable[[], None]) -> None:
        """From now on, call ``hear`` when another process may have changed something. Later calls do nothing."""
        ...

    def announce(self) -> None:
        """Tell the others that something has changed; does not block."""
        ...

    def close(self) -> None:
        """Stop. May be repeated."""
        ...


class _Background:
    """Threads that do their work over and over, also after errors, until they are told to stop."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._door = threading.Lock()

    def keep_doing(self, name: str, work: Callable[[], None]) -> None:
        """Begin, unless this work has begun before."""
        with self._door:
            if name in self._threads or self.stopping.is_set():
                return
            thread = threading.Thread(target=self._run, args=(name, work), name=f"qdepot-ledger-{name}", daemon=True)
            self._threads[name] = thread
            thread.start()

    def is_doing(self, name: str) -> bool:
        """True if this work has begun."""
        with self._door:
            return name in self._threads

    def join(self) -> None:
        """Wait for all threads; one that is stuck ends with the process."""
        with self._door:
            threads = list(self._threads.values())
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(_PATIENCE_S)

    def _run(self, name: str, work: Callable[[], None]) -> None:
        while not self.stopping.is_set():
            try:
                work()
            except Exception as error:
                _log.info("ledger.watch_interrupted", extra={"part": name, "error": type(error).__name__})
                self.stopping.wait(_PATIENCE_S)


class SqliteWatch:
    """Looks a few times a second whether the file was changed; SQLite tells that without reading any table."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._background = _Background()

    def start(self, hear: Callable[[], None]) -> None:
        """See :class:`Watch`."""
        self._background.keep_doing("watch", lambda: self._look(hear))

    def announce(self) -> None:
        """See :class:`Watch`: the file itself tells."""

    def close(self) -> None:
        """See :class:`Watch`."""
        self._background.stopping.set()
        self._background.join()

    def _look(self, hear: Callable[[], None]) -> None:
        with self._engine.connect() as connection:
            seen = None
            while not self._background.stopping.is_set():
                version = connection.exec_driver_sql("PRAGMA data_version").scalar()
                if version != seen:
                    seen = version
                    hear()
                self._background.stopping.wait(_LOOK_EVERY_S)


class PostgresWatch:
    """LISTEN and NOTIFY, on a connection of its own.

    Announcements are made outside the transactions they tell of, by one thread: PostgreSQL lets transactions that
    notify commit one after the other only, and many changes make one announcement.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._me = secrets.token_hex(8)
        self._background = _Background()
        self._changed = threading.Event()

    def start(self, hear: Callable[[], None]) -> None:
        """See :class:`Watch`."""
        self._background.keep_doing("watch", lambda: self._listen(hear))

    def announce(self) -> None:
        """See :class:`Watch`."""
        self._changed.set()
        self._background.keep_doing("announce", self._announce)

    def close(self) -> None:
        """See :class:`Watch`."""
        if self._background.stopping.is_set():
            return
        self._background.stopping.set()
        self._changed.set()
        if self._background.is_doing("watch"):
            with contextlib.suppress(SQLAlchemyError):
                self._notify()  # wakes our own listener
        self._background.join()

    def _listen(self, hear: Callable[[], None]) -> None:
        with contextlib.closing(self._engine.raw_connection()) as connection:
            connection.detach()  # held for good, so it is not one of the pool's
            driver: Any = connection.dbapi_connection
            driver.autocommit = True
            driver.execute(f"LISTEN {_CHANNEL}")
            hear()  # of what was missed meanwhile
            while not self._background.stopping.is_set():
                for notice in driver.notifies(timeout=_PATIENCE_S, stop_after=1):
                    if notice.payload != self._me:
                        hear()

    def _announce(self) -> None:
        self._changed.wait()
        self._changed.clear()
        self._notify()

    def _notify(self) -> None:
        with self._engine.connect() as connection:
            notify = text("SELECT pg_notify(:channel, :sender)")
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(
                notify, {"channel": _CHANNEL, "sender": self._me}
            )
