"""What a database's errors mean to us. Messages never hold SQL, parameters or passwords."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from qdepot.errors import InternalError, InvalidRequestError, QDepotError, UnavailableError

_RETRY_AFTER_S = 1.0

_NO_TABLES = ("does not have the tables that are expected", "See whether another version of qdepot changed them.")
_SQLITE: dict[str, tuple[str, str]] = {
    "SQLITE_ERROR": _NO_TABLES,
    "SQLITE_BUSY": ("is busy: another process has held its write lock for too long", "Try again."),
    "SQLITE_LOCKED": ("is busy", "Try again."),
    "SQLITE_FULL": ("cannot be written: its disk is full", "Make space on the disk; work then goes on by itself."),
    "SQLITE_READONLY": ("cannot be written: its file or folder is read-only", "Give this user the right to write."),
    "SQLITE_CANTOPEN": ("cannot be opened", "See that the folder exists and that this user may read and write it."),
    "SQLITE_PERM": ("cannot be opened: permission denied", "Give this user the right to read and write it."),
    "SQLITE_IOERR": ("cannot be read or written: its disk reports errors", "Check the disk and the system's log."),
    "SQLITE_CORRUPT": ("is damaged", "Restore it from a backup, or rebuild it from the archive."),
    "SQLITE_NOTADB": ("is not a database file", "Point the ledger's URL at another file, or restore it from a backup."),
}
_POSTGRES: dict[str, tuple[str, str]] = {
    "08": (
        "cannot be reached",
        "See that the database runs and takes connections from here, and that the ledger's URL is right.",
    ),
    "25006": ("cannot be written: the database is read-only", "Connect to the primary server."),
    "42": _NO_TABLES,
    "42501": ("does not allow that", "Give the database user rights on the ledger's tables."),
    "53100": ("cannot be written: the database's disk is full", "Make space there; work then goes on by itself."),
    "55P03": ("is busy: a lock was not to be had in time", "Try again."),
    "57014": ("did not answer in time", "Try again; look at the database's load."),
    "57P": ("is shutting down or starting", "Try again when the database runs."),
}
_UNSTORABLE_SQLITE = frozenset({"SQLITE_TOOBIG"})
_UNSTORABLE_POSTGRES = ("22", "54")  # data exceptions; a text too long for an index


class CommitLostError(Exception):
    """A commit failed, so that nobody knows whether its transaction happened.

    Attributes:
        reason: The driver's error.
    """

    def __init__(self, reason: DBAPIError) -> None:
        super().__init__(type(reason).__name__)
        self.reason = reason


@contextmanager
def database_errors_explained() -> Iterator[None]:
    """Turns the errors of SQLAlchemy and the drivers into ours.

    Raises:
        UnavailableError: The database does not answer, or cannot do it now.
        InvalidRequestError: A value is nothing that it can hold.
        InternalError: We asked for nonsense.
    """
    try:
        yield
    except CommitLostError as error:
        lost = explained(error.reason)
        lost.details["maybe_committed"] = True
        raise lost from _without_sql(error.reason)
    except (SQLAlchemyError, UnicodeError, OverflowError) as error:
        raise explained(error) from _without_sql(error)


def explained(error: Exception) -> QDepotError:
    """Our error for one of SQLAlchemy's or of a driver's."""
    if isinstance(error, PoolTimeoutError):
        return _unavailable("is busy: all connections are in use", "Try again.")
    if isinstance(error, UnicodeError | OverflowError | DataError):
        return _unstorable()
    if isinstance(error, DBAPIError) and not isinstance(error, IntegrityError):
        return _of_driver(error)
    return InternalError(f"The ledger was asked for something that it cannot do ({type(error).__name__}).")


def closed() -> UnavailableError:
    """There is no ledger any more."""
    return UnavailableError("This ledger has been closed.")


def sqlstate_of(error: DBAPIError) -> str:
    """PostgreSQL's code for what went wrong; empty if there is none."""
    return getattr(error.orig, "sqlstate", None) or ""


def _of_driver(error: DBAPIError) -> QDepotError:
    name: str = getattr(error.orig, "sqlite_errorname", "")
    state = sqlstate_of(error)
    if name in _UNSTORABLE_SQLITE or state.startswith(_UNSTORABLE_POSTGRES):
        return _unstorable()
    # The longest known beginning says most.
    known = {**_SQLITE, **_POSTGRES}
    code = name or state
    meant = max((begin for begin in known if code.startswith(begin)), key=len, default=None)
    if meant is not None:
        return _unavailable(*known[meant])
    if error.connection_invalidated or not code:
        return _unavailable(*_POSTGRES["08"])
    return _unavailable(f"failed ({code})", "See the service's log.")


def _unavailable(what: str, solution: str) -> UnavailableError:
    return UnavailableError(f"The ledger {what}.", solution=solution, retry_after_s=_RETRY_AFTER_S)


def _unstorable() -> InvalidRequestError:
    return InvalidRequestError(
        "A text or number of this job is nothing that the ledger can hold.",
        solution="Leave out NUL characters and halves of surrogate pairs; use shorter texts and smaller numbers.",
    )


def _without_sql(error: Exception) -> BaseException | None:
    """The driver's own error, which unlike SQLAlchemy's does not quote the statement."""
    return error.orig if isinstance(error, StatementError) else error
