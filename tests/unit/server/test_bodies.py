"""Bodies are JSON as the standard has it, and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdepot.errors import InvalidRequestError
from qdepot.server.bodies import parse
from qdepot.server.strict_json import decode
from qdepot.wire.requests import JobBody, StatusesBody

JOB = {
    "backend": "aer",
    "program": {"kind": "sampler", "circuits": [{"format": "openqasm3", "source": "x", "parameter_values": None}]},
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def job_with(parameter_values: str) -> bytes:
    return json.dumps(JOB).replace("null", parameter_values).encode()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "Expecting value at line 1, column 1"),
        (b"{", "line 1, column 2"),
        (b'{"ids":\n ["a",]}', "line 2"),
        (b'{"ids": ["a"]} x', "Extra data at line 1, column 16"),
        (b'{"ids": ["\xff"]}', "byte 10 is not UTF-8"),
        (b'{"ids": ["a"], "ids": ["b"]}', "the key 'ids' stands twice"),
        (b'{"ids": [NaN]}', "NaN is not a JSON number"),
        (b'{"ids": [-Infinity]}', "-Infinity is not a JSON number"),
        (b'{"ids": [1e999]}', "the number 1e999 is out of range"),
        (b'{"ids": [%s]}' % (b"9" * 5000), "integer"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"ids": ["\x01"]}', "control character"),
        (b'{"ids": ["\\ud800"]}', "hex escape"),
        (b"[]", "Input should be an object"),
        (b"null", "Input should be an object"),
        (b'{"ids": "a"}', "ids: Input should be a valid array"),
        (b'{"ids": ["a"], "x": 1}', "x: Extra inputs are not permitted"),
    ],
)
def test_what_is_not_json_or_not_the_model_is_refused_with_its_place(raw, says):
    with pytest.raises(InvalidRequestError) as caught:
        parse(StatusesBody, raw)
    assert says.lower() in caught.value.message.lower()
    assert len(caught.value.message) < 500
    assert caught.value.solution


@pytest.mark.parametrize(
    "values", ["NaN", "[Infinity]", "1e400", "[[-1e400]]", '{"a": 1, "a": 2}', "[" * 500 + "]" * 500, '"\\ud800"']
)
def test_free_form_fields_are_as_strict(values):
    with pytest.raises(InvalidRequestError):
        parse(JobBody, job_with(values))


def test_the_place_of_a_syntax_error_is_also_in_the_details():
    with pytest.raises(InvalidRequestError) as caught:
        parse(StatusesBody, b'{"ids":\n  nope}')
    assert caught.value.details == {"line": 2, "column": 3}


def test_a_wrong_field_is_named_without_repeating_the_input():
    with pytest.raises(InvalidRequestError) as caught:
        parse(JobBody, job_with("null").replace(b'"openqasm3"', b'"%s"' % (b"z" * 100_000)))
    [error] = caught.value.details["errors"]
    assert error["loc"] == ["program", "sampler", "circuits", 0, "format"]
    assert "zzz" not in json.dumps(caught.value.details) + caught.value.message


@given(json_values)
def test_what_the_standard_library_writes_is_read_as_it_was(value):
    assert decode(json.dumps(value).encode()) == value
