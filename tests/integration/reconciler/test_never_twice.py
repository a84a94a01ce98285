"""A submission whose fate is unknown is found, repeated without harm, or left to a person; never paid twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from qdepot.domain.job import Duty, JobStatus, Stage
from qdepot.errors import InternalError
from support.world import ME, World


class Killed(BaseException):
    """The process dies on this line."""


def die_after_sending(world: World, monkeypatch):
    """The first process that submits is killed between the cloud's yes and everything that follows."""
    cloud = world.cloud
    submit = type(cloud).submit

    def submit_and_die(self, submission):
        submit(self, submission)
        monkeypatch.undo()
        raise Killed

    monkeypatch.setattr(type(cloud), "submit", submit_and_die)
    process = world.process()
    process.run(Duty.PREPARE)
    with pytest.raises(Killed):
        process.run(Duty.SUBMIT)


@pytest.fixture(params=["killed", "answer lost"])
def sent_without_answer(request, world: World, monkeypatch):
    """A job that the cloud has, while nobody here knows its id."""
    job = world.submit()
    if request.param == "killed":
        die_after_sending(world, monkeypatch)
    else:
        world.cloud.script.lose_answer = True
        process = world.process()
        process.run(Duty.PREPARE)
        process.run(Duty.SUBMIT)
        world.cloud.script.lose_answer = False
    assert len(world.cloud.submissions) == 1
    assert (world.job(job).status, world.job(job).stage) == (JobStatus.CREATED, Stage.SUBMITTING)
    return job


def test_a_cloud_that_takes_a_key_gets_the_same_key_again(world: World, sent_without_answer):
    world.cloud.takes_key = True
    world.bring_home(world.process())
    assert world.job(sent_without_answer).status is JobStatus.COMPLETED
    assert len(world.cloud.submissions) == 1


def test_a_cloud_that_can_be_searched_has_the_job_adopted(world: World, sent_without_answer):
    world.cloud.finds_by_tag = True
    world.bring_home(world.process())
    assert world.job(sent_without_answer).status is JobStatus.COMPLETED
    assert world.job(sent_without_answer).provider_job_id == "cloud-1"
    assert len(world.cloud.submissions) == 1


def test_a_cloud_that_can_do_neither_leaves_the_job_in_doubt(world: World, sent_without_answer):
    world.bring_home(world.process())
    job = world.job(sent_without_answer)
    assert (job.status, job.stage) == (JobStatus.CREATED, Stage.IN_DOUBT)
    assert "nobody can tell" in job.why
    assert len(world.cloud.submissions) == 1


def test_a_job_in_doubt_is_not_touched_by_a_cancel(world: World, sent_without_answer):
    process = world.process()
    world.bring_home(process, seconds=60)
    world.jobs().cancel(sent_without_answer.id, caller=ME)
    world.bring_home(process, seconds=60)
    assert world.job(sent_without_answer).stage is Stage.IN_DOUBT
    assert world.job(sent_without_answer).shown_status == "CANCELLING"


def test_a_submission_that_never_left_is_sent_once_its_tag_stays_absent(world: World, monkeypatch):
    world.cloud.finds_by_tag = True
    job = world.submit()

    def die(self, submission):
        monkeypatch.undo()
        raise Killed

    monkeypatch.setattr(type(world.cloud), "submit", die)
    process = world.process()
    process.run(Duty.PREPARE)
    with pytest.raises(Killed):
        process.run(Duty.SUBMIT)
    second = world.process()
    world.bring_home(second, seconds=60)
    assert world.cloud.submissions == [], "the visibility delay and the send deadline have not both passed"
    world.bring_home(second)
    assert world.job(job).status is JobStatus.COMPLETED
    assert len(world.cloud.submissions) == 1


def rename(world: World, job_id: str) -> None:
    world.jobs().edit(job_id, caller=ME, name="another name")


def cancel(world: World, job_id: str) -> None:
    world.jobs().cancel(job_id, caller=ME)


def boot(world: World, job_id: str) -> None:
    """After a boot the ledger's clock has another beginning, and no wait means anything to it any more."""
    world.ledger._entries[job_id].due_at = 0.0


@pytest.mark.parametrize("disturb", [rename, cancel, boot])
def test_a_job_that_is_looked_for_is_not_sent_sooner_for_anything(world: World, sent_without_answer, disturb):
    """The cloud shows it after 30 s; until then whoever looks finds nothing."""
    world.cloud.finds_by_tag = True
    process = world.process()
    world.bring_home(process, seconds=20)
    assert world.job(sent_without_answer).stage is Stage.SEARCHING
    disturb(world, sent_without_answer.id)
    world.bring_home(process, seconds=5)
    assert world.job(sent_without_answer).stage is Stage.SEARCHING
    world.bring_home(process)
    assert world.job(sent_without_answer).is_final
    assert world.job(sent_without_answer).provider_job_id == "cloud-1"
    assert len(world.cloud.submissions) == 1


def test_a_process_that_was_stopped_beyond_its_lease_does_not_send(world: World, monkeypatch):
    job = world.submit()
    stopped = world.process()
    stopped.run(Duty.PREPARE)
    save = type(world.ledger).save

    def sleep_after_intent(self, changes, **kwargs):
        won = save(self, changes, **kwargs)
        if changes[0].after.stage is Stage.SUBMITTING:
            world.clock.advance(60)
        return won

    monkeypatch.setattr(type(world.ledger), "save", sleep_after_intent)
    stopped.run(Duty.SUBMIT)
    monkeypatch.undo()
    assert world.cloud.submissions == []
    world.cloud.finds_by_tag = True
    world.bring_home(world.process())
    assert world.job(job).status is JobStatus.COMPLETED
    assert len(world.cloud.submissions) == 1


