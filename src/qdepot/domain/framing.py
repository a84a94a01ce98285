"""Frames: plain data and bytes on their way between two processes that need not trust each other.

A frame is a prefix of 16 bytes (magic, size of the header, size of the body; big-endian), a header of UTF-8 JSON and
the named parts one after the other. Nothing in it is evaluated or unpickled, and no size that it claims is believed
before it was compared with a limit.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from qdepot.domain.result import Buffer
from qdepot.errors import InternalError, ResourceLimitError

MAX_HEADER_BYTES = 8 * 1024**2
"""Largest header, so that no frame makes its reader parse for seconds. Large data belongs into parts."""

_PREFIX = struct.Struct(">4sIQ")
_MAGIC = b"QDF1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One message.

    Attributes:
        kind: What it is about.
        number: Which task it belongs to; 0 for none.
        meta: JSON data without NaN and infinities.
        parts: Bytes by name. After decoding they are read-only memoryviews.
    """

    kind: str
    number: int = 0
    meta: Mapping[str, object] = field(default_factory=dict)
    parts: Mapping[str, Buffer] = field(default_factory=dict)


class Storage(Protocol):
    """Where the body of one frame is kept while it comes in."""

    def write(self, chunk: memoryview) -> None:
        """Append a copy of ``chunk``."""
        ...

    def whole(self) -> memoryview:
        """All that was written, read-only. Ends the writing."""
        ...

    def discard(self) -> None:
        """The rest will not come; let go of what is held."""
        ...


class InMemory:
    """A body in the heap."""

    def __init__(self, size_bytes: int) -> None:
        del size_bytes  # what a frame claims is not allocated before it comes
        self._content = bytearray()

    def write(self, chunk: memoryview) -> None:
        """Append a copy of ``chunk``."""
        self._content += chunk

    def whole(self) -> memoryview:
        """All that was written, read-only."""
        return memoryview(self._content).toreadonly()

    def discard(self) -> None:
        """Let go of what is held."""
        self._content = bytearray()


def encoded(frame: Frame) -> list[memoryview]:
    """The bytes of a frame, to be sent one after the other. Parts are not copied.

    Raises:
        InternalError: ``meta`` is not JSON data, or a part is not contiguous bytes.
        ResourceLimitError: The header would be larger than :data:`MAX_HEADER_BYTES`.
    """
    try:
        views = {name: memoryview(part) for name, part in frame.parts.items()}
        document = {
            "kind": frame.kind,
            "number": frame.number,
            "meta": dict(frame.meta),
            "parts": [[name, view.nbytes] for name, view in views.items()],
        }
        header = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        body = [view.cast("B") for view in views.values() if view.nbytes]
    except (TypeError, ValueError, RecursionError, AttributeError) as error:
        raise InternalError(
            f"a payload cannot be sent to another process: {type(error).__name__}",
            solution="Its meta must be JSON data, its parts contiguous bytes.",
        ) from error
    if len(header) > MAX_HEADER_BYTES:
        raise ResourceLimitError(
            f"the meta of a payload takes {len(header):,} bytes; the limit is {MAX_HEADER_BYTES:,}",
            solution="Split the work into several smaller jobs.",
            details={"size_bytes": len(header), "limit_bytes": MAX_HEADER_BYTES},
        )
    prefix = _PREFIX.pack(_MAGIC, len(header), sum(view.nbytes for view in body))
    return [memoryview(prefix + header), *body]


@dataclass(frozen=True, slots=True)
class _Header:
    kind: str
    number: int
    meta: Mapping[str, object]
    sizes: Mapping[str, int]


