from __future__ import annotations

import io
import json
import zipfile

import httpx
import pytest

from qdepot.wire.answers import FailureAnswer, ResultAnswer
from support.fake_api import npz_without_arrays, sampled


@pytest.fixture
def ended(run, job_id):
    run("wait", job_id)
    return job_id


def test_a_result_is_shown_as_bars_or_as_json(run, ended):
    assert [line.split()[0] for line in run("result", ended).out.splitlines()] == ["00", "11"]
    document = json.loads(run("result", ended, "--json").out)
    assert document["results"][0]["counts"] == {"00": 510, "11": 514}


def test_json_is_what_the_service_sent_future_fields_included(run, api, ended):
    sent = ResultAnswer(id=ended, status="COMPLETED", results=[sampled()])
    api._result = lambda *_: httpx.Response(200, json={**sent.model_dump(), "of_the_future": 1})
    assert json.loads(run("result", ended, "--json").out)["of_the_future"] == 1


def test_a_job_that_is_not_final_has_no_result_yet(run, job_id):
    done = run("result", job_id)
    assert (done.code, done.out) == (5, "")
    assert "--wait" in done.err
    assert run("result", job_id, "--wait").code == 0


def test_a_failed_job_ends_with_1(run, api, job_id):
    api.fail(job_id, FailureAnswer(code="x", message="it burnt", solution="Try another."))
    done = run("result", job_id, "--wait")
    assert done.code == 1
    assert "it burnt" in done.err
    assert "What to do: Try another." in done.err


def test_one_circuit_of_many(run, api, ended):
    api.results[ended] = ResultAnswer(id=ended, status="COMPLETED", results=[sampled({"0": 1}), sampled({"1": 1})])
    assert "circuit 1\n1 " in run("result", ended).out
    assert [line.split()[0] for line in run("result", ended, "--circuit", "1").out.splitlines()] == ["circuit", "1"]
    chosen = json.loads(run("result", ended, "--circuit", "1", "--json").out)
    assert [one["counts"] for one in chosen["results"]] == [{"1": 1}]
    for form in ([], ["--json"]):
        done = run("result", ended, "--circuit", "2", *form)
        assert (done.code, done.out) == (2, "")
        assert "no circuit 2: the job has 2" in done.err


def test_per_shot_outcomes_are_written_whole(run, api, ended, tmp_path):
    api.arrays = npz_without_arrays()
    done = run("result", ended, "--npz", "memory.npz", "--json")
    assert done.err == "wrote memory.npz\n"
    assert zipfile.is_zipfile(io.BytesIO((tmp_path / "memory.npz").read_bytes()))
    assert [path.name for path in tmp_path.glob(".memory*")] == []
    refused = run("result", ended, "--npz", "no/such/folder.npz")
    assert refused.code == 2
    assert "folder.npz cannot be written: No such file" in refused.err


def test_what_is_done_of_a_job_by_now_is_shown(run, api, job_id):
    api.do(job_id, 2, of=5)
    done = run("result", job_id, "--partial")
    assert done.code == 0
    assert done.out.count("circuit ") == 2
    assert done.err == "2 of 5 circuits are done; the job is CREATED\n"
    document = json.loads(run("result", job_id, "--partial", "--json").out)
    assert (document["partial"], document["circuits_done"], len(document["results"])) == (True, 2, 2)
    assert "--partial" in run("result", job_id).err
