"""Results reach the archive once, whatever breaks on the way."""

from __future__ import annotations

import pytest

from qdepot.archive.archive import Archive
from qdepot.domain.job import Duty, JobStatus, Stage
from qdepot.testing.faulty_store import FaultyStore, Moment
from support.world import ME, World, order


class Killed(BaseException):
    """The process dies on this line."""


def until_collecting(world: World):
    world.cloud.script.words = ("Completed",)
    job = world.submit()
    process = world.process()
    process.run(Duty.PREPARE)
    process.run(Duty.SUBMIT)
    process.run(Duty.POLL)
    assert world.job(job).stage is Stage.COLLECTING
    return job, process


def test_a_store_that_is_away_leaves_the_result_at_the_backend_until_it_is_back(world: World):
    store = FaultyStore(world.completed)
    world.archive = Archive(pending=world.pending, completed=store)
    job, process = until_collecting(world)
    store.fail_next("create_many", times=3)
    process.run(Duty.COLLECT)
    assert (world.job(job).status, world.job(job).stage) == (JobStatus.RUNNING, Stage.COLLECTING)
    assert world.job(job).failures_in_row == 1
    world.bring_home(process)
    assert world.job(job).status is JobStatus.COMPLETED


def test_a_bundle_whose_write_was_not_acknowledged_is_adopted(world: World):
    store = FaultyStore(world.completed)
    world.archive = Archive(pending=world.pending, completed=store)
    job, process = until_collecting(world)
    store.fail_next("create_many", Moment.AFTER, times=1)
    world.bring_home(process)
    assert world.job(job).status is JobStatus.COMPLETED
    assert len(list(world.completed.scan())) == 1
    assert world.ledger.events(job.id)[-1].why == "stored"


def test_a_process_killed_between_bundle_and_commit_leaves_one_result(world: World, monkeypatch):
    job, process = until_collecting(world)
    save = type(world.ledger).save

    def die(self, changes, **kwargs):
        if changes and changes[0].after.is_final:
            monkeypatch.undo()
            raise Killed
        return save(self, changes, **kwargs)

    monkeypatch.setattr(type(world.ledger), "save", die)
    with pytest.raises(Killed):
        process.run(Duty.COLLECT)
    assert world.job(job).status is JobStatus.RUNNING
    world.bring_home(world.process())
    assert world.job(job).status is JobStatus.COMPLETED
    assert len(list(world.completed.scan())) == 1
    assert b"".join(world.jobs().result(job.id, caller=ME))


def test_the_pending_copy_goes_only_after_the_end_is_committed(world: World):
    job, process = until_collecting(world)
    process.run(Duty.COLLECT)
    assert world.job(job).status is JobStatus.COMPLETED
    assert [info.key for info in world.pending.scan() if job.id in info.key]
    process.run(Duty.CLEAN)
    assert list(world.pending.scan()) == []
    assert world.job(job).pending_removed


def test_a_request_that_jobs_share_stays_until_the_last_of_them_is_final(world: World):
    submitted = world.jobs().submit_many([order(), order()], caller=ME, atomic=True)
    first, second = (item.job for item in submitted)
    world.jobs().cancel(first.id, caller=ME)
    process = world.process()
    process.desk.backends.all()
    world.cloud.script.away = True
    process.run_until_idle()
    assert world.job(first).status is JobStatus.CANCELLED
    assert any("batch" in info.key for info in world.pending.scan())
    world.cloud.script.away = False
    world.bring_home(process)
    assert world.job(second).status is JobStatus.COMPLETED
    assert list(world.pending.scan()) == []
