from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from qdepot.archive.job_document import Ending, job_document, read_ending, read_job
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Failure, Job, JobStatus, Stage
from qdepot.errors import ArchiveDamagedError

AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
COORDINATION = {
    *("request_key", "request_index", "prepared", "queue_position", "last_poll_error", "failures_in_row"),
    *(
        "next_try_at",
        "why",
        "outcome",
        "result_key",
        "result_size_bytes",
        "result_sha256",
        "parts",
        "pending_removed",
        "version",
        "edits",
    ),
}
FULL = Job(
    id="id-1",
    project="lab",
    owner="ada",
    backend="aer",
    kind="sampler",
    status=JobStatus.FAILED,
    stage=Stage.DONE,
    created_at=AT,
    queued_at=AT,
    running_at=None,
    ended_at=AT,
    num_circuits=2,
    shots=7,
    name="n",
    tags=("a", "ß"),
    options={"seed": 1, "deep": {"x": [1, None]}},
    priority=-3,
    timeout_s=1.5,
    summary={"num_qubits": 2},
    request_sha256="s",
    idempotency_key_sha256="k",
    request_key="request",
    attempt=3,
    provider_job_id="v-1",
    vendor_status="Burnt",
    circuits_done=1,
    cancel_requested=True,
    failure=Failure(code="c", message="m", solution="s", details={"line": 1}),
)
ENDING = Ending(
    status=JobStatus.FAILED,
    failure=FULL.failure,
    ended_at=AT,
    events=(
        JobEvent(job_id="id-1", at=AT, from_status="", to_status="CREATED", stage="waiting", by="submit", why="w"),
    ),
    metadata={"versions": {"qiskit": "2"}},
)


def written(job=FULL):
    return json.loads(job_document(job, ENDING, manifest=[]))


def test_the_job_is_read_back_but_for_coordination():
    job = read_job(written(), key="bundle", request_key="request")
    assert job == replace(FULL, result_key="bundle")


def test_every_field_of_a_job_is_kept_or_left_out_on_purpose():
    kept = set(written()) - {"format", "events", "metadata", "manifest"}
    assert kept | COORDINATION | {"stage"} == {field.name for field in fields(Job)}


def test_the_ending_is_read_back():
    assert read_ending(written(), key="bundle") == ENDING


@pytest.mark.parametrize("name", sorted(set(written()) - {"manifest"}))
def test_a_document_without_a_field_is_damage(name):
    document = written()
    del document[name]
    with pytest.raises(ArchiveDamagedError):
        read_job(document, key="k", request_key="r")


@pytest.mark.parametrize("change", [{"format": "qdepot-job/2"}, {"status": "BURNT"}, {"ended_at": 5}, {"events": [{}]}])
def test_a_document_that_cannot_be_understood_is_damage(change):
    with pytest.raises(ArchiveDamagedError):
        read_ending(written() | change, key="k")


def test_fields_that_a_later_version_added_are_no_obstacle():
    document = written()
    for place in (document, document["failure"], document["events"][0]):
        place["mood"] = "good"
    assert read_ending(document, key="k") == ENDING
