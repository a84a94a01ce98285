"""The reconciler: its duties, in a loop or once."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence

from qdepot.domain.job import Duty
from qdepot.ports.provider import Announces, Provider, RunsHere
from qdepot.reconciler.cleaner import Cleaner
from qdepot.reconciler.collector import Collector
from qdepot.reconciler.desk import Desk
from qdepot.reconciler.keeper import Keeper
from qdepot.reconciler.loop import Loop, OnePass, RunsOnce
from qdepot.reconciler.poller import Poller
from qdepot.reconciler.preparer import Preparer
from qdepot.reconciler.rescuer import Rescuer
from qdepot.reconciler.submitter import Submitter
from qdepot.wiring.limits import check_limits, project_limits
from qdepot.wiring.parts import Parts


def build_duties(parts: Parts, *, holder: str) -> tuple[list[tuple[Duty, RunsOnce]], Keeper]:
    """The duties of a process that holds leases under the name ``holder``.

    What talks to a provider is there once per provider, so that a slow one holds up nobody else.
    """
    settings, limits = parts.settings, project_limits(parts.settings)
    desk = Desk(
        ledger=parts.ledger,
        archive=parts.archive,
        backends=parts.backends,
        clock=parts.clock,
        holder=holder,
        lease_s=settings.lease_s,
        wake=parts.waker.wake,
    )
    cleaner = Cleaner(desk=desk)
    duties: list[tuple[Duty, RunsOnce]] = [(Duty.CLEAN, cleaner)]
    for provider in parts.backends.providers.values():
        preparer = Preparer(
            desk=desk,
            provider=provider,
            checker=parts.pool,
            limits=check_limits(settings),
            max_total_shots=lambda project: limits.of(project).max_total_shots,
        )
        rescuer = Rescuer(desk=desk, provider=provider, send_deadline_s=settings.send_deadline_s)
        duties += [(Duty.PREPARE, preparer), (Duty.RESCUE, rescuer), *_duties_of(provider, desk, cleaner)]
    return duties, Keeper(desk=desk)


def _duties_of(provider: Provider, desk: Desk, cleaner: Cleaner) -> list[tuple[Duty, RunsOnce]]:
    poller = Poller(desk=desk, provider=provider)

    def note_ended(job_ids: Sequence[str]) -> None:
        if job_ids:
            poller.announced.note(job_ids)
            desk.wake({Duty.POLL, Duty.SUBMIT})

    if isinstance(provider, Announces):
        provider.on_change(lambda job_id: note_ended([job_id]))
    collector = Collector(
        desk=desk, provider=provider, cleaner=cleaner, finished=poller.finished, look_again=poller.look_again
    )
    return [
        (Duty.SUBMIT, Submitter(desk=desk, provider=provider, note_ended=note_ended)),
        (Duty.POLL, poller),
        (Duty.COLLECT, collector),
    ]


def build_loop(parts: Parts, *, holder: str) -> Loop:
    """The reconciler as a loop."""
    duties, keeper = build_duties(parts, holder=holder)
    return Loop(
        duties=duties,
        waker=parts.waker,
        keep_leases=keeper.run_once,
        lease_s=parts.settings.lease_s,
        idle_interval_s=parts.settings.idle_interval_s,
    )


def build_one_pass(parts: Parts, *, holder: str) -> tuple[OnePass, Loop]:
    """The reconciler as one pass, and what keeps its leases meanwhile."""
    duties, keeper = build_duties(parts, holder=holder)
    here = [provider for provider in parts.backends.providers.values() if isinstance(provider, RunsHere)]
    one_pass = OnePass(
        duties=[doer for _, doer in duties],
        waker=parts.waker,
        live=lambda: sum(len(provider.live_jobs()) for provider in here),
        monotonic=parts.clock.monotonic,
    )
    lease_s = parts.settings.lease_s
    leases = Loop(duties=(), waker=parts.waker, keep_leases=keeper.run_once, lease_s=lease_s, idle_interval_s=lease_s)
    return one_pass, leases


def new_holder(kind: str) -> str:
    """A name for leases that no other process has."""
    return f"{kind}-{os.getpid()}-{secrets.token_hex(4)}"
