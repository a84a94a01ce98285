"""Asking about many jobs takes few calls."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.domain.job import Duty, JobStatus
from qdepot.domain.program import Program
from qdepot.ports.provider import Submission
from qdepot.testing.clock import FrozenClock
from qdepot.testing.jobs import accepted, make_job
from qdepot.testing.scripted import BulkScriptedProvider
from qdepot.testing.scripted_cloud import ScriptedJob
from support.world import World, make_world, order

AT_ONCE = 1000


@pytest.fixture(params=["memory", "sqlite"])
def world(request, tmp_path):
    clock = FrozenClock()
    if request.param == "memory":
        ledger = MemoryLedger(clock)
    else:
        ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db", clock=clock)
    made = make_world()
    made.clock, made.ledger = clock, ledger
    made.providers = {"scripted": BulkScriptedProvider(clock=clock)}
    yield made
    made.pool.close()
    ledger.close()


def fill(world: World, count: int) -> None:
    """Let so many jobs wait at the cloud."""
    program = order().program
    world.cloud.script.words = ("Queued",)
    jobs = [_waiting(number) for number in range(count)]
    for job in jobs:
        world.cloud.add(_at_cloud(job.provider_job_id or "", job.id, program, world))
    for start in range(0, count, AT_ONCE):
        world.ledger.add([accepted(job) for job in jobs[start : start + AT_ONCE]])


def _waiting(number):
    job = make_job(number, backend="scripted_qpu", provider_job_id=f"cloud-{number}")
    return replace(job, status=JobStatus.QUEUED, queued_at=job.created_at)


def _at_cloud(cloud_id: str, job_id: str, program: Program, world: World) -> ScriptedJob:
    submission = Submission(tag=f"{job_id}.1", job_id=job_id, backend="scripted_qpu", program=program)
    return ScriptedJob(id=cloud_id, submission=submission, submitted_at=world.clock.now())


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("waiting", "page_size"), [(2_000, 100), pytest.param(10_000, 500, marks=pytest.mark.slow)])
def test_a_sweep_over_all_jobs_takes_a_call_a_page(world: World, waiting, page_size):
    world.cloud.page_size = page_size
    fill(world, waiting)
    process = world.process()
    met = 0
    while step := process.run(Duty.POLL):
        met += step
    assert met == waiting
    assert world.cloud.calls == {"backends": 1, "statuses": 20}
