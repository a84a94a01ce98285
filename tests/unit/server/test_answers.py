"""What goes out says what the records say."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from qdepot.domain.backend import BackendInfo
from qdepot.domain.job import Failure, JobStatus, Stage
from qdepot.domain.program import ProgramFormat, ProgramKind
from qdepot.server.v1.answers import backend_answer, event_answer, job_answer, links_of, status_answer
from qdepot.testing.jobs import accepted, ended, make_final_job, make_job, queued
from qdepot.wire.answers import JobAnswer


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED])
def test_a_final_job_is_shown_as_it_is(status):
    job = make_final_job(3, status)
    assert status_answer(job).status == status
    assert status_answer(job).ended_at == job.ended_at
    assert job_answer(job).status == status
    assert "cancel" not in links_of(job)
    assert ("result" in links_of(job)) == (status is JobStatus.COMPLETED)


@pytest.mark.parametrize("job", [make_job(1), queued(make_job(1)).after])
def test_a_cancel_that_is_not_confirmed_is_shown(job):
    wished = replace(job, cancel_requested=True)
    assert status_answer(wished).status == "CANCELLING"
    assert job_answer(wished).status == "CANCELLING"
    assert job_answer(job).status == job.status


def test_all_that_a_job_knows_is_in_the_answer():
    job = queued(
        make_job(
            2,
            name="bell",
            tags=("a", "b"),
            options={"seed": 7},
            priority=3,
            timeout_s=1.5,
            summary={"num_qubits": 2, "circuits": [{"registers": [{"name": "c", "num_bits": 2}]}]},
        ),
        vendor_status="Queued",
        queue_position=4,
        last_poll_error="no answer",
    )
    answer = job_answer(replace(job.after, why="it waits"))
    document = json.loads(answer.model_dump_json())
    for name in set(JobAnswer.model_fields) - {"links", "result", "failure"}:
        assert name in document
    assert (document["name"], document["tags"], document["options"]) == ("bell", ["a", "b"], {"seed": 7})
    assert (document["priority"], document["timeout_s"], document["queue_position"]) == (3, 1.5, 4)
    assert (document["vendor_status"], document["last_poll_error"]) == ("Queued", "no answer")
    assert document["summary"]["circuits"][0]["registers"] == [{"name": "c", "num_bits": 2}]
    assert document["created_at"].endswith("Z")


def test_a_failure_is_told_in_full():
    failure = Failure(code="invalid_program", message="line 3", solution="correct it", details={"line": 3, "column": 7})
    answer = job_answer(ended(make_job(1), JobStatus.FAILED, failure=failure).after).failure
    assert answer is not None
    assert answer.model_dump() == {
        "code": "invalid_program",
        "message": "line 3",
        "solution": "correct it",
        "details": {"line": 3, "column": 7},
    }


def test_a_line_of_history_is_told_in_full():
    job, event = accepted(make_job(5))
    answer = event_answer(replace(event, number=12))
    assert (answer.number, answer.from_status, answer.to_status, answer.stage) == (12, "", "CREATED", Stage.WAITING)
    assert (answer.by, answer.why, answer.attempt, answer.at) == ("jobs", "accepted", 1, job.created_at)


def test_a_backend_is_described_in_a_stable_order():
    backend = BackendInfo(
        name="fake_devices/fake_torino",
        provider="aer",
        kinds=frozenset(ProgramKind),
        formats=frozenset(ProgramFormat),
        options=frozenset({"seed", "memory", "method"}),
        properties={"method": "automatic"},
    )
    answer = backend_answer(backend)
    assert answer.kinds == ["estimator", "sampler"]
    assert answer.formats == ["openqasm2", "openqasm3", "qpy"]
    assert answer.options == ["memory", "method", "seed"]
    assert answer.properties == {"method": "automatic"}
