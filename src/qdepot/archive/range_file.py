"""An object as a file that can be read anywhere, without having it in memory."""

from __future__ import annotations

import io

from qdepot.ports.object_store import ObjectStore


class RangeFile(io.RawIOBase):
    """A read-only file over range reads; wrap it in a :class:`io.BufferedReader`, which asks for large pieces."""

    def __init__(self, *, store: ObjectStore, key: str, size_bytes: int) -> None:
        super().__init__()
        self._store = store
        self._key = key
        self._size_bytes = size_bytes
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go somewhere; reading behind the end gives nothing.

        Raises:
            ValueError: That is before the beginning.
        """
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size_bytes}[whence]
        if start + offset < 0:
            raise ValueError(f"{start + offset} is before the beginning of the file")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io hands in; its stub says more
        """Fill the buffer as far as the object goes."""
        piece = self._store.get_range(self._key, start=self._at, length=len(buffer))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
