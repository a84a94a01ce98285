"""What is about to be sent to a backend elsewhere is in the archive before anything is sent."""

from __future__ import annotations

from collections import Counter

import pytest

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.adapters.providers.aer import AerProvider
from qdepot.archive import layout
from qdepot.archive.archive import Archive
from qdepot.domain.job import Duty, JobStatus, Stage
from qdepot.ports.compute_pool import Limits
from qdepot.testing.compute_pool import wait_until
from qdepot.testing.faulty_store import FaultyStore
from support.world import ME, World, order


@pytest.fixture
def stores(world: World):
    """Both stores of the world, which count and can fail."""
    pending, completed = FaultyStore(world.pending), FaultyStore(world.completed)
    world.archive = Archive(pending=pending, completed=completed)
    return pending, completed


def writes(*stores: FaultyStore) -> int:
    calls = sum((store.calls for store in stores), Counter())
    assert calls["scan"] == 0, "no listing on the way of a job"
    return calls["create"] + calls["create_many"] + calls["replace"]


def keys(world: World) -> list[str]:
    return [info.key for info in world.pending.scan()]


def test_a_job_for_a_cloud_takes_four_writes(world: World, stores):
    job = world.submit()
    world.bring_home(world.process(), seconds=20)
    assert world.job(job).status is JobStatus.COMPLETED
    assert writes(*stores) == 4
    assert keys(world) == []


def test_a_simulation_takes_two_writes(world: World, stores):
    aer = AerProvider(pool=world.pool, limits=Limits(), cores=1, describe=dict)
    world.providers = {"aer": aer}
    job = world.jobs().submit(order(backend="aer"), caller=ME).job
    process = world.process()
    process.run(Duty.SUBMIT)
    [run] = aer._runs.values()
    wait_until(lambda: run.ended)
    world.bring_home(process, seconds=3)
    assert world.job(job).status is JobStatus.COMPLETED
    assert writes(*stores) == 2


def test_the_intent_is_stored_before_the_cloud_hears_of_the_job(world: World, monkeypatch):
    job = world.submit()
    take = type(world.cloud).take
    seen: list[bool] = []

    def look(self, submission):
        seen.append(layout.prepared_key(job) in keys(world))
        return take(self, submission)

    monkeypatch.setattr(type(world.cloud), "take", look)
    world.process().run(Duty.PREPARE, Duty.SUBMIT)
    assert seen == [True]


def test_without_its_intent_in_the_archive_nothing_is_sent(world: World, stores):
    job = world.submit()
    process = world.process()
    process.run(Duty.PREPARE)
    stores[0].fail_next("create")
    process.run(Duty.SUBMIT)
    assert world.cloud.submissions == []
    assert (world.job(job).status, world.job(job).stage) == (JobStatus.CREATED, Stage.WAITING)
    world.bring_home(process, seconds=20)
    assert world.job(job).status is JobStatus.COMPLETED
    assert len(world.cloud.submissions) == 1


def test_a_database_from_an_old_backup_does_not_send_again_what_has_a_receipt(world: World):
    job = world.submit()
    process = world.process()
    process.run(Duty.PREPARE)
    old = MemoryLedger(world.clock)
    old.restore([(world.job(job), world.ledger.events(job.id))])
    process.run(Duty.SUBMIT)
    assert world.job(job).status is JobStatus.QUEUED
    world.ledger = old
    world.bring_home(world.process(), seconds=20)
    assert world.job(job).status is JobStatus.COMPLETED
    assert len(world.cloud.submissions) == 1


def test_a_sender_that_notes_its_intent_when_all_is_over_leaves_nothing_behind(world: World, monkeypatch):
    world.cloud.takes_key = True
    job = world.submit()
    sleeper = world.process()
    sleeper.run(Duty.PREPARE)
    create = type(world.pending).create

    def sleep_before_the_intent(self, key, data):
        if "prepared" in key:
            monkeypatch.undo()
            world.clock.advance(60)
            world.bring_home(world.process())
            assert world.job(job).pending_removed
        return create(self, key, data)

    monkeypatch.setattr(type(world.pending), "create", sleep_before_the_intent)
    sleeper.run(Duty.SUBMIT)
    assert world.job(job).status is JobStatus.COMPLETED
    assert keys(world) == []
    assert len(world.cloud.submissions) == 1
