"""What a project may, and how it is told that it wanted more."""

from __future__ import annotations

import pytest

from qdepot.services.orders import SubmitLimits
from support.people import PROJECT, bearer
from support.web import Bench, body, problem


def build_with(build, world, **special) -> Bench:
    """An application with limits of its own for the project."""
    limits = {PROJECT: SubmitLimits(**special)}
    return build(authentication=True, special_limits=limits, jobs=world.jobs(special=limits))


def two(build, world, **special):
    """The application, and headers of somebody with these limits and of somebody without."""
    bench = build_with(build, world, **special)
    return bench, bearer(bench, "ada").headers, bearer(bench, "eve", project="elsewhere").headers


def test_a_body_may_be_as_large_as_the_project_may_send(build, world):
    bench, mine, theirs = two(build, world, max_body_bytes=100)
    found = problem(bench.post("/v1/jobs", json=body(), headers=mine), 413, "payload_too_large")
    assert "100 bytes" in found["detail"]
    assert bench.post("/v1/jobs", json=body(), headers=theirs).status_code == 201


@pytest.mark.parametrize(
    ("limit", "says"), [("max_circuits", "circuits in a job"), ("max_total_shots", "shots in a job")]
)
def test_circuits_and_shots_are_limited_by_project(build, world, limit, says):
    bench, mine, theirs = two(build, world, **{limit: 1})
    two_circuits = body()
    two_circuits["program"]["circuits"] *= 2
    found = problem(bench.post("/v1/jobs", json=two_circuits, headers=mine), 422, "invalid_request")
    assert says in found["detail"]
    assert found["details"]["limit"] == 1
    assert bench.post("/v1/jobs", json=two_circuits, headers=theirs).status_code == 201


def test_jobs_on_their_way_are_limited_by_project(build, world):
    bench, mine, theirs = two(build, world, max_jobs_in_flight=2)
    jobs = [bench.post("/v1/jobs", json=body(), headers=mine) for _ in range(3)]
    assert [job.status_code for job in jobs] == [201, 201, 429]
    found = problem(jobs[2], 429, "quota_exceeded")
    assert found["details"] == {"limit": "max_jobs_in_flight", "value": 2}
    assert int(jobs[2].headers["retry-after"]) > 0
    assert bench.post("/v1/jobs", json=body(), headers=theirs).status_code == 201
    bench.finish(bench.world.ledger.get(jobs[0].json()["id"]))
    assert bench.post("/v1/jobs", json=body(), headers=mine).status_code == 201


@pytest.mark.parametrize("atomic", [True, False])
def test_each_job_of_a_batch_counts(build, world, atomic):
    bench, mine, _ = two(build, world, max_jobs_in_flight=3)
    batch = {"atomic": atomic, "jobs": [body(), body()]}
    assert bench.post("/v1/jobs:batch", json=batch, headers=mine).status_code == 201
    problem(bench.post("/v1/jobs:batch", json=batch, headers=mine), 429, "quota_exceeded")
    assert bench.world.ledger.count_open(PROJECT) == 2
    assert bench.post("/v1/jobs", json=body(), headers=mine).status_code == 201


def test_a_repeat_of_an_accepted_job_is_no_further_job(build, world):
    bench, mine, _ = two(build, world, max_jobs_in_flight=1)
    answers = [bench.post("/v1/jobs", json=body(), headers={**mine, "Idempotency-Key": "k"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 200, 200]


def test_a_refused_job_takes_no_room(build, world):
    bench, mine, _ = two(build, world, max_jobs_in_flight=1)
    for _ in range(3):
        problem(bench.post("/v1/jobs", json=body("broken"), headers=mine), 422, "invalid_program")
    assert bench.post("/v1/jobs", json=body(), headers=mine).status_code == 201


def test_requests_are_limited_by_project_and_not_by_token(build, world):
    # So slow that no second passes while the test runs.
    bench, mine, theirs = two(build, world, requests_per_s=0.001, request_burst=3)
    mate = bearer(bench, "bob").headers
    answers = [bench.get("/v1/jobs", headers=headers) for headers in (mine, mate, mine, mate, mine)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    found = problem(answers[3], 429, "too_many_requests")
    assert "requests_per_s" in found["detail"]
    assert 2900 <= int(answers[3].headers["retry-after"]) <= 3001
    assert bench.get("/v1/jobs", headers=theirs).status_code == 200


def test_who_is_not_known_uses_up_nothing_of_a_project(build, world):
    bench, mine, _ = two(build, world, requests_per_s=0.001, request_burst=1)
    for _ in range(3):
        problem(bench.get("/v1/jobs", headers={"Authorization": "Bearer x"}), 401, "not_authenticated")
    assert bench.get("/v1/jobs", headers=mine).status_code == 200


def test_probes_are_never_too_many(build, world):
    bench, mine, _ = two(build, world, requests_per_s=0.001, request_burst=1)
    assert {bench.get("/healthz", headers=mine).status_code for _ in range(5)} == {200}


def test_the_limits_are_shown_to_those_whom_they_concern(build, world):
    bench, mine, theirs = two(build, world, max_jobs_in_flight=7, requests_per_s=2.5)
    limits = bench.get("/v1/me", headers=mine).json()["limits"]
    assert (limits["max_jobs_in_flight"], limits["requests_per_s"]) == (7, 2.5)
    assert bench.get("/v1/me", headers=theirs).json()["limits"]["max_jobs_in_flight"] is None
