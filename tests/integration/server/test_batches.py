"""Submitting many jobs with one request."""

from __future__ import annotations

import json

import pytest

from support.web import Bench, body, problem

JSON = {"Content-Type": "application/json"}


def jobs_in(bench: Bench) -> int:
    return sum(bench.world.ledger.counts().values())


def test_all_jobs_of_a_batch_are_answered_in_order(bench: Bench):
    response = bench.post("/v1/jobs:batch", json={"jobs": [body(name=str(number)) for number in range(5)]})
    assert response.status_code == 201
    ids = [job["id"] for job in response.json()["jobs"]]
    assert [bench.world.ledger.get(job_id).name for job_id in ids] == ["0", "1", "2", "3", "4"]
    assert {job["status"] for job in response.json()["jobs"]} == {"CREATED"}
    assert len(list(bench.world.pending.scan())) == 1


def test_each_request_is_kept_to_the_letter(bench: Bench):
    pieces = [json.dumps(body(name=str(number)), indent=number) for number in range(3)]
    raw = '{ "jobs" : [ ' + "  ,\n".join(pieces) + ' ] , "atomic":true }'
    ids = [job["id"] for job in bench.post("/v1/jobs:batch", content=raw, headers=JSON).json()["jobs"]]
    for job_id, piece in zip(ids, pieces, strict=True):
        assert bench.world.archive.read_request(bench.world.ledger.get(job_id)).body == piece.encode()


def test_a_repeat_with_the_same_key_gives_the_same_jobs(bench: Bench):
    batch = {"jobs": [body(), body()]}
    first, again = (bench.post("/v1/jobs:batch", json=batch, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert jobs_in(bench) == 2


@pytest.mark.parametrize(
    ("bad", "status", "code"),
    [
        (body("broken"), 422, "invalid_program"),
        (body(backend="nowhere"), 404, "not_found"),
        ({"backend": "scripted_qpu"}, 422, "invalid_request"),
        (7, 422, "invalid_request"),
        (None, 422, "invalid_request"),
    ],
)
def test_one_bad_job_refuses_an_atomic_batch(bench: Bench, bad, status, code):
    response = bench.post("/v1/jobs:batch", json={"jobs": [body(), body(), bad]})
    assert problem(response, status, code)["details"]["job"] == 2
    assert jobs_in(bench) == 0
    assert list(bench.world.pending.scan()) == []


def test_without_atomic_each_job_has_its_own_error(bench: Bench):
    bad = [7, body(), body("broken"), body(), {"backend": "x"}, body(backend="nowhere")]
    response = bench.post("/v1/jobs:batch", json={"atomic": False, "jobs": bad})
    assert response.status_code == 207
    items = response.json()["jobs"]
    assert [item["error"] and item["error"]["code"] for item in items] == [
        "invalid_request",
        None,
        "invalid_program",
        None,
        "invalid_request",
        "not_found",
    ]
    assert [item["error"]["details"]["job"] for item in items if item["error"]] == [0, 2, 4, 5]
    assert all(bench.world.ledger.get(item["id"]) for item in items if item["id"])
    assert jobs_in(bench) == 2


def test_a_batch_of_bad_jobs_alone_makes_none(bench: Bench):
    response = bench.post("/v1/jobs:batch", json={"atomic": False, "jobs": [1, 2]})
    assert response.status_code == 207
    assert jobs_in(bench) == 0


@pytest.mark.parametrize(
    "batch", [{}, {"jobs": []}, {"jobs": [1] * 1001}, {"jobs": {}}, {"jobs": [1], "x": 1}, {"jobs": [1], "atomic": "?"}]
)
def test_a_bad_envelope_is_refused(bench: Bench, batch):
    problem(bench.post("/v1/jobs:batch", json=batch), 422, "invalid_request")


def test_a_key_twice_in_one_job_refuses_the_whole(bench: Bench):
    raw = b'{"atomic": false, "jobs": [{"backend": "a", "backend": "b"}]}'
    found = problem(bench.post("/v1/jobs:batch", content=raw, headers=JSON), 422, "invalid_request")
    assert "backend" in found["detail"]
