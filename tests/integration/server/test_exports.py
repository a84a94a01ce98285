"""A job that has ended is taken away as one zip file."""

from __future__ import annotations

import io
import json
import zipfile

from qdepot.archive import layout
from qdepot.domain.job import Failure, JobStatus
from support.web import RESULT, Bench, problem


def unpacked(response) -> dict[str, bytes]:
    assert (response.status_code, response.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(response.content)) as file:
        assert file.testzip() is None
        return {name.partition("/")[2]: file.read(name) for name in file.namelist()}


def test_a_job_is_exported(bench: Bench):
    job = bench.finish(bench.submit(name="bell"), members={"memory/0/c.npy": b"numbers"})
    link = bench.get(f"/v1/jobs/{job.id}").json()["links"]["export"]
    response = bench.get(link)
    assert response.headers["content-disposition"] == f'attachment; filename="qdepot-{job.id}.zip"'
    files = unpacked(response)
    assert json.loads(files["result.json"]) == RESULT
    assert files["counts/0.csv"] == b"bits,count\n01,4\n"
    assert files["circuits/0.qasm"] == b"OPENQASM 3.0; ..."
    assert files["memory/0/c.npy"] == b"numbers"
    assert b"bell" in files["README.txt"]


def test_a_job_that_failed_is_exported_with_its_reason(bench: Bench):
    failure = Failure(code="backend_failed", message="the cooler is warm")
    job = bench.finish(bench.submit(), JobStatus.FAILED, failure=failure)
    assert b"the cooler is warm" in unpacked(bench.get(f"/v1/jobs/{job.id}/export"))["README.txt"]


def test_the_form_of_an_id_does_not_matter(bench: Bench):
    job = bench.finish(bench.submit())
    response = bench.get(f"/v1/jobs/{job.id.upper()}/export")
    assert f"qdepot-{job.id}.zip" in response.headers["content-disposition"]


def test_a_job_that_goes_on_is_not_exported(bench: Bench):
    job = bench.submit()
    answer = bench.get(f"/v1/jobs/{job.id}").json()
    assert "export" not in answer["links"]
    found = problem(bench.get(f"/v1/jobs/{job.id}/export"), 409, "not_finished")
    assert found["details"]["status"] == "CREATED"


def test_a_damaged_bundle_is_no_export(bench: Bench):
    job = bench.finish(bench.submit())
    bench.world.completed.replace(layout.bundle_key(job), b"PK")
    problem(bench.get(f"/v1/jobs/{job.id}/export"), 500, "archive_damaged")
