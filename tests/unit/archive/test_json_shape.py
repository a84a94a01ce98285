"""Large JSON texts are measured and taken apart without being made into objects."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdepot.archive import json_shape
from qdepot.archive.json_shape import JsonShape, check_shape
from qdepot.errors import InvalidRequestError

TEXTS = st.one_of(st.text(), st.sampled_from(["\\", "\\\\", '"', '\\"[', "[{,:", "]}", "\U0001f600", "\ud7ff"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
PIECES = [1, 2, 3, 7, json_shape._PIECE_BYTES]
LEVELS = 3


def found(shape, start=None, level=1):
    """What a shape says of a text, as objects."""
    raw = shape.raw
    members = list(shape.members(start, level=level))
    values = [
        found(shape, member.start, level + 1)
        if level < LEVELS and raw[member.start : member.start + 1] in {b"[", b"{"}
        else json.loads(raw[member.start : member.end])
        for member in members
    ]
    at = 0 if start is None else start
    is_object = raw[at:].lstrip()[:1] == b"{"
    return {json.loads(it.name): value for it, value in zip(members, values, strict=True)} if is_object else values


@pytest.mark.parametrize("piece_bytes", PIECES)
@given(
    value=st.lists(VALUES, max_size=4) | st.dictionaries(TEXTS, VALUES, max_size=4), indent=st.sampled_from([None, 1])
)
def test_the_members_of_the_upper_levels_are_those_that_a_json_reader_finds(piece_bytes, value, indent):
    raw = json.dumps(value, indent=indent, ensure_ascii=False).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_shape, "_PIECE_BYTES", piece_bytes)
        assert found(JsonShape(raw, depth=LEVELS)) == value


@given(raw=st.binary(max_size=60) | st.text(alphabet='[]{},:"\\ 1', max_size=40).map(str.encode))
def test_what_is_no_json_has_some_shape_and_raises_nothing(raw):
    check_shape(raw, max_values=1000)
    shape = JsonShape(raw, depth=2)
    for member in shape.members():
        list(shape.members(member.start, level=2))


def counted(value):
    """Values and names, one by one."""
    if isinstance(value, dict):
        return 1 + sum(1 + counted(each) for each in value.values())
    return 1 + sum(map(counted, value)) if isinstance(value, list) else 1


@given(value=VALUES)
def test_a_text_with_as_many_values_as_there_may_be_is_taken_and_one_of_twice_as_many_is_not(value):
    raw = json.dumps(value).encode()
    check_shape(raw, max_values=2 * counted(value))
    if counted(value) > 3:
        with pytest.raises(InvalidRequestError, match="max_body_values"):
            check_shape(raw, max_values=counted(value) // 2 - 1)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_depth_is_refused_before_anything_is_read_as_objects(opening):
    with pytest.raises(InvalidRequestError, match="nested too deeply"):
        check_shape(opening * 200, max_values=10**9)


def test_brackets_in_strings_are_no_depth():
    check_shape(json.dumps(["[" * 1000, '\\"' + "{" * 1000]).encode(), max_values=10)


def test_the_count_stops_early_and_takes_little_memory():
    raw = b"[" + b"[]," * 3_000_000 + b"[]]"
    tracemalloc.start()
    try:
        with pytest.raises(InvalidRequestError, match="max_body_values"):
            check_shape(raw, max_values=2_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40e6
