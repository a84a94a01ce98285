"""Collector: bring results into the archive, then, and only then, make their jobs final."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from qdepot.archive.packing import Completion, StoredBundle
from qdepot.archive.request import RequestRecord
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Duty, Failure, Job, JobChange, JobStatus, Stage
from qdepot.domain.plain_text import plain_text
from qdepot.domain.result import Outcome, check_shots
from qdepot.errors import NotFoundError, QDepotError, UnavailableError
from qdepot.ports.provider import Forgets, Provider, RunsHere
from qdepot.reconciler.cleaner import Cleaner
from qdepot.reconciler.desk import Desk, backoff_s, failure_of
from qdepot.reconciler.finished import Finished
from qdepot.reconciler.isolation import MOST_TRIES, in_turns, is_lasting, own_error
from qdepot.reconciler.parts import Parts
from qdepot.reconciler.receipt import tidy_up_bundle
from qdepot.reconciler.rescuer import RESCUER

COLLECTED_AT_ONCE = 128
"""Jobs whose bundles are written and synced together."""
_LEAST_CLAIMED = 8
"""Jobs that are claimed each time, however many the poller hands over: they may have waited for long."""
MOST_ATTEMPTS = 20
"""A job whose result was lost so often before it could be stored is given up."""
_UNANSWERED_IN_ROW = 3
_CHECKED_BYTES = 8 * 1024**2
_CHECKED_BYTES_HERE = 64 * 1024
"""A simulator of our own checks each entry itself, in the child; reading large results once more takes long."""
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
            except Exception as error:
                self._put_off(job, own_error(error, job_id=job.id, step="collect"), unsaved)
        # What has failed before is stored by itself, so that it holds up nothing else.
        self._store([end for end in ends if not end[0].failures_in_row], unsaved)
        self._store_apart([end for end in ends if end[0].failures_in_row], unsaved)

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
        outcome, done = (parts.whole(job), job.num_circuits) if is_whole else _leading(job, parts)
        if is_whole and outcome is not None:
            most = _CHECKED_BYTES_HERE if isinstance(self.provider, RunsHere) else _CHECKED_BYTES
            check_shots(outcome.document, known.request.program(), up_to_bytes=most)
        return Completion(
            job=replace(job, circuits_done=done),
            status=wanted,
            failure=job.failure,
            ended_at=self.desk.now(),
            outcome=outcome,
            events=known.history,
            request=known.request,
        )

    def _store(self, ends: Sequence[tuple[Job, Completion]], unsaved: Mapping[str, JobChange]) -> bool:
        """Store bundles and end their jobs; False if the store did not answer."""
        if not ends:
            return True
        bundles: Sequence[StoredBundle | QDepotError]
        try:
            bundles = self.desk.archive.complete_many([completion for _, completion in ends])
        except Exception as error:
            if len(ends) > 1:
                self._store_apart(ends, unsaved)
                return True
            bundles = [own_error(error, job_id=ends[0][0].id, step="store")]
        finals: list[JobChange] = []
        for (job, completion), bundle in zip(ends, bundles, strict=True):
            if isinstance(bundle, QDepotError):
                self._put_off(job, bundle, unsaved)
            else:
                finals.append(self._final(job, bundle, clean_in_s=self._clean_in_s(completion)))
        self._end(finals, unsaved)
        return not all(isinstance(bundle, UnavailableError) for bundle in bundles)

    def _store_apart(self, ends: Sequence[tuple[Job, Completion]], unsaved: Mapping[str, JobChange]) -> None:
        """Store each by itself. Once the store has not answered for some in a row, it is not asked for the others."""
        unanswered = 0
        for end in in_turns(ends, project_of=lambda end: end[0].project):
            if unanswered == _UNANSWERED_IN_ROW:
                self._put_off(end[0], UnavailableError("The archive does not take results at present."), unsaved)
            else:
                unanswered = 0 if self._store([end], unsaved) else unanswered + 1

    def _put_off(self, job: Job, error: QDepotError, unsaved: Mapping[str, JobChange]) -> None:
        """Try again later; a job whose result can never be stored ends without it.

        A job that runs here stays with this process, or its result would be lost with the lease, and made anew.
        """
        if is_lasting(error) and job.outcome is not JobStatus.FAILED and job.failures_in_row + 1 >= MOST_TRIES:
            change = self._unstorable(job, error)
        else:
            change = self._later(job, error)
        self._save([change], unsaved, keep_lease=isinstance(self.provider, RunsHere))

    def _unstorable(self, job: Job, error: QDepotError) -> JobChange:
        failure = Failure(
            code="result_not_stored",
            message=plain_text(f"the result cannot be stored: {error.message}"),
            solution=plain_text(error.solution),
            details={"error": error.code},
        )
        change = self.desk.ending(job, JobStatus.FAILED, by="collector", why=failure.message, failure=failure)
        return replace(change, after=replace(change.after, failures_in_row=job.failures_in_row + 1))

    def _end(self, finals: Sequence[JobChange], unsaved: Mapping[str, JobChange]) -> None:
        """Make jobs final, and hand them on to be cleaned up after, now or once that is due."""
        now = self._save([change for change in finals if not change.retry_in_s], unsaved, keep_lease=True)
        self.cleaner.hand(now)
        saved = now + self._save([change for change in finals if change.retry_in_s], unsaved)
        kept = {job.id for job in saved}
        for change in finals:
            if change.after.id not in kept:
                tidy_up_bundle(self.desk, change.after)
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
            why="stored",
            retry_in_s=clean_in_s,
            outcome=bundle.status,
            failure=bundle.failure,
            result_key=bundle.key,
            result_sha256=bundle.sha256,
            result_size_bytes=bundle.result_size_bytes,
            circuits_done=bundle.circuits_done,
            next_try_at=None,
            failures_in_row=0,
            **self._told(bundle),
        )

    def _told(self, bundle: StoredBundle) -> Mapping[str, Any]:
        """What an adopted bundle says otherwise than the row, which is what a rebuild would say.

        A later run here gave no result, and a cancellation requested after the bundle was stored came too late.
        """
        if isinstance(self.provider, RunsHere):
            return bundle.told
        return {name: value for name, value in bundle.told.items() if name == "cancel_requested"}

    def _lost(self, job: Job, error: QDepotError) -> JobChange:
        backend = self.desk.backends.get(job.backend)
        if not backend.repeatable or job.attempt >= MOST_ATTEMPTS:
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
            retry_in_s=backoff_s(job.attempt - 2) if job.attempt > 1 else 0.0,
            attempt=job.attempt + 1,
            provider_job_id=None,
            vendor_status=None,
            outcome=None,
            **Parts(desk=self.desk, provider=self.provider).intact(job),
        )


def _leading(job: Job, parts: Parts) -> tuple[Outcome | None, int]:
    """What there is of results of a job that ends without all of them; nothing, if that is what cannot be stored.

    Raises:
        UnavailableError: Backend or store do not answer.
    """
    if job.failures_in_row >= MOST_TRIES:
        return None, 0
    try:
        return parts.leading(job)
    except UnavailableError:
        raise
    except Exception as error:
        own_error(error, job_id=job.id, step="read the results of")
        return None, 0
