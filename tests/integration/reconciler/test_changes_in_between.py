"""What an owner does between a duty's claim and its save, or a lost lease in between: no trace of the race is left.

The other tests change a job before or after a duty, never within it; and the torture run did not edit, cancel or delete
at all, so that neither could see a run that was cancelled because its start had not been saved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

import pytest

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.adapters.providers.aer import AerProvider
from qdepot.archive import layout
from qdepot.domain.job import Duty, Job, JobChange, JobStatus, Stage
from qdepot.ports.compute_pool import Limits
from qdepot.testing.compute_pool import wait_until
from qdepot.testing.fake_pool import FunctionPool
from qdepot.testing.jobs import ended
from support.rebuilding import without_ledger
from support.world import ME, World, check, order, simulate

BACKENDS = ["aer", "scripted_qpu"]


class Interrupted(MemoryLedger):
    """A ledger in which something happens right before a duty's save, as often as is wanted."""

    def __init__(self, clock) -> None:
        super().__init__(clock)
        self.before_save: Callable[[Job], object] | None = None
        self.times = 0
        self.at: list[int] | None = None

    def save(self, changes: Sequence[JobChange], *, holder: str | None = None, keep_lease: bool = False) -> list[bool]:
        if holder is not None and self.before_save is not None:
            self.times += 1
            if self.at is None or self.times in self.at:
                interrupt, self.before_save = self.before_save, None  # what it does itself is not interrupted
                for job_id in dict.fromkeys(change.before.id for change in changes):
                    interrupt(self.get(job_id))
                self.before_save = interrupt
        return super().save(changes, holder=holder, keep_lease=keep_lease)


@pytest.fixture
def world(world: World):
    world.ledger = Interrupted(world.clock)
    pool = FunctionPool({"check": check, "simulate": simulate})
    with closing(pool):
        world.providers["aer"] = AerProvider(pool=pool, limits=Limits(), cores=1, describe=dict)
        yield world


def submitted(world: World, backend: str) -> Job:
    return world.jobs().submit(order(backend=backend), caller=ME).job


def brought_home(world: World, job: Job) -> Job:
    process, aer = world.process(), world.providers["aer"]
    for _ in range(300):
        if world.job(job).pending_removed:
            break
        process.run_until_idle()
        wait_until(lambda: all(run.ended for run in aer._runs.values()))
        world.clock.advance(1)
        process.keeper.run_once()
    return world.job(job)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_edit_before_every_save_makes_no_duty_repeat_anything(world: World, backend):
    counted: list[int] = []

    def edit(job: Job) -> None:
        counted.append(1)
        world.jobs().edit(job.id, caller=ME, name=f"name {len(counted)}", tags=[f"tag {len(counted)}"])

    job = submitted(world, backend)
    world.ledger.before_save = edit
    home = brought_home(world, job)
    world.ledger.before_save = None
    assert (home.status, home.attempt, home.cancel_requested) == (JobStatus.COMPLETED, 1, False)
    assert (home.name, home.tags) == (f"name {len(counted)}", (f"tag {len(counted)}",))
    told = [event for event in world.ledger.events(job.id) if event.by != ME.user]
    without = submitted(world, backend)
    brought_home(world, without)
    plain = world.ledger.events(without.id)
    assert [(it.to_status, it.stage, it.by) for it in told] == [(it.to_status, it.stage, it.by) for it in plain]
    assert world.archive.read_edits(home)[-1].name == home.name


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("nth", range(1, 6))
def test_a_lease_that_is_lost_before_a_save_ends_no_job_otherwise_than_asked(world: World, backend, nth):
    world.ledger.at = [nth]
    world.ledger.before_save = lambda job: world.clock.advance(16)
    home = brought_home(world, submitted(world, backend))
    assert home.status is JobStatus.COMPLETED, home.why


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("nth", range(1, 6))
def test_a_cancel_before_any_save_is_seen(world: World, backend, nth):
    world.ledger.at = [nth]
    world.ledger.before_save = lambda job: job.is_final or world.jobs().cancel(job.id, caller=ME)
    home = brought_home(world, submitted(world, backend))
    assert home.status in {JobStatus.CANCELLED, JobStatus.COMPLETED}
    assert home.cancel_requested or world.ledger.times < nth or home.status is JobStatus.COMPLETED
    if nth == 1:
        assert home.status is JobStatus.CANCELLED


def test_a_start_that_was_not_saved_leaves_no_run_behind(world: World):
    """Also not one that looks cancelled: the next start has the same tag, and would find it."""
    job = submitted(world, "aer")
    process = world.process()
    world.ledger.before_save = lambda job: world.clock.advance(16)
    process.run(Duty.SUBMIT)
    world.ledger.before_save = None
    assert world.providers["aer"].live_jobs() == []
    assert world.job(job).status is JobStatus.CREATED
    home = brought_home(world, job)
    assert (home.status, home.attempt) == (JobStatus.COMPLETED, 1)


def test_of_a_job_that_was_ended_and_deleted_meanwhile_no_bundle_is_left(world: World):
    """The process was stopped while it stored the bundle; another one was faster, and the owner deleted the job."""
    job = submitted(world, "scripted_qpu")

    def end_and_delete(seen: Job) -> None:
        if seen.stage is Stage.COLLECTING:
            assert world.ledger.save([ended(seen)]) == [True]
            world.jobs().delete(job.id, caller=ME)
            world.completed.create(layout.bundle_key(seen), bundle[0])

    bundle: list[bytes] = []
    create_many = type(world.completed).create_many

    def remember(store, objects):
        bundle[:] = [bytes(content) for _, content in objects]
        return create_many(store, objects)

    world.ledger.before_save = end_and_delete
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(world.completed), "create_many", remember)
        process = world.process()
        for _ in range(30):
            process.run_until_idle()
            world.clock.advance(1)
    assert bundle, "the bundle was never stored"
    assert [info.key for info in world.completed.scan()] == [layout.tombstone_key(job)]


def test_a_cancel_behind_the_stored_bundle_is_what_a_rebuild_says_too(world: World):
    job = submitted(world, "scripted_qpu")
    world.ledger.before_save = lambda seen: seen.stage is Stage.COLLECTING and world.jobs().cancel(seen.id, caller=ME)
    world.ledger.at = None
    home = brought_home(world, job)
    world.ledger.before_save = None
    assert home.status is JobStatus.COMPLETED
    rebuilt, _ = without_ledger(world)
    assert rebuilt.job(job).cancel_requested == home.cancel_requested
