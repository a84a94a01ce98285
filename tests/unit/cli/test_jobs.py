from __future__ import annotations

import json

import pytest


def test_status_of_one_and_of_many(run, job_id):
    done = run("status", job_id)
    assert done.code == 0
    assert done.out.splitlines()[1].split() == [job_id, "COMPLETED", "done"]
    shown = json.loads(run("status", job_id, job_id, "--json").out)["statuses"]
    assert [one["status"] for one in shown] == ["COMPLETED"]


def test_unknown_jobs_do_not_hide_the_known_ones(run, job_id):
    done = run("status", "nonsense", job_id)
    assert done.code == 3
    assert job_id in done.out
    assert "no job nonsense" in done.err


def test_waiting_says_by_its_code_how_jobs_ended(run, api, job_id):
    done = run("wait", job_id)
    assert (done.code, done.out) == (0, f"{job_id}  COMPLETED\n")
    api.jobs[job_id] = api.jobs[job_id].model_copy(update={"status": "CANCELLED"})
    assert run("wait", job_id, "--json").code == 1


def test_jobs_are_listed_newest_first(run, files):
    ids = [run("submit", files[0], "--name", f"job {n}").out.strip() for n in range(3)]
    done = run("jobs")
    header, *rows = done.out.splitlines()
    assert header.split()[:3] == ["id", "status", "created"]
    assert header.split()[-6:] == ["name", "backend", "duration", "shots", "qubits", "tags"]
    assert [row.split()[0] for row in rows] == ids[::-1]
    assert "job 2" in rows[0]
    assert [job["id"] for job in json.loads(run("jobs", "--json", "-n", "2").out)["jobs"]] == ids[:0:-1]


def test_jobs_are_filtered(run, api, job_id):
    run("jobs", "--status", "failed", "--status", "CANCELLED", "--tag", "t", "--since", "2026-03-01", "-n", "0")
    params = api.seen[-1].url.params
    assert params.get_list("status") == ["FAILED", "CANCELLED"]
    assert params["tag"] == "t"
    assert params["created_from"].endswith("+00:00")


def test_an_empty_list_says_so_beside_the_output(run):
    done = run("jobs")
    assert (done.code, done.out, done.err) == (0, "", "No jobs found.\n")
    assert json.loads(run("jobs", "--json").out) == {"jobs": []}


def test_names_are_not_shortened_in_a_pipe(run, files):
    name = "n" * 190
    run("submit", files[0], "--name", name)
    assert name in run("jobs").out


def test_cancelling_goes_on_after_an_error_and_ends_with_its_code(run, job_id):
    done = run("cancel", "nonsense", job_id)
    assert done.code == 3
    assert done.out == f"{job_id}  CANCELLED\n"
    assert "no job nonsense" in done.err


def test_renaming_and_tagging(run, job_id):
    assert run("rename", job_id, "other").out == f"{job_id}  other\n"
    assert run("tag", job_id, "a", "b").out == f"{job_id}  other  a b\n"
    shown = json.loads(run("tag", job_id, "b", "c", "--remove", "a", "--json").out)
    assert shown == {"id": job_id, "name": "other", "tags": ["b", "c"]}


def test_deleting_asks_first_and_in_a_pipe_wants_a_yes(run, api, job_id):
    done = run("delete", job_id)
    assert done.code == 2
    assert "--yes" in done.err
    assert api.deleted == set()
    assert run("delete", job_id, "--yes").out == f"{job_id}  DELETED\n"
    gone = run("result", job_id)
    assert (gone.code, gone.out) == (3, "")


@pytest.mark.parametrize("command", [["status"], ["cancel"], ["jobs", "--limit", "-1"], ["no-such-command"]])
def test_wrong_usage_ends_with_2(run, command):
    done = run(*command)
    assert (done.code, done.out) == (2, "")
    assert done.err
