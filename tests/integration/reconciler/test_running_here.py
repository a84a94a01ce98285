"""Jobs of a simulator live with their process, and are given out again when it dies."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest

from qdepot.adapters.providers.aer import AerProvider
from qdepot.archive import layout
from qdepot.archive.bundle import Bundle
from qdepot.domain.job import Duty, JobStatus, Stage
from qdepot.errors import InvalidProgramError, WorkerLostError
from qdepot.ports.compute_pool import Limits, Payload
from qdepot.reconciler.poller import Poller
from qdepot.testing.compute_pool import wait_until
from qdepot.testing.fake_pool import FunctionPool
from support.world import ME, World, check, order, simulate


def aer(world: World, *, pool: FunctionPool | None = None) -> AerProvider:
    return AerProvider(pool=pool or world.pool, limits=Limits(), cores=1, describe=dict)


@pytest.fixture
def here(world: World):
    world.providers = {"aer": aer(world)}
    return world


def wait_for(provider: AerProvider):
    wait_until(lambda: all(run.ended for run in provider._runs.values()))


def submit(world: World, source: str = "fine"):
    return world.jobs().submit(order(source, backend="aer"), caller=ME).job


def test_a_simulation_needs_two_writes_to_the_store(here: World):
    job = submit(here)
    process = here.process()
    process.run(Duty.SUBMIT)
    wait_for(here.providers["aer"])
    process.run(Duty.POLL)
    here.clock.advance(1)
    process.run_until_idle()
    assert here.job(job).status is JobStatus.COMPLETED
    assert here.story(job) == [
        "CREATED/waiting",
        "QUEUED/waiting",
        "RUNNING/collecting",
        "COMPLETED/done",
    ]
    assert here.job(job).provider_job_id == f"aer-{job.id}.1"
    assert here.providers["aer"].live_jobs() == []


def test_the_bundle_tells_the_same_history_as_the_ledger_but_for_the_end(here: World):
    job = submit(here)
    process = here.process()
    process.run(Duty.SUBMIT)
    wait_for(here.providers["aer"])
    here.clock.advance(1)
    process.run_until_idle()
    told = Bundle.open(here.completed, layout.bundle_key(job)).document["events"]
    assert [f"{event['to_status']}/{event['stage']}" for event in told] == here.story(job)[:-1]
    assert here.story(job)[-1] == "COMPLETED/done"


def test_jobs_behind_many_others_are_looked_at_later(world: World):
    begins = threading.Event()

    def simulate_later(payload: Payload) -> Payload:
        begins.wait()
        return simulate(payload)

    with closing(FunctionPool({"check": check, "simulate": simulate_later})) as pool:
        world.providers = {"aer": aer(world, pool=pool)}
        process = world.process()
        first = submit(world)
        process.run(Duty.SUBMIT)
        world.clock.advance(0.25)
        process.run(Duty.POLL)
        assert world.job(first).version == 2
        others = [submit(world) for _ in range(40)]
        process.run(Duty.SUBMIT)
        world.clock.advance(0.25)
        process.run(Duty.POLL)
        assert {world.job(job).version for job in others} == {1}
        world.clock.advance(0.25)
        process.run(Duty.POLL)
        assert {world.job(job).version for job in others} == {2}
        begins.set()


def test_another_process_leaves_a_living_process_its_jobs(here: World):
    job = submit(here)
    owner = here.process()
    owner.run(Duty.SUBMIT)
    other = here.process({"aer": aer(here)})
    for _ in range(10):
        here.clock.advance(5)
        owner.keeper.run_once()
        other.run_until_idle()
    assert here.job(job).attempt == 1
    assert here.job(job).status is JobStatus.QUEUED


def test_the_jobs_of_a_process_that_died_run_again_once_its_lease_has_lapsed(here: World):
    job = submit(here)
    here.process().run(Duty.SUBMIT)
    other = here.process({"aer": aer(here)})
    here.clock.advance(16)
    other.run(Duty.POLL)
    assert (here.job(job).status, here.job(job).attempt) == (JobStatus.CREATED, 2)
    other.run(Duty.SUBMIT)
    wait_for(other.desk.backends.providers["aer"])
    here.clock.advance(1)
    other.run_until_idle()
    assert here.job(job).status is JobStatus.COMPLETED
    assert len(list(here.completed.scan())) == 1


def test_a_process_that_slept_through_its_lease_gives_up_its_simulations(here: World):
    submit(here)
    sleeper = here.process()
    sleeper.run(Duty.SUBMIT)
    here.clock.advance(60)
    here.process({"aer": aer(here)}).run(Duty.POLL)
    sleeper.keeper.run_once()
    assert here.providers["aer"].live_jobs() == []


def test_a_worker_that_keeps_dying_fails_the_job_in_the_end(world: World):
    def die(payload):
        raise WorkerLostError("its child died by signal 11")

    with_pool = FunctionPool({"check": check, "simulate": die})
    world.providers = {"aer": aer(world, pool=with_pool)}
    job = submit(world)
    process = world.process()
    for _ in range(30):
        process.run_until_idle()
        wait_for(world.providers["aer"])
        world.clock.advance(1)
    with_pool.close()
    stored = world.job(job)
    assert stored.status is JobStatus.FAILED
    assert stored.attempt == 3
    assert stored.failure is not None
    assert stored.failure.code == "worker_lost"


def test_a_job_outlives_a_worker_that_others_keep_killing(world: World):
    kills = iter(range(6))

    def run(payload):
        if next(kills, None) is not None:
            raise WorkerLostError("ended by SIGKILL", details={"signal": "SIGKILL", "crashed": False})
        return simulate(payload)

    with_pool = FunctionPool({"check": check, "simulate": run})
    world.providers = {"aer": aer(world, pool=with_pool)}
    job = submit(world)
    process = world.process()
    for _ in range(20):
        process.run_until_idle()
        wait_for(world.providers["aer"])
        world.clock.advance(60)
    with_pool.close()
    assert (world.job(job).status, world.job(job).attempt) == (JobStatus.COMPLETED, 7)


def test_a_job_outlives_any_number_of_outages(world: World):
    outages = iter(range(5))

    def run(payload):
        if next(outages, None) is not None:
            raise WorkerLostError("the network was cut", details={"outage": True})
        return simulate(payload)

    with_pool = FunctionPool({"check": check, "simulate": run})
    world.providers = {"aer": aer(world, pool=with_pool)}
    job = submit(world)
    process = world.process()
    for _ in range(20):
        process.run_until_idle()
        wait_for(world.providers["aer"])
        world.clock.advance(60)
    with_pool.close()
    assert (world.job(job).status, world.job(job).attempt) == (JobStatus.COMPLETED, 6)


def test_a_simulation_that_is_refused_fails_with_line_and_column(here: World):
    [submitted] = [submit(here, "fine")]
    record = here.archive.read_request(submitted)
    assert record.program().circuits[0].source == b"fine"
    process = here.process()
    here.providers["aer"]._pool = FunctionPool({"simulate": _refuse})
    process.run(Duty.SUBMIT)
    wait_for(here.providers["aer"])
    here.clock.advance(1)
    process.run_until_idle()
    here.providers["aer"]._pool.close()
    failure = here.job(submitted).failure
    assert failure is not None
    assert failure.details == {"line": 1, "column": 3}
    assert here.job(submitted).stage is Stage.DONE


def _refuse(payload):
    raise InvalidProgramError("line 1, column 3: this is broken", details={"line": 1, "column": 3})


@pytest.mark.parametrize("when", ["before the poller comes", "before it is stored"])
def test_an_edit_just_before_the_end_costs_no_second_run(here: World, when):
    job = submit(here)
    process = here.process()
    process.run(Duty.SUBMIT)
    wait_for(here.providers["aer"])
    [poller] = (duty for _, duty in process.duties if isinstance(duty, Poller))

    def rename(moment):
        if when == moment:
            here.jobs().edit(job.id, caller=ME, name="renamed")

    rename("before the poller comes")
    poller.announced.note([job.id])
    process.run(Duty.POLL)
    rename("before it is stored")
    process.run(Duty.COLLECT)
    final = here.job(job)
    assert (final.status, final.attempt, final.name) == (JobStatus.COMPLETED, 1, "renamed")
    assert [line for line in here.story(job) if line == "CREATED/waiting"] == ["CREATED/waiting"]
