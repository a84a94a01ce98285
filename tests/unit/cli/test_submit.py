from __future__ import annotations

import json

import httpx
import pytest

from qdepot.wire.answers import EstimatorResultAnswer, FailureAnswer, ResultAnswer
from support.fake_api import BELL, problem, sampled, sent_program

FIRST = "00000000-0000-0000-0000-000000000001"


def test_a_file_becomes_a_job_and_its_id_is_printed(run, api, files):
    done = run("submit", files[0], "--shots", "7", "--seed", "3", "--tag", "a", "--tag", "b", "-b", "aer_mps")
    assert (done.code, done.out, done.err) == (0, f"{FIRST}\n", "")
    body = api.bodies[FIRST]
    assert (body.name, body.tags, body.backend, body.options.seed) == ("bell", ["a", "b"], "aer_mps", 3)
    assert sent_program(api.seen[0])["shots"] == 7


def test_several_files_are_a_job_each_in_one_request(run, api, files):
    done = run("submit", *files)
    assert api.paths() == ["POST /v1/jobs:batch"]
    assert done.out.split() == list(api.jobs)
    assert [body.name for body in api.bodies.values()] == ["bell", "bell2"]


def test_together_they_are_one_job(run, api, files):
    done = run("submit", *files, "--together", "--name", "both")
    assert len(done.out.split()) == 1
    assert len(sent_program(api.seen[0])["circuits"]) == 2


def test_a_circuit_may_come_from_standard_input(run, api):
    done = run("submit", "-", stdin=BELL)
    assert done.code == 0
    assert sent_program(api.seen[0])["circuits"][0]["source"] == BELL
    assert api.bodies[FIRST].name == ""


def test_standard_input_is_read_once(run):
    done = run("submit", "-", "-", stdin=BELL)
    assert (done.code, done.out) == (2, "")
    assert "once" in done.err


def test_waiting_shows_the_counts_as_bars(run, files):
    done = run("submit", files[0], "--wait")
    first, *bars = done.out.splitlines()
    assert first == FIRST
    assert [line.split()[0] for line in bars] == ["00", "11"]
    assert bars[0].endswith("510  49.8 %")
    assert done.err == ""
    assert "\x1b" not in done.out


def test_waiting_for_several_names_each(run, files):
    done = run("submit", *files, "--wait")
    assert f"bell.qasm  {FIRST}" in done.out
    assert "bell2.qasm  " in done.out


def test_json_is_one_document(run, files):
    done = run("submit", *files, "--json")
    jobs = json.loads(done.out)["jobs"]
    assert jobs[0] == {"id": FIRST, "name": "bell", "status": "CREATED", "backend": "aer", "file": "bell.qasm"}
    assert len(jobs) == 2
    awaited = json.loads(run("submit", files[0], "--json", "--wait").out)["jobs"][0]
    assert awaited["status"] == "COMPLETED"
    assert awaited["result"]["results"][0]["counts"] == {"00": 510, "11": 514}
    assert awaited["failure"] is None


def test_a_failed_job_ends_with_1_and_the_others_are_shown(run, api, files):
    api.fail(FIRST, FailureAnswer(code="backend_failed", message="it burnt", solution="Use another."))
    done = run("submit", *files, "--wait")
    assert done.code == 1
    assert f"Error: job {FIRST} failed: it burnt\nWhere: bell.qasm\nWhat to do: Use another.\n" in done.err
    assert "51" in done.out


def test_a_failed_job_is_told_in_json_too(run, api, files):
    api.fail(FIRST, FailureAnswer(code="backend_failed", message="it burnt"))
    done = run("submit", files[0], "--wait", "--json")
    job = json.loads(done.out)["jobs"][0]
    assert (done.code, job["status"], job["result"], job["failure"]["message"]) == (1, "FAILED", None, "it burnt")


@pytest.mark.parametrize("as_json", [False, True])
def test_a_wait_that_is_too_long_ends_with_5_and_leaves_the_id(run, api, files, as_json):
    api.looks = 10**9
    done = run("submit", files[0], "--wait", "--timeout", "0", *(["--json"] if as_json else []))
    assert done.code == 5
    shown = json.loads(done.out)["jobs"][0]["id"] if as_json else done.out.strip()
    assert shown == FIRST
    assert "It goes on" in done.err


