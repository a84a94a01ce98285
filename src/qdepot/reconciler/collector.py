"""Collector: bring results into the archive, then, and only then, make their jobs final."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from qdepot.archive.packing import Completion, StoredBundle
from qdepot.archive.request import RequestRecord
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Duty, Job, JobChange, JobStatus, Stage
from qdepot.errors import NotFoundError, QDepotError
from qdepot.ports.provider import Forgets, Provider, RunsHere
from qdepot.reconciler.desk import Desk, failure_of
from qdepot.reconciler.parts import Parts
from qdepot.reconciler.rescuer import RESCUER

COLLECTED_AT_ONCE = 128
"""Jobs whose bundles are written and synced together."""
LEASES_UNTIL_CLEAN = 2
"""After so many leases a process that was stopped has noticed that it lost a job, or is dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What archive and ledger know of a job that ends."""

    request: RequestRecord | QDepotError
    history: Sequence[JobEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """Stores the bundles of jobs that are over, and makes them final.

    Attributes:
        desk: What it works at.
        provider: Whose results it fetches.
    """

    desk: Desk
    provider: Provider

    def run_once(self) -> int:
        """Collect one batch; how many jobs it met."""
        jobs = self.desk.claim(Duty.COLLECT, limit=COLLECTED_AT_ONCE, backends=self.desk.names_of(self.provider))
        ends: list[tuple[Job, Completion]] = []
        parts = Parts(desk=self.desk, provider=self.provider)
        for job, known in self._known(jobs):
            try:
                ends.append((job, self._completion(job, known, parts)))
            except NotFoundError as error:
                self.desk.save([self._lost(job, error)])
            except QDepotError as error:
                self.desk.save([self._later(job, error)])
        self._store(ends)
        return len(jobs)

    def _known(self, jobs: Sequence[Job]) -> list[tuple[Job, _Known]]:
        """Read together what each of them needs."""
        requests = self.desk.requests.of(jobs, last=True)
        histories = self.desk.ledger.histories([job.id for job in jobs]) if jobs else {}
        return [
            (job, _Known(request=request, history=histories[job.id]))
            for job, request in zip(jobs, requests, strict=True)
        ]

    def _completion(self, job: Job, known: _Known, parts: Parts) -> Completion:
        """Everything that belongs into the job's bundle.

        Raises:
            NotFoundError: The result is gone at the backend.
        """
        if isinstance(known.request, QDepotError):
            raise known.request
        wanted = JobStatus.CANCELLED if job.stage is Stage.HELD else job.outcome or JobStatus.COMPLETED
        is_whole = wanted is JobStatus.COMPLETED
        outcome, done = (parts.whole(job), job.num_circuits) if is_whole else parts.leading(job)
        return Completion(
            job=replace(job, circuits_done=done),
            status=wanted,
            failure=job.failure,
            ended_at=self.desk.now(),
            outcome=outcome,
            events=known.history,
            request=known.request,
        )

    def _store(self, ends: Sequence[tuple[Job, Completion]]) -> None:
        try:
            bundles = self.desk.archive.complete_many([completion for _, completion in ends])
        except QDepotError as error:
            self.desk.save([self._later(job, error) for job, _ in ends])
            return
        finals: list[JobChange] = []
        for (job, completion), bundle in zip(ends, bundles, strict=True):
            if isinstance(bundle, QDepotError):
                self.desk.save([self._later(job, bundle)])
            else:
                finals.append(self._final(job, bundle, clean_in_s=self._clean_in_s(completion)))
        saved = self.desk.save(finals)
        if isinstance(self.provider, Forgets):
            for job in saved:
                if job.provider_job_id is not None:
                    self.provider.forget(job.provider_job_id)

    def _later(self, job: Job, error: QDepotError) -> JobChange:
        return self.desk.later(job, error, by="collector", stage=Stage.COLLECTING)

    def _clean_in_s(self, completion: Completion) -> float:
        """How long the pending objects stay.

        Whoever lost a job to the rescuer may still be writing its receipt, and may not live to remove it: so the
        cleaner comes after that.
        """
        was_rescued = any(event.by == RESCUER for event in completion.events)
        return LEASES_UNTIL_CLEAN * self.desk.lease_s if was_rescued else 0.0

    def _final(self, job: Job, bundle: StoredBundle, *, clean_in_s: float) -> JobChange:
        """What the stored bundle says is true, also where an earlier try stored it."""
        return job.moved_to(
            bundle.status,
            Stage.DONE,
            at=bundle.ended_at,
            by="collector",
            why="stored by an earlier try" if bundle.adopted else "stored",
            retry_in_s=clean_in_s,
            outcome=bundle.status,
            failure=bundle.failure,
            result_key=bundle.key,
            result_sha256=bundle.sha256,
            result_size_bytes=bundle.result_size_bytes,
            circuits_done=bundle.circuits_done,
            next_try_at=None,
            failures_in_row=0,
        )

    def _lost(self, job: Job, error: QDepotError) -> JobChange:
        backend = self.desk.backends.get(job.backend)
        if not backend.repeatable:
            why = f"its result is gone at {job.backend}"
            return self.desk.ending(job, JobStatus.FAILED, by="collector", why=why, failure=failure_of(error))
        if isinstance(self.provider, RunsHere):
            self.provider.give_up(job.id)
        return job.moved_to(
            JobStatus.CREATED,
            Stage.WAITING,
            at=self.desk.now(),
            by="collector",
            why=f"{job.backend} lost its result",
            attempt=job.attempt + 1,
            provider_job_id=None,
            vendor_status=None,
            outcome=None,
            **Parts(desk=self.desk, provider=self.provider).intact(job),
        )
