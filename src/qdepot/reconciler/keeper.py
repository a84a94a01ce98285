"""Keeper: extend the leases of work under way, and give up what was lost."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from qdepot.ports.provider import Provider, RunsHere
from qdepot.reconciler.desk import Desk

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Holds this process's leases.

    Attributes:
        desk: What it works at.
    """

    desk: Desk

    def run_once(self) -> int:
        """Renew all leases once; how many are held.

        A job that runs here and whose lease is gone belongs to another process by now (this one was stopped for longer
        than a lease): its run is given up.
        """
        held = self.desk.in_hand.looks()
        ids = list(held)
        renewed = self.desk.ledger.renew(ids, holder=self.desk.holder, lease_s=self.desk.lease_s) if held else set()
        self.desk.in_hand.drop_lost({job_id: look for job_id, look in held.items() if job_id not in renewed})
        for provider in self.desk.backends.providers.values():
            self._give_up(provider, renewed)
        return len(renewed)

    def _give_up(self, provider: Provider, renewed: set[str]) -> None:
        if not isinstance(provider, RunsHere):
            return
        live = provider.live_jobs()  # before the jobs in hand: what is started in between is held, too
        held_now = renewed | set(self.desk.in_hand.ids())
        for job_id in live:
            if job_id not in held_now:
                _log.warning("lease_lost job_id=%s", job_id)
                provider.give_up(job_id)
