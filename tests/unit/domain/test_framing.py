"""Frames survive any cut of the stream, and nothing else is taken for a frame."""

from __future__ import annotations

import contextlib
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdepot.domain.framing import MAX_HEADER_BYTES, Frame, FrameDecoder, encoded
from qdepot.errors import InternalError, QDepotError, ResourceLimitError

LIMIT = 1 << 20
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
FRAMES = st.builds(
    Frame,
    kind=TEXT,
    number=st.integers(0, 2**40),
    meta=st.dictionaries(TEXT, JSON, max_size=4),
    parts=st.dictionaries(TEXT, st.binary(max_size=200), max_size=4),
)


def on_the_wire(*frames: Frame) -> bytes:
    return b"".join(bytes(piece) for frame in frames for piece in encoded(frame))


def comparable(frame: Frame) -> tuple[object, ...]:
    return frame.kind, frame.number, frame.meta, {name: bytes(part) for name, part in frame.parts.items()}


def raw(header: object, body: bytes = b"", *, magic: bytes = b"QDF1") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack(">4sIQ", magic, len(text), len(body)) + text + body


def header(**changes: object) -> dict[str, object]:
    return {"kind": "result", "number": 1, "meta": {}, "parts": [], **changes}


@given(frames=st.lists(FRAMES, max_size=3), cuts=st.lists(st.integers(1, 64), min_size=1, max_size=20))
def test_frames_survive_any_cut_of_the_stream(frames, cuts):
    stream = on_the_wire(*frames)
    decoder = FrameDecoder(max_body_bytes=LIMIT)
    came: list[Frame] = []
    at = 0
    while at < len(stream):
        cut = cuts[at % len(cuts)]
        came += decoder.feed(stream[at : at + cut])
        at += cut
    assert [comparable(frame) for frame in came] == [comparable(frame) for frame in frames]


@given(st.binary(min_size=16, max_size=300))
def test_random_bytes_are_refused_or_waited_for_but_never_crash(garbage):
    try:
        frames = FrameDecoder(max_body_bytes=LIMIT).feed(garbage)
    except QDepotError:
        return
    assert not frames or garbage.startswith(b"QDF1")


@given(frame=FRAMES, data=st.data())
def test_a_flipped_byte_never_raises_anything_but_our_errors(frame, data):
    stream = bytearray(on_the_wire(frame))
    stream[data.draw(st.integers(0, len(stream) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(InternalError, ResourceLimitError):
        FrameDecoder(max_body_bytes=LIMIT).feed(stream)


@pytest.mark.parametrize(
    "stream",
    [
        raw(header(), magic=b"HTTP"),
        raw(b""),
        raw(b"{"),
        raw(b"\xff\xfe{}"),
        raw([]),
        raw({}),
        raw(header(kind=7)),
        raw(header(number=-1)),
        raw(header(number=True)),
        raw(header(meta=[])),
        raw(header(parts={"a": 1}), b"x"),
        raw(header(parts=[["a"]])),
        raw(header(parts=[["a", -1], ["b", 1]])),
        raw(header(parts=[["a", 1], ["a", 1]]), b"x"),
        raw(header(parts=[["a", 2]]), b"x"),
        raw(header(parts=[[["a"], 1]]), b"x"),
        raw(b'{"kind": "r", "number": 1, "meta": {"a": NaN}, "parts": []}'),
        raw(b'{"kind": "r", "number": 1, "meta": {"a": 1e999}, "parts": []}'),
        raw(b'{"kind": "r", "number": 1, "meta": {"a": "\\ud800"}, "parts": []}'),
        raw(b'{"kind": "r", "number": 1, "meta": {"a": ' + b"9" * 5000 + b'}, "parts": []}'),
        raw(b"[" * 100_000),
    ],
)
def test_what_is_not_a_frame_is_an_internal_error(stream):
    with pytest.raises(InternalError):
        FrameDecoder(max_body_bytes=LIMIT).feed(stream)


def test_an_escaped_backslash_before_ud_is_no_surrogate():
    meta = {"text": "\\ud800 is an escape", "clef": "\U0001d11e"}
    (frame,) = FrameDecoder(max_body_bytes=LIMIT).feed(on_the_wire(Frame(kind="k", meta=meta)))
    assert frame.meta == meta


def test_an_absurd_body_is_refused_before_any_of_it_came():
    with pytest.raises(ResourceLimitError) as caught:
        FrameDecoder(max_body_bytes=100).feed(struct.pack(">4sIQ", b"QDF1", 10, 2**63))
    assert caught.value.details == {"size_bytes": 2**63, "limit_bytes": 100}


def test_an_absurd_header_is_refused_before_any_of_it_came():
    with pytest.raises(InternalError):
        FrameDecoder(max_body_bytes=100).feed(struct.pack(">4sIQ", b"QDF1", MAX_HEADER_BYTES + 1, 0))


@pytest.mark.parametrize(
    "frame",
    [
        Frame(kind="k", meta={"x": float("nan")}),
        Frame(kind="k", meta={"x": object()}),
        Frame(kind="k", meta={"x": "\ud800"}),
        Frame(kind="k", parts={"x": memoryview(b"abcdef")[::2]}),
    ],
)
def test_what_cannot_be_sent_is_refused_by_the_sender(frame):
    with pytest.raises(InternalError):
        encoded(frame)


def test_a_header_that_no_reader_takes_is_refused_by_the_sender():
    with pytest.raises(ResourceLimitError):
        encoded(Frame(kind="k", meta={"x": "y" * MAX_HEADER_BYTES}))


def test_parts_of_wider_items_arrive_as_their_bytes():
    numbers = memoryview(struct.pack("3d", 1.0, 2.0, 3.0)).cast("d")
    (frame,) = FrameDecoder(max_body_bytes=LIMIT).feed(on_the_wire(Frame(kind="k", parts={"x": numbers})))
    assert bytes(frame.parts["x"]) == numbers.tobytes()


def test_decoded_parts_are_read_only():
    (frame,) = FrameDecoder(max_body_bytes=LIMIT).feed(on_the_wire(Frame(kind="k", parts={"x": b"abc"})))
    part = frame.parts["x"]
    assert isinstance(part, memoryview)
    assert part.readonly
