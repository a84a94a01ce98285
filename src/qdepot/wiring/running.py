"""Parts of a process, opened and closed in order."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator

from qdepot.adapters.compute.processes import make_undumpable
from qdepot.adapters.data_folder import lock_folder
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.adapters.system_clock import SystemClock
from qdepot.archive.archive import Archive
from qdepot.config import Settings
from qdepot.errors import ConflictError, QDepotError
from qdepot.ports.ledger import Ledger
from qdepot.services.lost_ledger import warning_about
from qdepot.services.tokens import Tokens
from qdepot.wiring.duties import build_loop, new_holder
from qdepot.wiring.parts import Parts, build_parts
from qdepot.wiring.stores import existing_data, ledger_url, open_archive

_log = logging.getLogger(__name__)

_FIRST_WORD_S = 60.0
"""How long an operator's command waits for the children to say which devices they play."""


@contextlib.contextmanager
def running_service(settings: Settings, *, reconciler: bool) -> Iterator[Parts]:
    """A service's parts, with its loop if it has one; both are ended in order."""
    make_undumpable()
    with contextlib.closing(build_parts(settings)) as parts:
        lock = lock_folder(settings.data) if reconciler else None
        holder = lock.holder if lock else new_holder("service")
        # Whatever this name held died with the process that had the folder before.
        parts.ledger.release(holder=holder)
        threading.Thread(target=_warn, args=(parts,), name="qdepot-warning", daemon=True).start()
        loop = build_loop(parts, holder=holder) if reconciler else None
        if loop is not None:
            loop.start()
        try:
            yield parts
        finally:
            if loop is not None:
                loop.stop()
            parts.ledger.release(holder=holder)
            if lock is not None:
                lock.release()


@contextlib.contextmanager
def working_alone(settings: Settings) -> Iterator[Parts]:
    """The parts of a process that has the data folder to itself, and knows all backends that can be known.

    Raises:
        NotFoundError: There is no such folder.
        ConflictError: A service works with it.
    """
    lock = lock_folder(existing_data(settings))
    if lock is None:
        raise ConflictError(f"a service works with {settings.data}", solution="Stop it first, and all reconcilers.")
    try:
        with contextlib.closing(build_parts(settings)) as parts:
            parts.about.describe(wait_s=_FIRST_WORD_S)
            yield parts
    finally:
        lock.release()


@contextlib.contextmanager
def records(settings: Settings) -> Iterator[tuple[Ledger, Archive]]:
    """Ledger and archive, without what runs jobs.

    Raises:
        NotFoundError: There is no such data folder.
    """
    existing_data(settings)
    with contextlib.closing(open_ledger(ledger_url(settings), clock=SystemClock())) as ledger:
        yield ledger, open_archive(settings)


@contextlib.contextmanager
def local_tokens(settings: Settings) -> Iterator[Tokens]:
    """The tokens of a service, on its own machine and without its help.

    Raises:
        NotFoundError: There is no such data folder.
    """
    existing_data(settings)
    clock = SystemClock()
    with contextlib.closing(open_ledger(ledger_url(settings), clock=clock)) as ledger:
        yield Tokens(register=ledger.token_register(), clock=clock, on_revoked=lambda _: None)


def _warn(parts: Parts) -> None:
    """Not on the way of a service that starts: a store that is away takes its time."""
    with contextlib.suppress(QDepotError):
        if warning := warning_about(parts.ledger, parts.archive):
            _log.warning("ledger_is_empty message=%s", warning)
