"""What every duty works at: claiming, saving, and handing on."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from qdepot.archive.archive import Archive
from qdepot.domain.job import Duty, Failure, Job, JobChange, JobStatus, Stage
from qdepot.domain.plain_text import plain_text
from qdepot.errors import InternalError, InvalidRequestError, QDepotError, UnavailableError
from qdepot.ports.clock import Clock
from qdepot.ports.ledger import Ledger
from qdepot.ports.provider import Provider
from qdepot.reconciler.requests import Requests
from qdepot.services.backends import Backends

_log = logging.getLogger(__name__)

BATCH = 200
"""Jobs that a duty claims at a time."""

_BACKOFF_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Waits before the tries after the first failure, the second ..., in seconds."""


class InHand:
    """The jobs that this process holds leases on, as it saw them last. Thread-safe."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job | None] = {}
        self._lock = threading.Lock()

    def take(self, jobs: Iterable[Job]) -> None:
        """Remember jobs whose leases are held from now on, or what has become of them."""
        with self._lock:
            self._jobs.update((job.id, job) for job in jobs)

    def drop(self, job_ids: Iterable[str]) -> None:
        """Forget jobs whose leases have ended."""
        with self._lock:
            for job_id in job_ids:
                self._jobs.pop(job_id, None)

    def forget_looks(self, job_ids: Iterable[str]) -> None:
        """Of those of the jobs that are held, forget what they looked like."""
        with self._lock:
            self._jobs.update(dict.fromkeys(self._jobs.keys() & set(job_ids)))

    def looks(self) -> dict[str, Job | None]:
        """The jobs held now, as they were seen last; None for those whose looks were forgotten."""
        with self._lock:
            return dict(self._jobs)

    def drop_lost(self, looks: Mapping[str, Job | None]) -> None:
        """Forget jobs whose leases have ended, but for those that were taken once more since they looked so."""
        with self._lock:
            for job_id, look in looks.items():
                if self._jobs.get(job_id) is look:
                    self._jobs.pop(job_id, None)

    def ids(self) -> list[str]:
        """The jobs held now."""
        with self._lock:
            return list(self._jobs)

    def __len__(self) -> int:
        return len(self._jobs)

    def seen(self, job_ids: Iterable[str]) -> list[Job]:
        """Those of the jobs that are held. Their owner may have edited them since: a save finds out."""
        with self._lock:
            return [job for job_id in job_ids if (job := self._jobs.get(job_id)) is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the duties of one process share.

    Attributes:
        ledger, archive, backends, clock: Where jobs are, and where they go.
        holder: The name under which this process holds leases.
        lease_s: How long a lease lasts without being renewed, in seconds.
        wake: Told which duties have new work.
        in_hand: The jobs that this process holds.
        sending: Those of them that it is handing to a backend right now.
        requests: What they ask for.
    """

    ledger: Ledger
    archive: Archive
    backends: Backends
    clock: Clock
    holder: str
    lease_s: float
    wake: Callable[[Iterable[Duty]], None]
    in_hand: InHand = field(default_factory=InHand)
    sending: InHand = field(default_factory=InHand)
    requests: Requests = field(init=False)

    def __post_init__(self) -> None:
        """Read requests from the archive."""
        object.__setattr__(self, "requests", Requests(self.archive))

    def claim(
        self,
        duty: Duty,
        *,
        limit: int = BATCH,
        job_ids: Sequence[str] | None = None,
        backends: Sequence[str] | None = None,
    ) -> list[Job]:
        """Take jobs that wait for ``duty``; see :meth:`Ledger.claim`."""
        jobs = self.ledger.claim(
            duty, holder=self.holder, lease_s=self.lease_s, limit=limit, job_ids=job_ids, backends=backends
        )
        self.in_hand.take(jobs)
        return jobs

    def save(
        self,
        changes: Sequence[JobChange],
        *,
        keep_lease: bool = False,
        wakes: bool = True,
        on_lost: Callable[[Sequence[str]], None] | None = None,
    ) -> list[Job]:
        """Save changes and wake whoever acts next; the jobs whose changes won, as they are now.

        Of one job there may be several steps, in their order. A change loses if the owner cancelled the job meanwhile
        or the lease lapsed (not by an edit of name or tags): then the job is left as it is and given back, so that its
        duty meets it again.

        Args:
            changes: What is to be saved.
            keep_lease: Hold on to the jobs.
            wakes: False if whoever acts next is told by other means.
            on_lost: What to do about jobs whose change lost, instead of giving them back.
        """
        if not changes:
            return []
        won = self._saved(changes, keep_lease=keep_lease)
        last = {change.after.id: change for change, did_win in zip(changes, won, strict=True) if did_win}
        saved = [change.after for change in last.values()]
        lost = list({change.before.id for change in changes} - last.keys())
        if lost:
            (on_lost or self.give_back)(lost)
        if keep_lease:
            self.in_hand.take(saved)
        else:
            self.in_hand.drop(last)
        if wakes:
            self.wake({duty for it in last.values() if not it.retry_in_s and (duty := it.after.next_duty)})
        return saved

    def _saved(self, changes: Sequence[JobChange], *, keep_lease: bool) -> list[bool]:
        """Per change whether it won. What the ledger cannot hold of one job keeps no other job from being saved."""
        try:
            return self.ledger.save(changes, holder=self.holder, keep_lease=keep_lease)
        except (InvalidRequestError, InternalError) as error:
            job_ids = list(dict.fromkeys(change.before.id for change in changes))
            if len(job_ids) == 1:
                _log.error("job_not_saved job_id=%s message=%s", job_ids[0], error.message)
                return self._saved_without(changes)
        won: dict[str, Iterator[bool]] = {}
        for job_id in job_ids:
            chain = [change for change in changes if change.before.id == job_id]
            won[job_id] = iter(self._saved(chain, keep_lease=keep_lease))
        return [next(won[change.before.id]) for change in changes]

    def _saved_without(self, chain: Sequence[JobChange]) -> list[bool]:
        """Leave a job as it is for a while, since its change cannot be saved."""
        job = chain[0].before
        wait_s = backoff_s(job.failures_in_row)
        self.ledger.save([job.edited(retry_in_s=wait_s, failures_in_row=job.failures_in_row + 1)], holder=self.holder)
        self.in_hand.drop([job.id])
        return [False] * len(chain)

    def allowance(self, provider: Provider, most: int) -> int:
        """How many jobs of a provider may be taken on now; see :class:`~qdepot.services.breaker.Breaker`."""
        return self.backends.breaker(provider.name).allowance(most)

    @contextlib.contextmanager
    def asking(self, provider: Provider) -> Iterator[None]:
        """Around each call to a provider: its breaker learns whether it answered."""
        breaker = self.backends.breaker(provider.name)
        try:
            yield
        except UnavailableError as error:
            breaker.failed(error)
            raise
        except QDepotError:
            breaker.worked()
            raise
        breaker.worked()

    def give_back(self, job_ids: Sequence[str]) -> None:
        """End the leases of jobs that nothing was done with."""
        self.in_hand.drop(job_ids)
        self.ledger.release(holder=self.holder, job_ids=job_ids)

    def still_held(self, job: Job) -> bool:
        """Renew the lease of a job right before something that must not be done twice; False if it is gone."""
        return job.id in self.ledger.renew([job.id], holder=self.holder, lease_s=self.lease_s)

    def now(self) -> datetime:
        """The time of day."""
        return self.clock.now()

    def names_of(self, provider: Provider) -> list[str]:
        """The backends of a provider, as far as they are known."""
        return [backend.name for backend in self.backends.of(provider.name)]

    def provider_of(self, job: Job) -> Provider:
        """The provider of the job's backend. Raises NotFoundError if it is not configured any more."""
        return self.backends.provider_of(job.backend)

    def ending(self, job: Job, outcome: JobStatus, *, by: str, why: str, failure: Failure | None = None) -> JobChange:
        """The job is over but for its bundle: the collector writes that and makes it final."""
        return job.moved_to(
            job.status, Stage.COLLECTING, at=self.now(), by=by, why=why, outcome=outcome, failure=failure
        )

    def later(self, job: Job, error: QDepotError, *, by: str, stage: Stage = Stage.WAITING) -> JobChange:
        """A step did not work and may work later: keep the status, say why, and try again after a growing wait."""
        wait_s = max(backoff_s(job.failures_in_row), error.retry_after_s or 0.0)
        failures = job.failures_in_row + 1
        next_try = self.now() + timedelta(seconds=wait_s)
        if (job.stage, job.why) == (stage, plain_text(error.message)):
            # The same trouble again is no news for the history.
            return job.edited(retry_in_s=wait_s, failures_in_row=failures, next_try_at=next_try)
        return job.moved_to(
            job.status,
            stage,
            at=self.now(),
            by=by,
            why=error.message,
            retry_in_s=wait_s,
            failures_in_row=failures,
            next_try_at=next_try,
        )


def backoff_s(failures_in_row: int) -> float:
    """Seconds to wait after so many failures before this one."""
    return _BACKOFF_S[min(failures_in_row, len(_BACKOFF_S) - 1)]


def failure_of(error: QDepotError) -> Failure:
    """An error as the reason of a failed job."""
    return Failure(
        code=error.code,
        message=plain_text(error.message),
        solution=plain_text(error.solution),
        details=error.details,
    )
