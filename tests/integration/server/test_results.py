"""Retrieving a job and its result."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from qdepot.domain.job import Failure, JobStatus
from qdepot.services.orders import SubmitLimits
from support.web import RESULT, Bench, problem

NONSENSE = ["x", "7", "0" * 300, "%00", "0b5f8f6e-3c55-4bb0-9f0a-0f5a3c1d2e3f", "..%2f..", "%F0%9F%90%88"]
PATHS = ["", "/status", "/status?wait=30", "/result", "/program", "/events", "/objects", "/export", "/download"]


@pytest.fixture
def done(bench: Bench):
    return bench.finish(bench.submit())


def array_bytes(values) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(values, dtype=np.uint8))
    return file.getvalue()


@pytest.mark.parametrize("job_id", NONSENSE)
@pytest.mark.parametrize("path", PATHS)
def test_an_id_that_is_none_is_not_found(bench: Bench, job_id, path):
    problem(bench.get(f"/v1/jobs/{job_id}{path}"), 404, "not_found")


def test_a_small_result_is_inside_the_job(bench: Bench, done):
    answer = bench.get(f"/v1/jobs/{done.id}").json()
    assert answer["status"] == "COMPLETED"
    assert answer["result"] == {"id": done.id, "status": "COMPLETED", **RESULT}
    assert answer["result_size_bytes"] == len(json.dumps(RESULT))
    assert answer["links"]["result"] == f"/v1/jobs/{done.id}/result"


def test_a_large_result_is_only_linked(build):
    bench = build(limits=SubmitLimits(inline_result_bytes=len(json.dumps(RESULT)) - 1))
    job = bench.finish(bench.submit())
    answer = bench.get(f"/v1/jobs/{job.id}").json()
    assert answer["result"] is None
    assert bench.get(answer["links"]["result"]).json()["results"] == RESULT["results"]


def test_the_result_alone_says_whose_it_is(bench: Bench, done):
    response = bench.get(f"/v1/jobs/{done.id}/result")
    assert response.json() == {"id": done.id, "status": "COMPLETED", **RESULT}
    assert response.headers["content-length"] == str(len(response.content))


def test_the_form_of_an_id_does_not_matter(bench: Bench, done):
    response = bench.get(f"/v1/jobs/{done.id.upper()}/result")
    assert response.json()["id"] == done.id


def test_a_large_result_is_streamed(bench: Bench):
    entry = {**RESULT["results"][0], "metadata": {"padding": "x" * 1000}}
    job = bench.finish(bench.submit(), document={"results": [entry] * 1000})
    response = bench.get(f"/v1/jobs/{job.id}/result")
    assert len(response.json()["results"]) == 1000
    assert "content-length" not in response.headers


def test_there_is_no_result_before_the_end(bench: Bench):
    job = bench.submit()
    found = problem(bench.get(f"/v1/jobs/{job.id}/result"), 409, "not_finished")
    assert found["details"]["status"] == "CREATED"
    assert "result" not in bench.get(f"/v1/jobs/{job.id}").json()["links"]


def test_a_failed_job_says_why_instead_of_a_result(bench: Bench):
    failure = Failure(code="backend_failed", message="the cryostat is warm", solution="wait", details={"kelvin": 4})
    job = bench.finish(bench.submit(), JobStatus.FAILED, failure=failure)
    found = problem(bench.get(f"/v1/jobs/{job.id}/result"), 409, "job_failed")
    assert found["details"]["failure"] == {
        "code": "backend_failed",
        "message": "the cryostat is warm",
        "solution": "wait",
        "details": {"kelvin": 4},
    }
    assert bench.get(f"/v1/jobs/{job.id}").json()["failure"]["message"] == "the cryostat is warm"


def test_a_cancelled_job_has_no_result(bench: Bench):
    job = bench.finish(bench.submit(), JobStatus.CANCELLED)
    found = problem(bench.get(f"/v1/jobs/{job.id}/result"), 409, "job_failed")
    assert found["details"]["status"] == "CANCELLED"
    assert bench.get(f"/v1/jobs/{job.id}").json()["result"] is None


@pytest.mark.parametrize(
    "how",
    [
        {"headers": {"Accept": "application/x-npz"}},
        {"headers": {"Accept": "application/json;q=0.1, application/x-npz"}},
        {"params": {"format": "npz"}},
    ],
)
def test_shots_come_as_numpy_arrays(bench: Bench, how):
    members = {"memory/0/c.npy": array_bytes([[1], [2], [3]]), "memory/1/d.npy": array_bytes([[255, 0]])}
    job = bench.finish(bench.submit(), members=members)
    response = bench.get(f"/v1/jobs/{job.id}/result", **how)
    assert response.headers["content-type"] == "application/x-npz"
    assert response.headers["content-disposition"] == f'attachment; filename="{job.id}.npz"'
    with np.load(io.BytesIO(response.content), allow_pickle=False) as arrays:
        assert sorted(arrays) == ["memory/0/c", "memory/1/d"]
        assert arrays["memory/0/c"].tolist() == [[1], [2], [3]]


def test_the_query_is_stronger_than_the_header(bench: Bench, done):
    response = bench.get(f"/v1/jobs/{done.id}/result?format=json", headers={"Accept": "application/x-npz"})
    assert response.json()["id"] == done.id


def test_a_job_without_memory_has_no_arrays(bench: Bench, done):
    found = problem(bench.get(f"/v1/jobs/{done.id}/result?format=npz"), 404, "not_found")
    assert "memory" in found["solution"]


def test_an_unknown_format_is_refused(bench: Bench, done):
    problem(bench.get(f"/v1/jobs/{done.id}/result?format=xml"), 422, "invalid_request")


def test_the_program_stays_when_the_job_has_ended(bench: Bench, done):
    assert bench.get(f"/v1/jobs/{done.id}/program").json()["circuits"][0]["source"] == "OPENQASM 3.0; ..."


def test_a_damaged_result_is_no_result(bench: Bench, done):
    bench.world.completed.delete([done.result_key])
    found = problem(bench.get(f"/v1/jobs/{done.id}/result"), 500, "archive_damaged")
    assert done.id in found["detail"]
