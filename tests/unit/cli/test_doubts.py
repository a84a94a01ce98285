from __future__ import annotations

import json

import pytest


@pytest.fixture
def doubtful(api, job_id) -> str:
    api.jobs[job_id] = api.jobs[job_id].model_copy(update={"stage": "in_doubt", "why": "nobody can tell"})
    return job_id


def test_why_is_one_sentence(run, doubtful):
    assert run("why", doubtful).out == "nobody can tell\n"
    assert json.loads(run("why", doubtful, "--json").out)["stage"] == "in_doubt"


def test_a_job_is_adopted_by_the_id_of_its_backend(api, run, doubtful):
    done = run("resolve", doubtful, "--adopt", "vendor-7")
    assert (done.code, done.out) == (0, f"{doubtful}  QUEUED  adopt\n")
    assert api.jobs[doubtful].provider_job_id == "vendor-7"


@pytest.mark.parametrize("action", ["resubmit", "fail"])
def test_a_job_is_sent_again_or_given_up(run, doubtful, action):
    assert json.loads(run("resolve", doubtful, f"--{action}", "--json").out)["why"] == action


@pytest.mark.parametrize("options", [[], ["--resubmit", "--fail"], ["--adopt", "x", "--fail"]])
def test_one_thing_is_decided(api, run, doubtful, options):
    assert run("resolve", doubtful, *options).code == 2
    assert not any("resolve" in path for path in api.paths())


def test_an_id_that_no_backend_gives_is_refused_here(api, run, doubtful):
    done = run("resolve", doubtful, "--adopt", "")
    assert done.code == 2
    assert "provider_job_id" in done.err
    assert not any("resolve" in path for path in api.paths())
