"""What is done of a job can be read before it is over, and if it never will be."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest

from qdepot.domain.job import Failure, Job, JobStatus
from qdepot.domain.result import Outcome
from support.web import RESULT, Bench, problem

[ENTRY] = RESULT["results"]


def entry(circuit: int) -> dict:
    return {**ENTRY, "metadata": {"circuit": circuit}}


def array_bytes(*values: int) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array(values, dtype=np.uint8))
    return file.getvalue()


@pytest.fixture
def job(bench: Bench) -> Job:
    """A job of six circuits."""
    circuit = {"format": "openqasm3", "source": "OPENQASM 3.0; ..."}
    program = {"kind": "sampler", "shots": 4, "circuits": [circuit] * 6}
    return bench.submit(program=program)


def store(bench: Bench, job: Job, count: int) -> Job:
    """Store a part, as the poller does."""
    circuits = range(job.circuits_done, job.circuits_done + count)
    outcome = Outcome(
        document=json.dumps({"results": [entry(circuit) for circuit in circuits]}).encode(),
        members={f"memory/{circuit}/c.npy": array_bytes(circuit) for circuit in circuits},
    )
    part = bench.world.archive.put_part(job, [outcome], count=count)
    change = job.edited(parts=part.number, circuits_done=part.behind)
    assert bench.world.ledger.save([change]) == [True]
    return change.after


def partial(bench: Bench, job: Job) -> dict:
    response = bench.get(f"/v1/jobs/{job.id}/result?partial=true")
    assert response.status_code == 200, response.text
    return response.json()


def test_nothing_yet_is_an_empty_list(bench: Bench, job: Job):
    assert partial(bench, job) == {
        "id": job.id,
        "status": "CREATED",
        "partial": True,
        "circuits_done": 0,
        "num_circuits": 6,
        "results": [],
    }


def test_the_parts_that_are_stored_are_one_result(bench: Bench, job: Job):
    job = store(bench, store(bench, job, 2), 1)
    answer = partial(bench, job)
    assert answer["results"] == [entry(0), entry(1), entry(2)]
    assert (answer["partial"], answer["circuits_done"], answer["num_circuits"]) == (True, 3, 6)
    assert bench.get(f"/v1/jobs/{job.id}/status").json()["circuits_done"] == 3
    shown = bench.get(f"/v1/jobs/{job.id}").json()
    assert (shown["circuits_done"], shown["links"]["partial_result"]) == (3, f"/v1/jobs/{job.id}/result?partial=true")


def test_without_being_asked_nobody_gets_a_part(bench: Bench, job: Job):
    found = problem(bench.get(f"/v1/jobs/{store(bench, job, 2).id}/result"), 409, "not_finished")
    assert found["details"] == {"status": "CREATED", "circuits_done": 2}


@pytest.mark.parametrize(
    ("status", "failure"),
    [(JobStatus.FAILED, Failure(code="backend_failed", message="it burnt")), (JobStatus.CANCELLED, None)],
    ids=["failed", "cancelled"],
)
def test_a_job_that_did_not_complete_keeps_what_was_done(bench: Bench, job: Job, status, failure):
    final = bench.finish(store(bench, job, 2), status, failure=failure)
    bench.world.archive.remove_pending(final, shared_in_use=False)
    answer = partial(bench, job)
    assert (answer["status"], answer["partial"], answer["circuits_done"]) == (status.value, True, 2)
    assert answer["results"] == [entry(0), entry(1)]
    found = problem(bench.get(f"/v1/jobs/{job.id}/result"), 409, "job_failed")
    assert "first 2 of 6 circuits" in found["solution"]
    assert bench.get(f"/v1/jobs/{job.id}").json()["result"] is None


def test_a_job_that_was_cancelled_at_once_has_an_empty_list(bench: Bench, job: Job):
    bench.finish(job, JobStatus.CANCELLED)
    assert (partial(bench, job)["results"], partial(bench, job)["partial"]) == ([], True)


def test_a_job_that_completed_is_not_partial(bench: Bench, job: Job):
    bench.finish(job, document={"results": [entry(circuit) for circuit in range(6)]})
    answer = partial(bench, job)
    assert (answer["status"], answer["partial"], answer["circuits_done"]) == ("COMPLETED", False, 6)
    assert len(answer["results"]) == 6


def test_the_shots_of_what_is_done_are_arrays(bench: Bench, job: Job):
    change = job.edited(options={"memory": True})
    assert bench.world.ledger.save([change]) == [True]
    job = change.after
    path = f"/v1/jobs/{job.id}/result?partial=true&format=npz"
    assert np.load(io.BytesIO(bench.get(path).content)).files == []
    job = store(bench, store(bench, job, 2), 1)
    arrays = np.load(io.BytesIO(bench.get(path).content))
    assert sorted(arrays.files) == ["memory/0/c", "memory/1/c", "memory/2/c"]
    bench.finish(job, JobStatus.CANCELLED)
    assert len(np.load(io.BytesIO(bench.get(path).content)).files) == 3


def test_a_job_without_memory_has_no_arrays(bench: Bench, job: Job):
    store(bench, job, 1)
    problem(bench.get(f"/v1/jobs/{job.id}/result?partial=true&format=npz"), 404, "not_found")


def test_a_job_that_ends_while_it_is_read_is_to_be_asked_again(bench: Bench, job: Job, monkeypatch):
    job = store(bench, job, 1)
    archive = type(bench.world.archive)
    open_parts = archive.open_parts

    def end_meanwhile(self, known):
        monkeypatch.undo()
        final = bench.finish(job, JobStatus.CANCELLED)
        self.remove_pending(final, shared_in_use=False)
        return open_parts(self, known)

    monkeypatch.setattr(archive, "open_parts", end_meanwhile)
    response = bench.get(f"/v1/jobs/{job.id}/result?partial=true")
    problem(response, 503, "unavailable")
    assert response.headers["retry-after"] == "1"
    assert partial(bench, job)["results"] == [entry(0)]


def test_a_part_that_is_missing_is_no_short_result(bench: Bench, job: Job):
    job = store(bench, job, 1)
    bench.world.archive.discard_parts(job, behind=0)
    problem(bench.get(f"/v1/jobs/{job.id}/result?partial=true"), 500, "archive_damaged")


def test_large_parts_are_streamed(bench: Bench, job: Job):
    large = {**ENTRY, "metadata": {"padding": "x" * 100_000}}
    for _ in range(3):
        document = json.dumps({"results": [large]}).encode()
        part = bench.world.archive.put_part(job, [Outcome(document=document)], count=1)
        job = replace(job, parts=part.number, circuits_done=part.behind)
    change = bench.world.job(job).edited(parts=job.parts, circuits_done=job.circuits_done)
    assert bench.world.ledger.save([change]) == [True]
    response = bench.get(f"/v1/jobs/{job.id}/result?partial=true")
    assert response.json()["results"] == [large] * 3
    assert "content-length" not in response.headers
