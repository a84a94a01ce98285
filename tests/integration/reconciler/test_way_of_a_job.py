"""A job for a cloud goes its way, whatever the cloud does."""

from __future__ import annotations

import json

import pytest

from qdepot.domain.job import Duty, JobStatus, Stage
from qdepot.errors import NotFinishedError, UnavailableError
from qdepot.testing.scripted import BulkScriptedProvider
from support.world import ME, World, order


class NeverInTime:
    """A pool whose checks take longer than anybody waits."""

    def submit(self, task):
        return self

    def result(self, timeout_s=None):
        raise TimeoutError

    def cancel(self):
        self.cancelled = True


def test_a_job_goes_from_accepted_to_stored_and_leaves_pending_empty(world: World):
    job = world.submit()
    world.bring_home(world.process())
    assert world.job(job).status is JobStatus.COMPLETED
    assert world.story(job) == [
        "CREATED/waiting",
        "CREATED/waiting",
        "CREATED/submitting",
        "QUEUED/waiting",
        "RUNNING/running",
        "RUNNING/collecting",
        "COMPLETED/done",
    ]
    document = json.loads(b"".join(world.jobs().result(job.id, caller=ME)))
    assert document["results"][0]["counts"] == {"01": 4}
    assert list(world.pending.scan()) == []
    assert [info.key for info in world.completed.scan()] == [world.job(job).result_key]


def test_a_job_is_not_completed_before_its_result_is_in_the_archive(world: World):
    job = world.submit()
    process = world.process()
    for _ in range(4):
        process.run(Duty.PREPARE, Duty.SUBMIT, Duty.POLL)
        world.clock.advance(5)
    assert world.cloud.jobs["cloud-1"].word == "Completed"
    assert (world.job(job).status, world.job(job).stage) == (JobStatus.RUNNING, Stage.COLLECTING)
    with pytest.raises(NotFinishedError):
        world.jobs().result(job.id, caller=ME)


def test_a_program_that_was_checked_when_it_came_is_not_checked_on_its_way(world: World, monkeypatch):
    asked = []
    submit = world.pool.submit
    monkeypatch.setattr(world.pool, "submit", lambda task: asked.append(task.operation) or submit(task))
    checked, unchecked = world.submit(), world.jobs(checker=NeverInTime()).submit(order(), caller=ME).job
    world.bring_home(world.process(), seconds=20)
    assert {world.job(job).status for job in (checked, unchecked)} == {JobStatus.COMPLETED}
    assert asked.count("check") == 2, "each of them once"


def test_a_program_that_could_not_be_checked_in_time_fails_before_it_is_sent(world: World):
    job = world.jobs(checker=NeverInTime()).submit(order("broken"), caller=ME).job
    world.bring_home(world.process(), seconds=5)
    stored = world.job(job)
    assert stored.status is JobStatus.FAILED
    assert stored.failure is not None
    assert stored.failure.details == {"line": 1, "column": 3}
    assert world.cloud.submissions == []
    assert stored.result_key is not None


def test_a_failure_at_the_backend_fails_the_job_with_its_reason(world: World):
    job = world.submit()
    world.cloud.script.words = ("Queued", "Failed")
    world.bring_home(world.process())
    stored = world.job(job)
    assert stored.status is JobStatus.FAILED
    assert stored.failure is not None
    assert stored.failure.message == "the cryostat is warm"


def test_a_word_that_nobody_knows_moves_nothing_and_is_recorded(world: World):
    job = world.submit()
    world.cloud.script.words = ("Queued", "Defrosting")
    world.bring_home(world.process(), seconds=30)
    assert world.job(job).status is JobStatus.QUEUED
    assert "'Defrosting'" in (world.job(job).last_poll_error or "")
    world.cloud.script.words = ("Completed",)
    world.bring_home(world.process())
    assert world.job(job).status is JobStatus.COMPLETED
    assert world.job(job).last_poll_error is None


def test_a_report_from_earlier_moves_no_job_back(world: World):
    job = world.submit()
    world.cloud.script.words = ("Running", "Queued", "Queued", "Completed")
    world.bring_home(world.process())
    assert world.story(job)[-4:] == ["QUEUED/waiting", "RUNNING/running", "RUNNING/collecting", "COMPLETED/done"]


def test_a_cloud_that_is_away_delays_its_jobs_and_loses_none(world: World):
    job = world.submit()
    process = world.process()
    process.desk.backends.all()
    world.cloud.script.away = True
    world.bring_home(process, seconds=60)
    assert world.job(job).status is JobStatus.CREATED
    assert "does not answer" in world.job(job).why
    world.cloud.script.away = False
    world.bring_home(process)
    assert world.job(job).status is JobStatus.COMPLETED
    assert len(world.cloud.submissions) == 1


