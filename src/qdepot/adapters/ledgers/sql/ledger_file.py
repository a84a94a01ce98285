"""The file of a SQLite ledger: a database that was opened goes on in a file that nobody finds any more."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from qdepot.errors import UnavailableError

_Identity = tuple[int, int]


@dataclass(slots=True)
class LedgerFile:
    """Compares the file that the first connection opened with the one that has its name now.

    A later connection would open, or make, whatever file has the name by then.

    Attributes:
        path: The name.
    """

    path: Path
    _opened: _Identity | None = None

    def note(self, _connection: Any, _record: Any) -> None:  # noqa: ANN401 - the driver's connection, SQLAlchemy's record
        """A connection was opened."""
        if self._opened is None:
            self._opened = self._identity()

    def check(self, _connection: Connection) -> None:
        """A transaction begins, or is about to be committed.

        Raises:
            UnavailableError: The file was removed, or exchanged: what is written would be lost with this process.
        """
        if self._opened is not None and self._identity() != self._opened:
            raise UnavailableError(
                f"The ledger's file {self.path} was removed or exchanged while it was in use.",
                solution="Stop the service. Put the file back, or run: qdepot ledger rebuild. Then start it again.",
            )

    def _identity(self) -> _Identity | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino
