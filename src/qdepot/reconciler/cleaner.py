"""Cleaner: remove the pending objects of jobs whose bundle is stored."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from dataclasses import dataclass, field

from qdepot.domain.job import Duty, Job
from qdepot.errors import QDepotError, UnavailableError
from qdepot.reconciler.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaner:
    """Moves final jobs out of the pending archive for good.

    Attributes:
        desk: What it works at.
    """

    desk: Desk
    _handed: queue.SimpleQueue[Sequence[Job]] = field(default_factory=queue.SimpleQueue, init=False)

    def hand(self, jobs: Sequence[Job]) -> None:
        """Have jobs cleaned up after that this process holds, which spares the ledger a claim."""
        if jobs:
            self._handed.put(jobs)
            self.desk.wake({Duty.CLEAN})

    def run_once(self) -> int:
        """Clean up after one batch; how many jobs it met."""
        try:
            jobs = self._handed.get_nowait()
        except queue.Empty:
            jobs = self.desk.claim(Duty.CLEAN)
        if not jobs:
            return 0
        shared = {job.request_key for job in jobs if job.request_index is not None}
        try:
            in_use = {key for key in shared if self.desk.ledger.unfinished_with_request(key) > 0}
            self.desk.archive.remove_pending_many(jobs, in_use=in_use, ran_here=self._ran_here(jobs))
        except UnavailableError:
            self.desk.give_back([job.id for job in jobs])
            raise
        self.desk.save([job.edited(pending_removed=True) for job in jobs])
        return len(jobs)

    def _ran_here(self, jobs: Sequence[Job]) -> set[str]:
        """Ids of those whose backend is in this process, so that there is less to look for."""
        here = {name for name in {job.backend for job in jobs} if self._is_here(name)}
        return {job.id for job in jobs if job.backend in here}

    def _is_here(self, backend: str) -> bool:
        try:
            return self.desk.backends.get(backend).runs_here
        except QDepotError:  # nobody offers it now
            return False
