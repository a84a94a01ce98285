"""A person ends a doubt over HTTP."""

from __future__ import annotations

import pytest

from qdepot.domain.job import Duty, Job, JobStatus, Stage
from support.web import Bench, problem


@pytest.fixture
def doubtful(bench: Bench) -> Job:
    """A job that the cloud has, and nobody can find there."""
    job = bench.submit()
    world = bench.world
    process = world.process()
    process.run(Duty.PREPARE)
    world.cloud.script.lose_answer = True
    process.run(Duty.SUBMIT)
    world.cloud.script.lose_answer = False
    world.bring_home(process, seconds=3)
    assert world.job(job).stage is Stage.IN_DOUBT
    return job


def test_a_doubt_says_how_it_is_ended(bench: Bench, doubtful: Job):
    why = bench.get(f"/v1/jobs/{doubtful.id}").json()["why"]
    assert f"qdepot resolve {doubtful.id} --adopt" in why
    assert f"{doubtful.id}.1" in why, "the tag to look for"


def test_an_adopted_job_goes_on_at_the_backend(bench: Bench, doubtful: Job):
    answer = bench.post(f"/v1/jobs/{doubtful.id}/resolve", json={"action": "adopt", "provider_job_id": "cloud-1"})
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["provider_job_id"]) == ("QUEUED", "cloud-1")
    assert "waited in the queue of scripted_qpu" in answer.json()["why"]
    bench.world.bring_home(bench.world.process())
    assert bench.world.job(doubtful).status is JobStatus.COMPLETED
    assert len(bench.world.cloud.submissions) == 1


@pytest.mark.parametrize(
    ("action", "status", "submissions"), [("resubmit", JobStatus.COMPLETED, 2), ("fail", JobStatus.FAILED, 1)]
)
def test_a_job_is_sent_again_or_given_up(bench: Bench, doubtful: Job, action, status, submissions):
    assert bench.post(f"/v1/jobs/{doubtful.id}/resolve", json={"action": action}).status_code == 200
    bench.world.bring_home(bench.world.process())
    assert bench.world.job(doubtful).status is status
    assert len(bench.world.cloud.submissions) == submissions


def test_what_is_decided_is_decided(bench: Bench, doubtful: Job):
    bench.post(f"/v1/jobs/{doubtful.id}/resolve", json={"action": "fail"})
    again = bench.post(f"/v1/jobs/{doubtful.id}/resolve", json={"action": "resubmit"})
    assert "nothing to decide" in problem(again, 409, "conflict")["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "forget"},
        {"action": "adopt"},
        {"action": "adopt", "provider_job_id": ""},
        {"action": "fail", "provider_job_id": "cloud-1"},
        {"action": "fail", "more": 1},
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(bench: Bench, doubtful: Job, body):
    problem(bench.post(f"/v1/jobs/{doubtful.id}/resolve", json=body), 422, "invalid_request")
    assert bench.world.job(doubtful).stage is Stage.IN_DOUBT


def test_there_must_be_such_a_job(bench: Bench):
    problem(bench.post("/v1/jobs/nonsense/resolve", json={"action": "fail"}), 404, "not_found")
