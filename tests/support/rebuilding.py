"""A world whose ledger is lost, and rebuilt from the archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.domain.event import JobEvent
from qdepot.ports.ledger import Ledger
from qdepot.services.rebuild_report import RebuildReport
from qdepot.services.rebuilding import Rebuilding
from support.world import World


def rebuild(world: World, ledger: Ledger, *, merge: bool = False) -> RebuildReport:
    service = Rebuilding(ledger=ledger, archive=world.archive, backends=world.backends, clock=world.clock)
    return service.run(merge=merge)


def without_ledger(world: World) -> tuple[World, RebuildReport]:
    """The same world after its ledger was lost, rebuilt from the archive alone."""
    ledger = MemoryLedger(world.clock)
    report = rebuild(world, ledger)
    return replace(world, ledger=ledger), report


def history(ledger: Ledger, job_id: str) -> Sequence[JobEvent]:
    """Its events, without the numbers that a ledger gives them."""
    return [replace(event, number=0) for event in ledger.events(job_id)]
