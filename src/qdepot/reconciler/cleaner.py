"""Cleaner: remove the pending objects of jobs whose bundle is stored."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from dataclasses import dataclass, field

from qdepot.domain.job import Duty, Job
from qdepot.errors import QDepotError, UnavailableError
from qdepot.reconciler.desk import Desk, backoff_s
from qdepot.reconciler.isolation import own_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaner:
    """Removes what the pending archive holds of final jobs.

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
        if jobs:
            self._clean(jobs)
        return len(jobs)

    def _clean(self, jobs: Sequence[Job]) -> None:
        shared = {job.request_key for job in jobs if job.request_index is not None}
        try:
            in_use = {key for key in shared if self.desk.ledger.unfinished_with_request(key) > 0}
            self.desk.archive.remove_pending_many(jobs, in_use=in_use, ran_here=self._ran_here(jobs))
        except UnavailableError:
            self.desk.give_back([job.id for job in jobs])
            raise
        except Exception as error:
            if len(jobs) == 1:
                self._put_off(jobs[0], error)
                return
            for job in jobs:
                self._clean([job])
            return
        self.desk.save([job.edited(pending_removed=True) for job in jobs])

    def _put_off(self, job: Job, error: Exception) -> None:
        """The pending objects of a job that cannot be removed stay for a while; the job has ended anyway."""
        own_error(error, job_id=job.id, step="clean up after")
        wait_s = backoff_s(job.failures_in_row)
        self.desk.save([job.edited(retry_in_s=wait_s, failures_in_row=job.failures_in_row + 1)])

    def _ran_here(self, jobs: Sequence[Job]) -> set[str]:
        """Ids of those whose backend is in this process, so that there is less to look for."""
        here = {name for name in {job.backend for job in jobs} if self._is_here(name)}
        return {job.id for job in jobs if job.backend in here}

    def _is_here(self, backend: str) -> bool:
        try:
            return self.desk.backends.get(backend).runs_here
        except QDepotError:  # nobody offers it now
            return False
