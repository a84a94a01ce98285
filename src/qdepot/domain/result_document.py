"""Result documents ``{"results": [...]}`` in pieces: joined without being parsed, however large they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from qdepot.domain.result import Buffer
from qdepot.errors import InternalError

PIECE_BYTES = 256 * 1024

_HEAD = re.compile(rb'\s*\{\s*"results"\s*:\s*\[\s*')
_TAIL = re.compile(rb"\s*\]\s*\}\s*\Z")
_EDGE_BYTES = 64
"""Head and tail lie within so many bytes at either end."""


def pieces_of(document: Buffer) -> Iterator[memoryview]:
    """A buffer in pieces that are no copies."""
    view = memoryview(document).cast("B")
    for start in range(0, view.nbytes, PIECE_BYTES):
        yield view[start : start + PIECE_BYTES]


def joined(documents: Iterable[Iterable[Buffer]]) -> Iterator[bytes]:
    """One result document of several, each in pieces: its entries are theirs, in their order.

    Raises:
        InternalError: One of them is no such document.
    """
    yield b'{"results":['
    comma = b""
    for document in documents:
        separator = comma
        for piece in _entries(document):
            yield separator + piece
            separator, comma = b"", b","
    yield b"]}"


def joined_metadata(several: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """The metadata of a run that was made in several pieces, in their order.

    The numbers under ``times`` are summed, the words under ``method`` (joined by commas) united; of the rest, the last
    piece's word counts.
    """
    joint: dict[str, object] = {}
    for metadata in several:
        for name, value in metadata.items():
            joint[name] = _JOINTS.get(name, _last)(joint.get(name), value)
    return joint


def _entries(document: Iterable[Buffer]) -> Iterator[bytes]:
    """What stands between the brackets, in pieces; nothing if there is nothing."""
    pieces = iter(document)
    held = _behind_head(pieces)
    for piece in pieces:
        held += piece
        if len(held) > _EDGE_BYTES:
            yield held[:-_EDGE_BYTES]
            held = held[-_EDGE_BYTES:]
    tail = _TAIL.search(held)
    if tail is None:
        raise InternalError("a result document does not end as one")
    if tail.start():
        yield held[: tail.start()]


def _behind_head(pieces: Iterator[Buffer]) -> bytes:
    """Takes pieces until the head is there; what follows it in them."""
    held = b""
    for piece in pieces:
        held += piece
        if len(held) >= _EDGE_BYTES:
            break
    head = _HEAD.match(held)
    if head is None:
        raise InternalError("a result document does not begin as one")
    return held[head.end() :]


def _times(before: object, after: object) -> object:
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return after
    return {**before, **{name: _sum(before.get(name), value) for name, value in after.items()}}


def _sum(before: object, after: object) -> object:
    numbers = isinstance(before, int | float) and isinstance(after, int | float)
    return round(before + after, 6) if numbers else after  # type: ignore[operator] # as just checked


def _words(before: object, after: object) -> object:
    if not isinstance(before, str) or not isinstance(after, str):
        return after
    return ", ".join(sorted({*before.split(", "), *after.split(", ")}))


def _last(before: object, after: object) -> object:
    del before
    return after


_JOINTS: Mapping[str, Callable[[object, object], object]] = {"times": _times, "method": _words}
