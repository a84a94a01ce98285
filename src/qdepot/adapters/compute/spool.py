"""A file without a name that takes in what is too large for the heap."""

from __future__ import annotations

import mmap
import tempfile
from pathlib import Path

from qdepot.domain.framing import InMemory, Storage


class Spool:
    """A body in a mapped file. The file has no name and is gone as soon as nobody holds a view of it."""

    def __init__(self, folder: Path | None) -> None:
        self._file = tempfile.TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115 - closed by whole() or discard()

    def write(self, chunk: memoryview) -> None:
        """Append a copy of ``chunk``.

        Raises:
            OSError: The disk is full, or fails.
        """
        while chunk:
            chunk = chunk[self._file.write(chunk) :]

    def whole(self) -> memoryview:
        """All that was written, read-only."""
        with self._file as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def discard(self) -> None:
        """Let go of the file."""
        self._file.close()


def storage_for(size_bytes: int, *, in_memory_bytes: int, folder: Path | None) -> Storage:
    """A place for a body: the heap up to ``in_memory_bytes``, a spool in ``folder`` above."""
    return InMemory(size_bytes) if size_bytes <= in_memory_bytes else Spool(folder)
