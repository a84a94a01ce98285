"""A world whose ledger is lost, and rebuilt from the archive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Duty, Job
from qdepot.errors import UnavailableError
from qdepot.ports.ledger import Ledger
from qdepot.services.rebuild_report import RebuildReport
from qdepot.services.rebuilding import Rebuilding
from qdepot.testing.ledger.validate import every_job
from support.world import World


def rebuild(world: World, ledger: Ledger, *, merge: bool = False, run_pending: bool = True) -> RebuildReport:
    service = Rebuilding(ledger=ledger, archive=world.archive, backends=world.backends, clock=world.clock)
    return service.run(merge=merge, run_pending=run_pending)


def without_ledger(world: World) -> tuple[World, RebuildReport]:
    """The same world after its ledger was lost, rebuilt from the archive alone."""
    ledger = MemoryLedger(world.clock)
    report = rebuild(world, ledger)
    return replace(world, ledger=ledger), report


def history(ledger: Ledger, job_id: str) -> Sequence[JobEvent]:
    """Its events, without the numbers that a ledger gives them."""
    return [replace(event, number=0) for event in ledger.events(job_id)]


OURS_ALONE = {
    *("version", "request_key", "request_index", "prepared", "queue_position", "last_poll_error", "failures_in_row"),
    *("next_try_at", "pending_removed", "parts"),
}
"""Fields that coordinate work, which nobody misses of a job that has ended."""


def content(job: Job) -> dict[str, object]:
    return {name: getattr(job, name) for name in Job.__dataclass_fields__ if name not in OURS_ALONE}


def ended(world: World, **kwargs) -> Job:
    job = world.submit(**kwargs)
    world.bring_home(world.process(), seconds=20)
    assert world.job(job).is_final
    return world.job(job)


def lose_the_answer(world: World) -> Job:
    """A job that the cloud has, while nobody here knows its id."""
    job = world.submit()
    process = world.process()
    process.run(Duty.PREPARE)
    world.cloud.script.lose_answer = True
    process.run(Duty.SUBMIT)
    world.cloud.script.lose_answer = False
    assert world.cloud.submissions == [f"{job.id}.1"]
    return job


@contextmanager
def ledger_away(world: World) -> Iterator[None]:
    """Requests are stored, and no job comes of them, which nobody knows for sure."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(world.ledger), "add", _away)
        yield


def _away(*_: object) -> None:
    raise UnavailableError("away", details={"maybe_committed": True})


def copy_of(world: World) -> MemoryLedger:
    """A backup of the ledger as it is now."""
    copy = MemoryLedger(world.clock)
    copy.restore([(job, world.ledger.events(job.id)) for job in every_job(world.ledger)])
    return copy
