"""Files put together from pieces, however large, without having them in memory."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from qdepot.domain.result import Buffer
from qdepot.errors import UnavailableError


class Spool:
    """A temporary file without a name that holds many: written one after the other, then mapped.

    Args:
        folder: Where it lies; None: the system's folder for such files.
    """

    def __init__(self, folder: str | None) -> None:
        with writing_temporarily():
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - lives until it is mapped
        self._spans: dict[str, tuple[int, int]] = {}

    def add(self, name: str, pieces: Iterable[Buffer]) -> None:
        """Write a file; one of the same name is replaced.

        Raises:
            UnavailableError: There is no room.
        """
        start = end = self._file.tell()
        for piece in pieces:
            with writing_temporarily():
                end += self._file.write(piece)
        self._spans[name] = (start, end)

    def mapped(self) -> dict[str, memoryview]:
        """The files by name; the room they take is given back once nobody holds a view. Ends the writing."""
        with writing_temporarily(), self._file:
            self._file.flush()
            if not self._file.tell():
                return dict.fromkeys(self._spans, memoryview(b""))
            whole = memoryview(mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ))
        return {name: whole[start:end] for name, (start, end) in self._spans.items()}

    def close(self) -> None:
        """Drop it unread, if it was not mapped."""
        self._file.close()


@contextmanager
def writing_temporarily() -> Iterator[None]:
    """Around the writing of temporary files.

    Raises:
        UnavailableError: It did not work.
    """
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            f"a temporary file cannot be written: {error}", solution="Make room in the folder for temporary files."
        ) from error
