"""Large bodies become jobs as small ones do, are refused as small ones are, and leave others alone."""

from __future__ import annotations

import asyncio
import json

import anyio.to_thread
import pytest

from qdepot.server import bodies
from qdepot.server.body_room import SMALL_BYTES
from qdepot.services.orders import SubmitLimits
from support.web import Bench, body, problem

JSON = {"Content-Type": "application/json"}
SWEEP = [[round(0.001 * n, 3) for n in range(1000)]] * 40


def sweep():
    circuit = {"format": "openqasm3", "source": "OPENQASM 3.0; ...", "parameter_values": SWEEP}
    return body(program={"kind": "sampler", "shots": 7, "circuits": [circuit]})


def filled(item: str) -> bytes:
    """A request with more of this than is taken."""
    document = sweep()
    document["program"]["circuits"][0]["parameter_values"] = "HERE"
    values = "[" + ",".join([item] * 120_000) + "]"
    return json.dumps(document).replace('"HERE"', values).encode()


def test_a_large_sweep_becomes_the_job_that_was_asked_for(bench: Bench):
    raw = json.dumps(sweep(), indent=1).encode()
    assert len(raw) > SMALL_BYTES
    answer = bench.post("/v1/jobs", content=raw, headers=JSON)
    assert answer.status_code == 201
    assert bench.get(f"/v1/jobs/{answer.json()['id']}/program").json() == sweep()["program"]
    [job] = bench.world.ledger.get_many([answer.json()["id"]]).values()
    [circuit] = bench.world.archive.read_request(job).program().circuits
    assert circuit.document()["parameter_values"] == SWEEP


def test_a_large_batch_has_an_answer_for_each_job(bench: Bench):
    good = body("OPENQASM 3.0; ... //" + "é\n" * 20_000)
    bad = body(program={"kind": "sampler", "circuits": [{"format": "qpy", "source": "x" * 20_001}]})
    raw = json.dumps({"atomic": False, "jobs": [good, bad, sweep(), {"backend": 1}]}).encode()
    answer = bench.post("/v1/jobs:batch", content=raw, headers=JSON)
    assert answer.status_code == 207, answer.text
    codes = [(item.get("error") or {}).get("code") for item in answer.json()["jobs"]]
    assert codes == [None, "invalid_program", None, "invalid_request"]


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs:batch"])
@pytest.mark.parametrize("item", ["[]", "{}", "0.5", '"a"', '{"a":{}}'])
def test_a_body_of_too_many_values_is_refused_by_the_name_of_the_limit(build, path, item):
    bench = build(limits=SubmitLimits(max_body_values=100_000))
    raw = filled(item) if path == "/v1/jobs" else b'{"jobs": [' + filled(item) + b"]}"
    found = problem(bench.post(path, content=raw, headers=JSON), 422, "invalid_request")
    assert found["details"] == {"limit": "max_body_values", "value": 100_000}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"[0.0,", b"[NaN,", "NaN"),
        (b'"shots"', b'"kind": "sampler", "shots"', "twice"),
        (b"0.999]]", b"0.999]", "delimiter"),
        (b"[0.0,", b'["\\ud800",', "surrogate"),
    ],
)
def test_a_large_body_is_read_as_strictly_as_a_small_one(bench: Bench, old, new, says):
    raw = json.dumps(sweep(), separators=(",", ":")).encode().replace(old, new, 1)
    found = problem(bench.post("/v1/jobs", content=raw, headers=JSON), 422, "invalid_request")
    assert says in found["detail"]


def test_others_are_answered_while_large_bodies_are_read(build, monkeypatch):
    """They are more than the threads that work on requests; none of these threads waits for a large body."""
    bench = build(body_memory_bytes=10**9)
    finish = asyncio.Event()
    reached = asyncio.Event()
    loop = bench.runner.get_loop()

    def reads_for_long(raw):
        loop.call_soon_threadsafe(reached.set)
        asyncio.run_coroutine_threadsafe(finish.wait(), loop).result()

    monkeypatch.setattr(bodies, "check_json", reads_for_long)

    async def attack():
        anyio.to_thread.current_default_thread_limiter().total_tokens = 2
        raw = json.dumps(sweep()).encode()
        large = [asyncio.create_task(bench.ask("POST", "/v1/jobs", content=raw, headers=JSON)) for _ in range(10)]
        await reached.wait()
        answer = await bench.ask("GET", "/v1/me")
        assert not any(task.done() for task in large)
        finish.set()
        return answer, await asyncio.gather(*large)

    answer, large = bench.runner.run(attack())
    assert answer.status_code == 200
    assert {each.status_code for each in large} == {201}


def test_beyond_the_memory_for_them_large_bodies_are_asked_to_come_again(build):
    raw = json.dumps(sweep()).encode()
    bench = build(body_memory_bytes=len(raw) + 10)

    async def both():
        return await asyncio.gather(*(bench.ask("POST", "/v1/jobs", content=raw, headers=JSON) for _ in range(2)))

    taken, refused = sorted(bench.runner.run(both()), key=lambda answer: answer.status_code)
    assert taken.status_code == 201
    assert problem(refused, 429, "too_many_large_requests")["details"]["limit"] == "body_memory_bytes"
    assert int(refused.headers["Retry-After"]) > 0
    assert bench.post("/v1/jobs", content=raw, headers=JSON).status_code == 201


def test_what_submits_no_job_may_not_be_large(bench: Bench):
    raw = json.dumps({"ids": ["x" * 60] * 10_000}).encode()
    problem(bench.post("/v1/statuses", content=raw, headers=JSON), 413, "payload_too_large")
