"""What comes in becomes what the services take."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from qdepot.domain.job import JobStatus
from qdepot.domain.program import ProgramKind
from qdepot.errors import InvalidProgramError, InvalidRequestError
from qdepot.server.v1.orders import filter_of, job_id_of, order_of
from qdepot.server.v1.queries import ListQuery, StatusQuery
from qdepot.server.v1.sent_batch import _Envelope, read_batch
from qdepot.wire.requests import BatchBody

BAD_BASE64 = {"kind": "sampler", "circuits": [{"format": "qpy", "source": "*"}]}
AN_ID = "0b5f8f6e-3c55-4bb0-9f0a-0f5a3c1d2e3f"


def order_from(**changes):
    body = {
        "backend": "aer",
        "program": {"kind": "sampler", "shots": 8, "circuits": [{"format": "openqasm3", "source": "x"}]},
        **changes,
    }
    raw = json.dumps(body, indent=1).encode()
    return raw, order_of(raw)


def test_an_order_keeps_the_request_to_the_letter():
    raw, order = order_from(name="bell", tags=["a"], priority=2, timeout_s=3)
    assert order.body == raw
    assert (order.backend, order.name, order.tags, order.priority, order.timeout_s) == ("aer", "bell", ("a",), 2, 3.0)
    assert (order.program.kind, order.program.shots) == (ProgramKind.SAMPLER, 8)
    assert order.program.circuits[0].source == b"x"


def test_an_order_holds_only_the_options_that_were_given():
    assert order_from()[1].options == {}
    assert order_from(options={"seed": 0, "memory": False, "noise": None})[1].options == {"seed": 0, "memory": False}


@pytest.mark.parametrize("source", ["***", "é", "QISKIT", "UUlTS0lU\n"])
def test_a_qpy_source_that_is_not_base64_is_an_invalid_program(source):
    program = {"kind": "sampler", "circuits": [{"format": "qpy", "source": source}]}
    with pytest.raises(InvalidProgramError):
        order_from(program=program)


@pytest.mark.parametrize("text", [AN_ID, AN_ID.upper()])
def test_a_chosen_id_has_one_form(text):
    assert job_id_of(text) == AN_ID


@pytest.mark.parametrize("text", ["", "x", AN_ID[:-1], AN_ID.replace("-", ""), "{" + AN_ID + "}", "urn:uuid:" + AN_ID])
def test_a_chosen_id_that_is_none_is_refused(text):
    with pytest.raises(InvalidRequestError, match="is not a UUID"):
        job_id_of(text)


def test_an_empty_query_filters_nothing():
    job_filter = filter_of(ListQuery())
    assert (job_filter.status, job_filter.cancelling, job_filter.backend, job_filter.tag) == (None, None, None, None)


def test_a_status_means_what_is_shown_and_not_what_is_stored():
    queued = filter_of(ListQuery(status=["QUEUED", "RUNNING"]))
    assert queued.status == {JobStatus.QUEUED, JobStatus.RUNNING}
    assert queued.cancelling is False
    cancelling = filter_of(ListQuery(status=["CANCELLING"]))
    assert (cancelling.status, cancelling.cancelling) == (None, True)


def test_cancelling_cannot_be_mixed_with_other_statuses():
    with pytest.raises(InvalidRequestError, match="CANCELLING"):
        filter_of(ListQuery(status=["CANCELLING", "FAILED"]))


def test_times_need_a_time_zone():
    at = datetime(2030, 1, 1, tzinfo=UTC)
    assert filter_of(ListQuery(created_from=at, created_before=at)).created_from == at
    with pytest.raises(ValidationError):
        ListQuery.model_validate({"created_from": "2030-01-01T00:00:00"})


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 201}, {"tag": ""}, {"name": "a\x00"}, {"backend": "\x00"}, {"nme": "x"}]
)
def test_a_bad_list_query_is_refused(query):
    with pytest.raises(ValidationError):
        ListQuery.model_validate(query)


@pytest.mark.parametrize("query", [{"wait": -1}, {"wait": 61}, {"wait": "nan"}, {"known": "DONE"}, {"wiat": 3}])
def test_a_bad_status_query_is_refused(query):
    with pytest.raises(ValidationError):
        StatusQuery.model_validate(query)


def test_the_envelope_of_a_batch_is_that_of_its_documentation():
    described = BatchBody.model_json_schema()["properties"]
    ours = _Envelope.model_json_schema()["properties"]
    assert ours.keys() == described.keys()
    for key in ("minItems", "maxItems"):
        assert ours["jobs"][key] == described["jobs"][key]
    assert ours["atomic"]["default"] == described["atomic"]["default"]


def test_a_batch_keeps_of_what_is_refused_only_why():
    """A traceback holds the frames that it came by, and these the requests of all other jobs."""
    bad = [{"backend": "aer", "program": program} for program in ({"kind": "sampler"}, BAD_BASE64)]
    batch = read_batch(json.dumps({"atomic": False, "jobs": bad}).encode())
    for error in batch.outcomes:
        assert isinstance(error, InvalidRequestError)
        assert (error.__traceback__, error.__cause__, error.__context__) == (None, None, None)
