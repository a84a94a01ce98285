"""A zip file in pieces, made while it is sent."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

ZIP64_FROM_BYTES = 1 << 30
"""Files from this size on are written so that they may grow beyond 4 GB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipEntry:
    """A file to be put into a zip file.

    Attributes:
        name: Its path there.
        size_bytes: How large it is, about.
        pieces: Its content.
        is_deflated: It is worth being compressed.
    """

    name: str
    size_bytes: int
    pieces: Iterator[bytes]
    is_deflated: bool = False


def zip_pieces(entries: Iterable[ZipEntry]) -> Iterator[bytes]:
    """A zip file of these files, in pieces, without holding any of them as a whole. Equal files give equal bytes."""
    sink = _Pieces()
    with zipfile.ZipFile(sink, "w") as file:
        for entry in entries:
            file.compression = zipfile.ZIP_DEFLATED if entry.is_deflated else zipfile.ZIP_STORED
            with file.open(entry.name, "w", force_zip64=entry.size_bytes >= ZIP64_FROM_BYTES) as target:
                for piece in entry.pieces:
                    target.write(piece)
                    yield from sink.taken()
    yield from sink.taken()


class _Pieces(io.RawIOBase):
    """A file that keeps what is written until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - whatever has a buffer, as the base class says
        self._waiting.append(bytes(data))
        return len(data)

    def taken(self) -> Iterator[bytes]:
        """Hand over what has come."""
        while self._waiting:
            yield self._waiting.pop(0)
