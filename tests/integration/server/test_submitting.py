"""Submitting a job."""

from __future__ import annotations

import json

import pytest

from qdepot.services.orders import SubmitLimits
from support.web import Bench, body, problem

AN_ID = "0b5f8f6e-3c55-4bb0-9f0a-0f5a3c1d2e3f"
JSON = {"Content-Type": "application/json"}


def nothing_is_left(bench: Bench) -> bool:
    return not list(bench.world.pending.scan()) and not sum(bench.world.ledger.counts().values())


def test_a_job_is_answered_with_where_it_is(bench: Bench):
    response = bench.post("/v1/jobs", json=body(name="bell", tags=["demo"], options={"seed": 7}))
    answer = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/v1/jobs/{answer['id']}"
    assert bench.get(response.headers["location"]).json() == answer
    assert (answer["status"], answer["name"], answer["tags"], answer["options"]) == (
        "CREATED",
        "bell",
        ["demo"],
        {"seed": 7},
    )


def test_the_request_is_kept_to_the_letter(bench: Bench):
    raw = json.dumps(body("π = 3;"), indent=3, ensure_ascii=False).encode()
    job_id = bench.post("/v1/jobs", content=raw, headers=JSON).json()["id"]
    stored = bench.world.archive.read_request(bench.world.ledger.get(job_id))
    assert stored.body == raw
    assert bench.get(f"/v1/jobs/{job_id}/program").content in raw


def test_a_repeat_with_the_same_key_is_the_same_job(bench: Bench):
    first = bench.post("/v1/jobs", json=body(), headers={"Idempotency-Key": "k"})
    again = bench.post("/v1/jobs", json=body(), headers={"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["location"] == first.headers["location"]


def test_the_same_key_with_another_body_is_a_conflict(bench: Bench):
    bench.post("/v1/jobs", json=body(), headers={"Idempotency-Key": "k"})
    problem(bench.post("/v1/jobs", json=body("other"), headers={"Idempotency-Key": "k"}), 409, "conflict")


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_bad_key_is_refused(bench: Bench, key):
    problem(bench.post("/v1/jobs", json=body(), headers={"Idempotency-Key": key}), 422, "invalid_request")


def test_two_jobs_without_a_key_are_two_jobs(bench: Bench):
    assert bench.submit().id != bench.submit().id


def test_a_client_may_choose_the_id(bench: Bench):
    first = bench.request("PUT", f"/v1/jobs/{AN_ID.upper()}", json=body())
    again = bench.request("PUT", f"/v1/jobs/{AN_ID}", json=body())
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"] == AN_ID
    problem(bench.request("PUT", f"/v1/jobs/{AN_ID}", json=body("other")), 409, "conflict")


@pytest.mark.parametrize("job_id", ["x", "7", AN_ID + "0", "{" + AN_ID + "}"])
def test_a_chosen_id_must_be_a_uuid(bench: Bench, job_id):
    problem(bench.request("PUT", f"/v1/jobs/{job_id}", json=body()), 422, "invalid_request")
    assert nothing_is_left(bench)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"backend": "nowhere"}, 404, "not_found"),
        ({"backend": ""}, 422, "invalid_request"),
        ({"unknown": 1}, 422, "invalid_request"),
        ({"name": "x" * 201}, 422, "invalid_request"),
        ({"name": "a\u0000b"}, 422, "invalid_request"),
        ({"tags": [""]}, 422, "invalid_request"),
        ({"tags": ["a"] * 51}, 422, "invalid_request"),
        ({"priority": 11}, 422, "invalid_request"),
        ({"priority": "1"}, 422, "invalid_request"),
        ({"timeout_s": 0}, 422, "invalid_request"),
        ({"options": {"seed": -1}}, 422, "invalid_request"),
        ({"options": {"method": "magic"}}, 422, "invalid_request"),
        ({"options": {"method": "stabilizer"}}, 422, "unsupported_program"),
        ({"program": None}, 422, "invalid_request"),
        ({"program": {"kind": "poet", "circuits": []}}, 422, "invalid_request"),
        ({"program": {"kind": "sampler", "circuits": []}}, 422, "invalid_request"),
        (
            {"program": {"kind": "sampler", "circuits": [{"format": "qpy", "source": "***"}]}},
            422,
            "invalid_program",
        ),
    ],
)
def test_a_bad_job_is_refused_and_leaves_nothing(bench: Bench, changes, status, code):
    found = problem(bench.post("/v1/jobs", json=body(**changes)), status, code)
    assert found["detail"]
    assert nothing_is_left(bench)


@pytest.mark.parametrize("shots", [0, -1, 10**12, 1.5, "8", True])
def test_nonsense_shots_are_refused(bench: Bench, shots):
    request = body()
    request["program"]["shots"] = shots
    found = problem(bench.post("/v1/jobs", json=request), 422, "invalid_request")
    assert found["errors"][0]["loc"][-1] == "shots"
    assert nothing_is_left(bench)


def test_a_broken_circuit_is_refused_with_line_and_column(bench: Bench):
    found = problem(bench.post("/v1/jobs", json=body("broken")), 422, "invalid_program")
    assert (found["details"]["line"], found["details"]["column"]) == (1, 3)
    assert nothing_is_left(bench)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "text/plain"},
        {"Content-Type": ""},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_a_wrong_content_type_is_refused(bench: Bench, headers):
    found = problem(bench.post("/v1/jobs", content=json.dumps(body()), headers=headers), 415, "unsupported_media_type")
    assert "Content-" in found["solution"]
    assert nothing_is_left(bench)


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "APPLICATION/JSON", 'application/json; charset="UTF-8"']
)
def test_every_way_to_say_json_is_understood(bench: Bench, kind):
    assert bench.post("/v1/jobs", content=json.dumps(body()), headers={"Content-Type": kind}).status_code == 201


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"nonsense", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"backend": NaN}', b'{"a":1,"a":2}']
)
def test_what_is_not_a_json_object_is_refused(bench: Bench, raw):
    problem(bench.post("/v1/jobs", content=raw, headers=JSON), 422, "invalid_request")
    assert nothing_is_left(bench)


def test_a_body_that_announces_to_be_too_large_is_refused_unread(build):
    bench = build(limits=SubmitLimits(max_body_bytes=1000))
    found = problem(bench.post("/v1/jobs", content=b"x" * 1001, headers=JSON), 413, "payload_too_large")
    assert found["details"]["max_body_bytes"] == 1000


def test_a_body_that_grows_too_large_is_refused_where_it_does(build):
    bench = build(limits=SubmitLimits(max_body_bytes=1000))
    sent = 0

    async def endless():
        nonlocal sent
        while True:
            sent += 400
            assert sent < 10_000
            yield b"x" * 400

    problem(bench.post("/v1/jobs", content=endless(), headers=JSON), 413, "payload_too_large")
    assert sent == 1200


def test_a_body_as_large_as_is_allowed_is_taken(build):
    raw = json.dumps(body()).encode()
    bench = build(limits=SubmitLimits(max_body_bytes=len(raw)))
    assert bench.post("/v1/jobs", content=raw, headers=JSON).status_code == 201