def test_ctrl_c_while_waiting_ends_with_130_and_leaves_the_id(run, api, files, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("qdepot.client.handle.JobHandle.wait", interrupt)
    done = run("submit", files[0], "--wait")
    assert (done.code, done.out.strip()) == (130, FIRST)
    assert f"qdepot wait {FIRST}" in done.err


def test_one_bad_file_means_that_nothing_is_submitted(run, api, files, tmp_path):
    (tmp_path / "bad.qasm").write_text("h q[0];")
    done = run("submit", *files, "bad.qasm")
    assert (done.code, done.out, api.jobs) == (2, "", {})
    assert "Nothing was submitted." in done.err
    assert "Where: bad.qasm" in done.err


def test_a_job_refused_by_the_service_is_named_by_its_file(run, api, files):
    api.faults.append(problem(422, "invalid_program", "unknown gate", "Define it.", job=1, line=3, column=2))
    done = run("submit", *files)
    assert done.code == 2
    assert "Where: bell2.qasm, line 3, column 2" in done.err


def test_going_on_submits_the_good_ones_and_says_what_was_wrong(run, api, files):
    bodies = api.bodies
    accept = api._batch

    def refuse_second(request):
        answer = json.loads(accept(request).content)
        error = json.loads(problem(422, "invalid_program", "unknown gate", job=1, line=3).content)
        answer["jobs"][1] = {"id": None, "status": None, "error": error}
        return httpx.Response(207, json=answer)

    api._batch = refuse_second
    done = run("submit", *files, "--keep-going")
    assert (done.code, done.out.split()) == (2, [next(iter(bodies))])
    assert "Error: unknown gate\nWhere: bell2.qasm, line 3\n" in done.err


def test_a_missing_file_is_named(run, api):
    done = run("submit", "no-such.qasm")
    assert (done.code, done.out) == (2, "")
    assert "no-such.qasm cannot be read: No such file" in done.err
    assert api.seen == []


def test_parameters_and_observables_are_json(run, api, files):
    run("submit", files[0], "--parameters", '{"theta": [0.1, 0.2]}', "--observables", '{"ZZ": 1}', "--precision", "0")
    program = sent_program(api.seen[0])
    assert (program["kind"], program["precision"]) == ("estimator", 0.0)
    assert program["circuits"][0]["parameter_values"] == {"theta": [0.1, 0.2]}
    assert program["circuits"][0]["observables"] == {"ZZ": 1}
    run("submit", files[0], "--observables", "XZ")
    assert sent_program(api.seen[1])["circuits"][0]["observables"] == "XZ"


def test_what_is_no_json_is_refused(run, files):
    done = run("submit", files[0], "--parameters", "theta=1")
    assert done.code == 2
    assert "--parameters is not JSON" in done.err


def test_estimates_are_shown_with_their_errors(run, api, files):
    entry = EstimatorResultAnswer(evs=[0.5, -1], stds=[0.25, 0], shape=[2])
    api.results[FIRST] = ResultAnswer(id=FIRST, status="COMPLETED", results=[entry])
    done = run("submit", files[0], "--observables", '["ZZ", "XX"]', "--wait")
    assert "[0]  +0.500000 ± 0.250000\n[1]  -1.000000 ± 0.000000" in done.out


def test_a_sweep_shows_its_first_sets(run, api, files):
    entry = sampled().model_dump()
    entry |= {"shape": [6], "counts": [{"0": 1}] * 6}
    entry["registers"]["c"]["counts"] = [{"0": 1}] * 6
    api.results[FIRST] = ResultAnswer.model_validate({"id": FIRST, "status": "COMPLETED", "results": [entry]})
    done = run("submit", files[0], "--wait")
    assert "parameter set 3 of 6" in done.out
    assert "parameter set 4 of 6" not in done.out
    assert "... and 2 more parameter sets" in done.out


def test_the_same_key_is_the_same_job(run, files):
    ids = {run("submit", files[0], "--idempotency-key", "k").out for _ in range(2)}
    assert len(ids) == 1