class FrameDecoder:
    """Turns a stream of bytes, cut anywhere, into frames. After an error it is of no more use.

    Attributes:
        max_body_bytes: Largest body that is accepted.
        storage: Makes a place for a body of so many bytes.
    """

    def __init__(self, *, max_body_bytes: int, storage: Callable[[int], Storage] = InMemory) -> None:
        self.max_body_bytes = max_body_bytes
        self.storage = storage
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._head = bytearray()
        self._head_size = _PREFIX.size
        self._body_size = 0
        self._missing = 0
        self._header: _Header | None = None
        self._body: Storage | None = None

    def feed(self, chunk: Buffer) -> list[Frame]:
        """Take the next bytes; returns the frames that they completed.

        Raises:
            InternalError: These bytes are not a frame.
            ResourceLimitError: A body is larger than it may be.
            OSError: The storage of a body failed.
        """
        rest = memoryview(chunk)
        frames = []
        while rest:
            rest = self._take_head(rest) if self._header is None else self._take_body(rest)
            if self._header is not None and not self._missing:
                frames.append(self._completed(self._header))
        return frames

    def close(self) -> None:
        """Let go of a body that is not complete. May be repeated."""
        if self._body is not None:
            self._body.discard()
        self._start_afresh()

    def _take_head(self, rest: memoryview) -> memoryview:
        taken = rest[: self._head_size - len(self._head)]
        self._head += taken
        if len(self._head) == self._head_size == _PREFIX.size:
            self._read_prefix()
        elif len(self._head) == self._head_size:
            self._header = _parse_header(bytes(self._head[_PREFIX.size :]), self._body_size)
            self._missing = self._body_size
            self._body = self.storage(self._body_size) if self._body_size else None
        return rest[len(taken) :]

    def _read_prefix(self) -> None:
        magic, header_size, self._body_size = _PREFIX.unpack(self._head)
        if magic != _MAGIC or not 0 < header_size <= MAX_HEADER_BYTES:
            raise InternalError("what came from another process is not a frame")
        if self._body_size > self.max_body_bytes:
            raise ResourceLimitError(
                f"a result of {self._body_size:,} bytes is larger than the limit of {self.max_body_bytes:,}",
                solution="Ask for less, e.g. fewer circuits in a job, or counts instead of per-shot outcomes.",
                details={"size_bytes": self._body_size, "limit_bytes": self.max_body_bytes},
            )
        self._head_size += header_size

    def _take_body(self, rest: memoryview) -> memoryview:
        taken = rest[: self._missing]
        if self._body is not None:
            self._body.write(taken)
        self._missing -= len(taken)
        return rest[len(taken) :]

    def _completed(self, header: _Header) -> Frame:
        body = memoryview(b"") if self._body is None else self._body.whole()
        self._start_afresh()
        parts: dict[str, Buffer] = {}
        at = 0
        for name, size in header.sizes.items():
            parts[name] = body[at : at + size]
            at += size
        return Frame(kind=header.kind, number=header.number, meta=header.meta, parts=parts)


def _parse_header(text: bytes, body_size: int) -> _Header:
    try:
        document = json.loads(text.decode(), parse_constant=_no_constant, parse_float=_finite)
        if rb"\ud" in text.lower():
            json.dumps(document, ensure_ascii=False).encode()  # raises where a lone surrogate was smuggled in
        sizes = _sizes(document["parts"])
        kind, number, meta = document["kind"], document["number"], document["meta"]
    except (ValueError, RecursionError, KeyError, TypeError):
        # Without the cause: it quotes what came.
        raise InternalError("the header of a frame from another process cannot be read") from None
    sound = isinstance(kind, str) and _is_count(number) and isinstance(meta, dict) and sum(sizes.values()) == body_size
    if not sound:
        raise InternalError("the header of a frame from another process contradicts itself")
    return _Header(kind, number, meta, sizes)


def _sizes(listed: object) -> dict[str, int]:
    if not isinstance(listed, list):
        raise TypeError
    sizes = dict(listed)
    if len(sizes) != len(listed):
        raise ValueError
    if not all(isinstance(name, str) and _is_count(size) for name, size in sizes.items()):
        raise TypeError
    return sizes


def _is_count(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 0


def _no_constant(word: str) -> object:
    raise ValueError(word)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number
