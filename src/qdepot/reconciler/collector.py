"""Collector: bring results into the archive, then, and only then, make their jobs final."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from qdepot.archive.packing import Completion, StoredBundle
from qdepot.archive.request import RequestRecord
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Duty, Job, JobChange, JobStatus, Stage
from qdepot.errors import NotFoundError, QDepotError
from qdepot.ports.provider import Forgets, Provider, RunsHere
from qdepot.reconciler.cleaner import Cleaner
from qdepot.reconciler.desk import Desk, failure_of
from qdepot.reconciler.finished import Finished
from qdepot.reconciler.parts import Parts
from qdepot.reconciler.rescuer import RESCUER

COLLECTED_AT_ONCE = 128
"""Jobs whose bundles are written and synced together."""
_LEAST_CLAIMED = 8
"""Jobs that are claimed each time, however many the poller hands over: they may have waited for long."""
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
        cleaner: Goes on with those that it has stored.
        finished: What the poller hands over.
        look_again: Told of jobs that are held here and were edited meanwhile.
    """

    desk: Desk
    provider: Provider
    cleaner: Cleaner
    finished: Finished
    look_again: Callable[[Sequence[str]], None]

    def run_once(self) -> int:
        """Collect one batch; how many jobs it met."""
        with self.finished.some(COLLECTED_AT_ONCE) as steps:
            room = max(COLLECTED_AT_ONCE - len(steps), _LEAST_CLAIMED)
            claimed = self.desk.claim(Duty.COLLECT, limit=room, backends=self.desk.names_of(self.provider))
            unsaved = {step.after.id: step for step in steps}
            jobs = [*(step.after for step in steps), *(job for job in claimed if job.id not in unsaved)]
            self._collect(jobs, unsaved)
        return len(jobs)

    def _collect(self, jobs: Sequence[Job], unsaved: Mapping[str, JobChange]) -> None:
        ends: list[tuple[Job, Completion]] = []
        parts = Parts(desk=self.desk, provider=self.provider)
        for job, known in self._known(jobs, unsaved):
            try:
                ends.append((job, self._completion(job, known, parts)))
            except NotFoundError as error:
                self._save([self._lost(job, error)], unsaved)
            except QDepotError as error:
                self._save([self._later(job, error)], unsaved)
        self._store(ends, unsaved)

    def _known(self, jobs: Sequence[Job], unsaved: Mapping[str, JobChange]) -> list[tuple[Job, _Known]]:
        """Read together what each of them needs."""
        requests = self.desk.requests.of(jobs, last=True)
        histories = self.desk.ledger.histories([job.id for job in jobs]) if jobs else {}
        for job_id, step in unsaved.items():
            histories[job_id] += [step.event] if step.event else []
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

    def _store(self, ends: Sequence[tuple[Job, Completion]], unsaved: Mapping[str, JobChange]) -> None:
        try:
            bundles = self.desk.archive.complete_many([completion for _, completion in ends])
        except QDepotError as error:
            self._save([self._later(job, error) for job, _ in ends], unsaved)
            return
        finals: list[JobChange] = []
        for (job, completion), bundle in zip(ends, bundles, strict=True):
            if isinstance(bundle, QDepotError):
                self._save([self._later(job, bundle)], unsaved)
            else:
                finals.append(self._final(job, bundle, clean_in_s=self._clean_in_s(completion)))
        self._end(finals, unsaved)

    def _end(self, finals: Sequence[JobChange], unsaved: Mapping[str, JobChange]) -> None:
        """Make jobs final, and hand them on to be cleaned up after, now or once that is due."""
        now = self._save([change for change in finals if not change.retry_in_s], unsaved, keep_lease=True)
        self.cleaner.hand(now)
        saved = now + self._save([change for change in finals if change.retry_in_s], unsaved)
        if isinstance(self.provider, Forgets):
            for job in saved:
                if job.provider_job_id is not None:
                    self.provider.forget(job.provider_job_id)

    def _save(
        self, changes: Sequence[JobChange], unsaved: Mapping[str, JobChange], *, keep_lease: bool = False
    ) -> list[Job]:
        """Save changes, each behind the step that led to it and is not saved yet."""
        steps = [step for it in changes for step in (unsaved.get(it.before.id), it) if step is not None]

        def on_lost(job_ids: Sequence[str]) -> None:
            self.look_again([job_id for job_id in job_ids if job_id in unsaved])
            if claimed := [job_id for job_id in job_ids if job_id not in unsaved]:
                self.desk.give_back(claimed)

        return self.desk.save(steps, keep_lease=keep_lease, wakes=not keep_lease, on_lost=on_lost)

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
