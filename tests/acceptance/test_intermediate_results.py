"""A long job that is killed half-way goes on with the second half; what is done can be read at any time."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable

import httpx
import pytest

from qdepot import Client
from qdepot.errors import JobFailedError
from support.service import Service, run_cli

CIRCUITS = 160
HALF = CIRCUITS // 2
SHOTS = 16
WIDTH = 10
"""So that the circuits take seconds together: the job must not be over before a test has seen its first half."""
OFTEN = {"QDEPOT_PROVIDERS__AER__PART_INTERVAL_S": "0.3", "QDEPOT_CHILDREN": "1"}
PATIENCE_S = 180.0


def heavy(number: int) -> str:
    """A circuit that takes a while, and whose first register tells its number."""
    flips = " ".join(f"x m[{bit}];" for bit in range(8) if number >> bit & 1)
    layers = " ".join(f"rx(0.{i + 1}) q[{i}]; cz q[{i}], q[{(i + 1) % WIDTH}];" for i in range(WIDTH))
    return (
        f'OPENQASM 3.0; include "stdgates.inc"; qubit[8] m; qubit[{WIDTH}] q; bit[8] n; bit[{WIDTH}] c; '
        f"{flips} {' '.join([layers] * 3)} n = measure m; c = measure q;"
    )


@pytest.fixture(scope="module")
def circuits() -> list[str]:
    return [heavy(number) for number in range(CIRCUITS)]


def until(service: Service, job_id: str, condition: Callable[[dict], bool]) -> dict:
    """The job's status, as soon as it is so."""
    give_up_at = time.monotonic() + PATIENCE_S
    while True:
        status = httpx.get(f"{service.url}/v1/jobs/{job_id}/status").json()
        if condition(status):
            return status
        assert time.monotonic() < give_up_at, status
        time.sleep(0.05)


def half_done(status: dict) -> bool:
    assert status["status"] in {"CREATED", "QUEUED", "RUNNING"}, "it was over before anything could happen to it"
    return status["circuits_done"] >= HALF


def numbers(results: list[dict]) -> list[int]:
    """Which circuits these are the results of."""
    return [int(next(iter(entry["registers"]["n"]["counts"])), 2) for entry in results]


def about(service: Service, job_id: str) -> dict:
    [path] = (service.data / "objects" / "completed").rglob(f"{job_id}.zip")
    with zipfile.ZipFile(path) as bundle:
        return json.loads(bundle.read("job.json"))


def pending(service: Service) -> list[str]:
    return [path.name for path in (service.data / "objects" / "pending").rglob("*.*") if path.is_file()]


def test_a_job_killed_half_way_goes_on_with_the_second_half(services, circuits):
    service = services("data", **OFTEN)
    job_id = Client(service.url).submit(circuits, shots=SHOTS).id
    before = until(service, job_id, half_done)["circuits_done"]
    service.kill()
    service.start()
    handle = Client(service.url).job(job_id)
    readable = handle.result_document(partial=True)
    assert readable["circuits_done"] >= before, "what was done is readable at once"
    document = handle.result_document(timeout_s=PATIENCE_S)
    assert numbers(document["results"]) == list(range(CIRCUITS))
    assert all(sum(entry["counts"].values()) == SHOTS for entry in document["results"])
    parts = about(service, job_id)["metadata"]["parts"]
    of_the_first = sum(part["count"] for part in parts if part["attempt"] == 1)
    assert before <= of_the_first < CIRCUITS
    assert {part["attempt"] for part in parts if part["first"] >= of_the_first} <= {2}
    attempts = [event.attempt for event in handle.events()]
    assert attempts[-1] == 2
    until_clean(service)


def until_clean(service: Service) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while pending(service):
        assert time.monotonic() < give_up_at, pending(service)
        time.sleep(0.05)


def test_what_is_done_can_be_read_while_the_job_runs_and_after_it_was_cancelled(services, circuits):
    service = services("data", **OFTEN)
    client = Client(service.url)
    job = client.submit(circuits, shots=SHOTS)
    until(service, job.id, half_done)
    shown = job.result(partial=True)
    assert shown.partial
    assert (len(shown) >= HALF, shown.num_circuits) == (True, CIRCUITS)
    job.cancel()
    assert job.wait(timeout_s=PATIENCE_S) == "CANCELLED"
    document = job.result_document(partial=True)
    assert document["partial"] is True
    assert numbers(document["results"]) == list(range(document["circuits_done"]))
    assert HALF <= document["circuits_done"] < CIRCUITS
    assert about(service, job.id)["circuits_done"] == document["circuits_done"]
    with pytest.raises(JobFailedError, match="cancelled"):
        job.result()
    printed = run_cli("result", job.id, "--partial", "--json", QDEPOT_URL=service.url)
    assert json.loads(printed.stdout)["circuits_done"] == document["circuits_done"]


def test_the_counts_do_not_depend_on_where_a_job_was_cut(services, circuits):
    """Killed and begun anew, or in one go: with the same seed the counts are equal."""
    service = services("data", **OFTEN)
    few = circuits[:40]
    client = Client(service.url)
    job_id = client.submit(few, shots=SHOTS, seed=5).id
    until(service, job_id, lambda status: 10 <= status["circuits_done"] < len(few))
    service.kill()
    service.start()
    client = Client(service.url)
    cut = client.job(job_id).result(timeout_s=PATIENCE_S)
    whole = client.submit(few, shots=SHOTS, seed=5).result(timeout_s=PATIENCE_S)
    assert [entry.counts for entry in cut] == [entry.counts for entry in whole]
