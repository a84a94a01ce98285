"""Cleaner: remove the pending objects of jobs whose bundle is stored."""

from __future__ import annotations

from dataclasses import dataclass

from qdepot.domain.job import Duty
from qdepot.errors import UnavailableError
from qdepot.reconciler.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaner:
    """Moves final jobs out of the pending archive for good.

    Attributes:
        desk: What it works at.
    """

    desk: Desk

    def run_once(self) -> int:
        """Clean up after one batch; how many jobs it met."""
        jobs = self.desk.claim(Duty.CLEAN)
        cleaned = []
        for job in jobs:
            in_use = job.request_index is not None and self.desk.ledger.unfinished_with_request(job.request_key) > 0
            try:
                self.desk.archive.remove_pending(job, shared_in_use=in_use)
            except UnavailableError:
                self.desk.give_back([job.id])
                raise
            cleaned.append(job.edited(pending_removed=True))
        self.desk.save(cleaned)
        return len(jobs)