def test_a_cloud_that_refuses_a_job_fails_it(world: World):
    job = world.submit()
    world.cloud.script.refuse = True
    world.bring_home(world.process(), seconds=5)
    failure = world.job(job).failure
    assert failure is not None
    assert (failure.code, failure.solution) == ("unsupported_program", "Use another gate.")


def test_a_paid_cloud_that_lost_a_job_fails_it_and_is_not_paid_again(world: World):
    job = world.submit()
    process = world.process()
    world.bring_home(process, seconds=1)
    world.cloud.script.forget_all = True
    world.bring_home(process)
    failure = world.job(job).failure
    assert failure is not None
    assert failure.code == "lost_by_backend"
    assert len(world.cloud.submissions) == 1


def test_a_repeatable_cloud_that_lost_a_job_gets_it_again(world: World):
    world.cloud.repeatable, world.cloud.paid = True, False
    job = world.submit()
    process = world.process()
    world.bring_home(process, seconds=1)
    world.cloud.script.forget_all = True
    world.bring_home(process, seconds=3)
    world.cloud.script.forget_all = False
    world.bring_home(process)
    assert world.job(job).status is JobStatus.COMPLETED
    assert world.job(job).attempt >= 2
    assert "CREATED/waiting" in world.story(job)[4:]


def test_a_job_cancelled_before_it_was_sent_never_is(world: World):
    job = world.submit()
    world.jobs().cancel(job.id, caller=ME)
    assert world.job(job).shown_status == "CANCELLING"
    world.bring_home(world.process(), seconds=5)
    assert world.job(job).status is JobStatus.CANCELLED
    assert world.cloud.submissions == []


def test_a_job_cancelled_at_the_cloud_is_cancelled_once_the_cloud_says_so(world: World):
    world.cloud.script.words = ("Queued", "Queued", "Queued", "Queued", "Running")
    job = world.submit()
    process = world.process()
    world.bring_home(process, seconds=2)
    assert world.job(job).status is JobStatus.QUEUED
    world.jobs().cancel(job.id, caller=ME)
    world.bring_home(process, seconds=10)
    assert world.cloud.jobs["cloud-1"].cancel_asked
    assert world.job(job).status is JobStatus.CANCELLED


def test_a_job_that_ended_before_the_cancel_arrived_keeps_its_result(world: World):
    job = world.submit()
    process = world.process()
    world.cloud.script.words = ("Completed",)
    process.run(Duty.PREPARE)
    process.run(Duty.SUBMIT)
    process.run(Duty.POLL)
    world.jobs().cancel(job.id, caller=ME)
    world.bring_home(process, seconds=5)
    assert world.job(job).status is JobStatus.COMPLETED


def test_a_process_that_starts_while_the_cloud_is_away_fails_nothing(world: World):
    job = world.jobs(checker=NeverInTime()).submit(order(), caller=ME).job
    world.cloud.script.away = True
    process = world.process()
    world.bring_home(process, seconds=30)
    assert world.job(job).status is JobStatus.CREATED
    world.cloud.script.away = False
    world.bring_home(process)
    assert world.job(job).status is JobStatus.COMPLETED


def test_one_word_that_nobody_knows_does_not_hide_what_was_said_of_the_others(world: World):
    world.providers = {"scripted": BulkScriptedProvider(clock=world.clock)}
    odd, fine = world.submit(), world.submit()
    process = world.process()
    process.run(Duty.PREPARE)
    process.run(Duty.SUBMIT)
    cloud = world.cloud
    cloud.jobs[world.job(odd).provider_job_id].word = "Defrosting"
    cloud.jobs[world.job(odd).provider_job_id].ended = "Cancelled"  # the word stays
    world.bring_home(process)
    assert world.job(fine).status is JobStatus.COMPLETED
    assert world.job(odd).status is JobStatus.QUEUED
    assert "'Defrosting'" in (world.job(odd).last_poll_error or "")


def test_a_cloud_that_is_asked_too_often_is_left_alone_for_as_long_as_it_says(world: World, monkeypatch):
    job = world.submit()
    process = world.process()
    process.run(Duty.PREPARE)
    process.run(Duty.SUBMIT)

    def too_often(self, job_ids):
        raise UnavailableError("too often", retry_after_s=120.0)

    monkeypatch.setattr(type(world.cloud), "look", too_often)
    process.run(Duty.POLL)
    monkeypatch.undo()
    world.bring_home(process, seconds=119)
    assert world.job(job).status is JobStatus.QUEUED
    world.bring_home(process)
    assert world.job(job).status is JobStatus.COMPLETED
