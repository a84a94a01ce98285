"""Long values of a request stay text, and say the same."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from qdepot.archive.long_values import LONG_BYTES, lean_request
from qdepot.archive.request import RequestRecord
from qdepot.domain.program import JsonText, Program
from qdepot.testing.jobs import MADE_AT

NUMBERS = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=60)
SOURCES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).flatmap(
    lambda text: st.sampled_from([text, text * 100])
)
CIRCUITS = st.fixed_dictionaries(
    {"format": st.just("openqasm3"), "source": SOURCES},
    optional={
        "parameter_values": NUMBERS | st.dictionaries(st.text(max_size=5), NUMBERS, max_size=3),
        "observables": st.dictionaries(st.text(max_size=5), st.integers(), max_size=60),
        "shots": st.integers(1, 9),
    },
)
PADDING = "x" * 5000  # a short request is left as it is


def request(circuits):
    return {"name": PADDING, "program": {"kind": "sampler", "circuits": circuits}, "backend": "aer"}


@given(circuits=st.lists(CIRCUITS, min_size=1, max_size=4), escaped=st.booleans(), indent=st.sampled_from([None, 2]))
def test_a_program_that_is_read_leanly_is_the_one_that_was_sent(circuits, escaped, indent):
    document = request(circuits)
    raw = json.dumps(document, ensure_ascii=escaped, indent=indent).encode()
    lean = lean_request(raw)
    program = Program.from_document(lean.complete(json.loads(lean.text)["program"]))
    assert program.document() == Program.from_document(document["program"]).document()
    assert [circuit.source for circuit in program.circuits] == [each["source"].encode() for each in circuits]


def test_what_is_left_of_a_large_request_is_small():
    circuit = {"format": "openqasm3", "source": "x" * 10**6, "parameter_values": [[0.5] * 10**5] * 2}
    lean = lean_request(json.dumps(request([circuit])).encode())
    assert len(lean.text) < len(PADDING) + 2 * LONG_BYTES
    assert isinstance(lean.taken[0, "parameter_values"], JsonText)


def test_a_source_that_is_no_text_is_left_for_the_check_that_refuses_it():
    lean = lean_request(json.dumps(request([{"format": "openqasm3", "source": [0] * 1000}])).encode())
    assert json.loads(lean.text)["program"]["circuits"][0]["source"] == [0] * 1000


def test_the_archive_gives_the_program_of_a_large_request_without_reading_its_values():
    values = [[0.1] * 1000] * 10
    body = json.dumps(request([{"format": "openqasm3", "source": "x", "parameter_values": values}]), indent=3).encode()
    record = RequestRecord(
        job_id="j", project="p", owner="o", created_at=MADE_AT, backend="aer", request_sha256="", body=body
    )
    [circuit] = record.program().circuits
    assert isinstance(circuit.parameter_values, JsonText)
    assert circuit.parameter_values.value() == values
    assert json.loads(record.program_document()) == json.loads(body)["program"]
    assert record.program_document() in body
