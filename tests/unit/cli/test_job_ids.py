from __future__ import annotations

import pytest


@pytest.fixture
def three(run, files) -> list[str]:
    """The ids of three jobs, oldest first; two have the same name."""
    return [run("submit", files[0], "--name", name).out.strip() for name in ("first", "same", "same")]


def test_a_job_is_found_by_its_name(run, three):
    assert run("why", "first").code == 0
    assert run("status", "first").out.splitlines()[1].split()[0] == three[0]


def test_a_job_is_found_by_a_part_of_its_id(run, three):
    assert run("status", three[1][-8:]).out.splitlines()[1].split()[0] == three[1]


def test_the_newest_job_is_found_without_its_id(run, three):
    assert run("status", "--last").out.splitlines()[1].split()[0] == three[2]
    assert run("result", "--last").code == 0


def test_a_text_that_fits_several_jobs_is_refused_with_their_ids(run, three):
    for text in ("same", three[0][:6]):
        done = run("result", text)
        assert (done.code, done.out) == (2, "")
        assert "fits several jobs" in done.err
        assert three[1] in done.err


def test_no_job_is_cancelled_where_one_text_is_ambiguous(run, api, three):
    assert run("cancel", "first", "same").code == 2
    assert "CANCELLED" not in {job.status for job in api.jobs.values()}


def test_jobs_are_deleted_by_their_whole_ids_only(run, api, three):
    assert run("delete", "first", "--yes").code == 3
    assert api.deleted == set()


@pytest.mark.parametrize("command", [["why"], ["why", "some", "--last"], ["status"], ["result"], ["cancel"]])
def test_a_command_without_a_job_or_with_two_says_what_to_name(run, command):
    done = run(*command)
    assert done.code == 2
    assert "--last" in done.err


def test_the_newest_job_of_none_is_an_error_that_says_how_to_begin(run):
    done = run("why", "--last")
    assert done.code == 3
    assert "qdepot submit" in done.err