def test_a_receipt_that_comes_after_the_end_is_cleaned_up(world: World, monkeypatch):
    """A process is stopped while it submits; another one adopts the job and brings it home. Then the first goes on,
    writes its receipt, and is killed before it could see that nobody wants it."""
    world.cloud.finds_by_tag = True
    world.cloud.visibility_delay = timedelta(0)
    job = world.submit()
    stopped, second = world.process(), world.process()
    stopped.run(Duty.PREPARE)
    put_receipt = type(world.archive).put_receipt

    def sleep_write_die(archive, job, *, provider_job_id):
        monkeypatch.undo()
        world.bring_home(second, seconds=20)
        assert world.job(job).status is JobStatus.COMPLETED
        put_receipt(archive, job, provider_job_id=provider_job_id)
        raise Killed

    monkeypatch.setattr(type(world.archive), "put_receipt", sleep_write_die)
    with pytest.raises(Killed):
        stopped.run(Duty.SUBMIT)
    world.bring_home(second, seconds=40)
    assert world.job(job).pending_removed
    assert list(world.pending.scan()) == []


def test_two_reconcilers_at_once_submit_each_job_once(world: World):
    jobs = [world.submit() for _ in range(20)]
    first, second = world.process(), world.process()
    for _ in range(60):
        first.run()
        second.run()
        world.clock.advance(2)
    assert {world.job(job).status for job in jobs} == {JobStatus.COMPLETED}
    assert len(world.cloud.submissions) == 20
    assert len(list(world.completed.scan())) == 20


def prepared(world: World):
    job = world.submit()
    process = world.process()
    process.run(Duty.PREPARE)
    return job, process


def test_a_receipt_that_was_stored_before_the_crash_leaves_no_doubt(world: World, monkeypatch):
    job, process = prepared(world)
    save = type(world.ledger).save

    def die(self, changes, **kwargs):
        if changes[0].after.status is JobStatus.QUEUED:
            monkeypatch.undo()
            raise Killed
        return save(self, changes, **kwargs)

    monkeypatch.setattr(type(world.ledger), "save", die)
    with pytest.raises(Killed):
        process.run(Duty.SUBMIT)
    world.bring_home(world.process())
    assert world.job(job).status is JobStatus.COMPLETED
    assert len(world.cloud.submissions) == 1


def test_an_answer_that_nobody_understands_is_not_taken_for_a_no(world: World, monkeypatch):
    job, process = prepared(world)
    take = type(world.cloud).take

    def take_and_babble(self, submission):
        take(self, submission)
        raise InternalError("the cloud answered with a poem")

    monkeypatch.setattr(type(world.cloud), "take", take_and_babble)
    world.bring_home(process, seconds=60)
    assert world.job(job).stage is Stage.IN_DOUBT
    assert len(world.cloud.submissions) == 1


def test_what_a_process_is_sending_is_not_rescued_by_itself(world: World, monkeypatch):
    job, process = prepared(world)
    take = type(world.cloud).take

    def take_while_the_other_duties_run(self, submission):
        assert process.run(Duty.RESCUE) == 0
        return take(self, submission)

    monkeypatch.setattr(type(world.cloud), "take", take_while_the_other_duties_run)
    process.run(Duty.SUBMIT)
    assert world.job(job).status is JobStatus.QUEUED


def test_a_lease_that_lapsed_while_the_request_was_read_sends_nothing(world: World, monkeypatch):
    job, process = prepared(world)
    get = type(world.pending).get

    def read_slowly(self, key):
        world.clock.advance(60)
        return get(self, key)

    monkeypatch.setattr(type(world.pending), "get", read_slowly)
    process.run(Duty.SUBMIT)
    monkeypatch.undo()
    assert world.cloud.submissions == []
    assert world.job(job).stage is Stage.WAITING


def test_a_sender_that_wakes_up_when_all_is_over_leaves_nothing_in_pending(world: World, monkeypatch):
    world.cloud.takes_key = True
    job, sleeper = prepared(world)
    create = type(world.pending).create

    def sleep_before_the_receipt(self, key, data):
        if "receipt" in key:
            monkeypatch.undo()
            world.clock.advance(60)
            world.bring_home(world.process())
            assert world.job(job).pending_removed
        return create(self, key, data)

    monkeypatch.setattr(type(world.pending), "create", sleep_before_the_receipt)
    sleeper.run(Duty.SUBMIT)
    assert world.job(job).status is JobStatus.COMPLETED
    assert list(world.pending.scan()) == []
    assert len(world.cloud.submissions) == 1


def test_a_receipt_of_an_attempt_that_was_lost_goes_with_the_others(world: World):
    world.cloud.repeatable, world.cloud.paid = True, False
    job = world.submit()
    process = world.process()
    process.run(Duty.PREPARE, Duty.SUBMIT)
    process.run(Duty.SUBMIT)
    world.cloud.script.forget_all = True
    process.run(Duty.POLL)
    assert (world.job(job).status, world.job(job).attempt) == (JobStatus.CREATED, 2)
    world.jobs().cancel(job.id, caller=ME)
    world.bring_home(process)
    assert world.job(job).status is JobStatus.CANCELLED
    assert list(world.pending.scan()) == []
