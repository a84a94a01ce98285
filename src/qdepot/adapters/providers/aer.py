"""Aer as a provider: simulations in child processes of this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from qdepot.adapters.providers.aer_backends import PROVIDER, BackendLimits, aer_backends
from qdepot.adapters.providers.aer_gather import Gatherer
from qdepot.adapters.providers.aer_run import Plan, Run
from qdepot.adapters.providers.aer_small import is_small
from qdepot.domain.backend import BackendInfo
from qdepot.domain.fitting import check_fits
from qdepot.domain.job import Failure
from qdepot.domain.result_document import joined, joined_metadata, pieces_of
from qdepot.domain.seeds import seed_of_job
from qdepot.errors import NotFinishedError, NotFoundError, QDepotError
from qdepot.ports.compute_pool import ComputePool, Lane, Limits, Task
from qdepot.ports.operations import simulate_task
from qdepot.ports.provider import Part, ProviderReport, ProviderStatus, RawResult, Submission
from qdepot.ports.settings import Public, Seconds

_WORDS = {
    ProviderStatus.QUEUED: "waiting for a child",
    ProviderStatus.RUNNING: "running",
    ProviderStatus.DONE: "done",
    ProviderStatus.FAILED: "failed",
    ProviderStatus.CANCELLED: "cancelled",
}


class LimitSettings(BaseModel):
    """Limits of one backend; what is left out is as for all.

    Attributes:
        time_limit_s: Longest simulation in seconds.
        memory_bytes: Memory that one simulation may use.
        cpu_time_s: CPU time in seconds that one circuit, or some short ones in a row, may use, all threads together.
        open_files: Files that one simulation may have open.
        file_bytes: Largest file that one simulation may write.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    time_limit_s: Public[Seconds | None] = None
    memory_bytes: Public[PositiveInt | None] = None
    cpu_time_s: Public[Seconds | None] = None
    open_files: Public[int | None] = Field(default=None, ge=16, le=1024)
    file_bytes: Public[NonNegativeInt | None] = None

    def over(self, default: Limits) -> Limits:
        """Limits for all, with these in place of theirs."""
        own = self.model_dump(exclude_none=True)
        if self.time_limit_s is not None:
            own["time_s"] = own.pop("time_limit_s")
        return replace(default, **own)


_SMALL_IN_PLACE_OF_ONE = 8
"""Small jobs that are taken on where one of unknown size would be."""
_KEPT_IN_PLACE_OF_ONE = 16
"""Jobs that are kept where one would run. Results wait here while the archive is away; no more is run for it then."""
_LEAST_DEPTH = 64
"""Jobs that are handed in at a time where no setting says how many, however few run at once."""


class AerSettings(BaseModel):
    """Settings of the provider ``aer``.

    Attributes:
        depth: Jobs that are handed to the child processes at a time; the others wait in the ledger, where any process
            may take them. None: twice as many as run at once, and 64 at least.
        part_interval_s: Results of a job that goes on are stored so often, in seconds: what is lost at most when the
            process dies. A job that is over sooner is stored once, as a whole.
        limits: By name of a backend, limits that differ from those for all.
        exact_sampling: Small circuits without noise are drawn from their exact distribution where nobody asked for
            anything else; false: Aer draws every shot of every job.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    depth: Public[PositiveInt | None] = None
    part_interval_s: Public[Seconds] = 5.0
    limits: Public[dict[str, LimitSettings]] = Field(default_factory=dict)
    exact_sampling: Public[bool] = True


class AerProvider:
    """Runs jobs with Aer through a compute pool.

    Its jobs live in this process: an id of a process that ended is not known any more, and the job is given again,
    behind the circuits whose results are stored. A job without a seed gets one that depends on its id alone, so that
    every attempt gives the same results.
    """

    name = PROVIDER
    Settings = AerSettings

    def __init__(
        self,
        *,
        pool: ComputePool,
        limits: Limits,
        cores: int,
        describe: Callable[[], Mapping[str, object]],
        settings: AerSettings | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is started here.

        Args:
            pool: Where simulations run.
            limits: What one may use up.
            cores: Threads that a large simulation may use.
            describe: What the children can do, ``fake_devices`` among it; empty while that is not known.
            settings: See there.
            monotonic: Seconds that only grow.
        """
        self._pool = pool
        self._gatherer = Gatherer(pool)
        self._cores = cores
        self._describe = describe
        self._settings = settings or AerSettings()
        self._limits = _limits_by_backend(self._settings, limits)
        self._monotonic = monotonic
        self._runs: dict[str, Run] = {}
        self._live = {is_small: set[str]() for is_small in (False, True)}
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[str], None]] = []

    def __repr__(self) -> str:
        return f"AerProvider({len(self._runs)} live jobs)"

    def backends(self) -> Sequence[BackendInfo]:
        """One backend per simulation method, and one per fake device."""
        devices = self._describe().get("fake_devices", {})
        known = tuple(devices.items()) if isinstance(devices, Mapping) else ()
        return aer_backends(known, self._limits)

    def submit(self, submission: Submission) -> str:
        """Start a simulation, or find the one with this tag.

        Raises:
            NotFoundError: There is no such backend.
            InvalidRequestError: It does not take this program.
            UnavailableError: The pool is closed.
        """
        backend = self._backend(submission.backend)
        check_fits(submission.program, options=submission.options, backend=backend)
        provider_job_id = f"aer-{submission.tag}"
        plan = self._plan(submission, backend)
        run = Run(
            plan,
            pool=self._gatherer if plan.is_small else self._pool,
            monotonic=self._monotonic,
            on_news=lambda: self._announce(provider_job_id, run),
        )
        with self._lock:
            if provider_job_id in self._runs:
                return provider_job_id
            self._runs[provider_job_id] = run
            self._live[run.is_small].add(provider_job_id)
        try:
            run.start()
        except QDepotError:
            self.forget(provider_job_id)
            raise
        return provider_job_id

    def status(self, provider_job_id: str) -> ProviderReport:
        """What became of a simulation. Raises NotFoundError for one of another process."""
        run = self._run(provider_job_id)
        ended = run.ended
        if ended is None:
            return _report(ProviderStatus.RUNNING if run.started else ProviderStatus.QUEUED)
        return _report(ended.status, None if ended.error is None else _failure(ended.error))

    def result(self, provider_job_id: str) -> RawResult:
        """The result document and what belongs to it.

        Raises:
            NotFoundError: The simulation is one of another process.
            NotFinishedError: It is not done.
        """
        run = self._run(provider_job_id)
        if run.ended is None or run.ended.status is not ProviderStatus.DONE:
            raise NotFinishedError(f"simulation {provider_job_id} is not done")
        return _whole(run.kept())

    def part(self, provider_job_id: str, *, after: int) -> Part | None:
        """See :meth:`YieldsParts.part <qdepot.ports.provider.YieldsParts.part>`."""
        return self._run(provider_job_id).part(after=after)

    def rest(self, provider_job_id: str, *, after: int) -> Part:
        """See :meth:`YieldsParts.rest <qdepot.ports.provider.YieldsParts.rest>`."""
        return self._run(provider_job_id).rest(after=after)

    def cancel(self, provider_job_id: str) -> None:
        """Stop a simulation, whatever it is doing. Raises NotFoundError for one of another process."""
        self._run(provider_job_id).cancel()

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call ``callback(job_id)`` whenever a simulation has ended, or has results that are worth a part."""
        self._callbacks.append(callback)

    def room(self) -> int:
        """How many more jobs it takes now, if they are small; another one takes the room of several."""
        depth = self._depth()  # not asked for under the lock: the pool may have locks of its own
        with self._lock:
            to_run = _SMALL_IN_PLACE_OF_ONE * (depth - len(self._live[False])) - len(self._live[True])
            to_keep = _KEPT_IN_PLACE_OF_ONE * depth - len(self._runs)
        return min(to_run, to_keep)

    def live_jobs(self) -> Sequence[str]:
        """Our ids of the jobs it has."""
        with self._lock:
            return [run.job_id for run in self._runs.values()]

    def give_up(self, job_id: str) -> None:
        """Stop and forget a job."""
        with self._lock:
            mine = {pid: run for pid, run in self._runs.items() if run.job_id == job_id}
            for provider_job_id, run in mine.items():
                del self._runs[provider_job_id]
                self._live[run.is_small].discard(provider_job_id)
        for run in mine.values():
            run.cancel()

    def forget(self, provider_job_id: str) -> None:
        """Drop the result of a job that is in the archive."""
        with self._lock:
            run = self._runs.pop(provider_job_id, None)
            if run is not None:
                self._live[run.is_small].discard(provider_job_id)

    def close(self) -> None:
        """Stop all simulations."""
        for job_id in self.live_jobs():
            self.give_up(job_id)

    def _announce(self, provider_job_id: str, run: Run) -> None:
        if run.ended is not None:
            with self._lock:
                if self._runs.get(provider_job_id) is run:  # and not a later one with the same tag
                    self._live[run.is_small].discard(provider_job_id)
        for callback in self._callbacks:
            callback(run.job_id)

    def _depth(self) -> int:
        """Large jobs at a time: a second one for each that runs, so that no place is empty until the next is there."""
        return self._settings.depth or max(_LEAST_DEPTH, 2 * self._pool.size(Lane.RUN))

    def _threads(self) -> int:
        """Of a simulation that begins now: those that run beside each other share the processors."""
        at_once = min(self._pool.size(Lane.RUN), len(self._live[False]))
        return max(1, self._cores // max(1, at_once))

    def _run(self, provider_job_id: str) -> Run:
        with self._lock:
            run = self._runs.get(provider_job_id)
        if run is None:
            raise NotFoundError(f"no simulation {provider_job_id} in this process")
        return run

    def _backend(self, name: str) -> BackendInfo:
        for backend in self.backends():
            if backend.name == name:
                return backend
        raise NotFoundError(f"there is no backend {name!r}")

    def _plan(self, submission: Submission, backend: BackendInfo) -> Plan:
        program = submission.program
        seed = submission.options.get("seed")
        options = {**submission.options, "seed": seed_of_job(submission.job_id) if seed is None else seed}
        if not self._settings.exact_sampling:
            options["sampling"] = "aer"

        def task_of(first: int, count: int, limits: Limits) -> Task:
            return simulate_task(
                replace(program, circuits=program.circuits[first : first + count]),
                options=options,
                backend=backend,
                threads=self._threads(),
                owner=submission.owner,
                limits=limits,
                first_circuit=first,
            )

        limits = self._limits_of(submission, backend)
        return Plan(
            job_id=submission.job_id,
            num_circuits=len(program.circuits),
            done=submission.done,
            limits=limits,
            task_of=task_of,
            part_interval_s=self._settings.part_interval_s,
            is_small=is_small(
                submission,
                method=options.get("method") or backend.properties.get("method"),
                device=options.get("noise") or backend.properties.get("device"),
                limit_s=limits.time_s,
            ),
        )

    def _limits_of(self, submission: Submission, backend: BackendInfo) -> Limits:
        most = self._limits.of(backend.name)
        return replace(most, time_s=min(most.time_s, submission.timeout_s or most.time_s))


def _limits_by_backend(settings: AerSettings, default: Limits) -> BackendLimits:
    own = tuple((name, each.over(default)) for name, each in settings.limits.items())
    return BackendLimits(default=default, by_backend=own)


def _report(status: ProviderStatus, failure: Failure | None = None) -> ProviderReport:
    return ProviderReport(status=status, vendor_status=_WORDS[status], failure=failure)


def _failure(error: QDepotError) -> Failure:
    return Failure(code=error.code, message=error.message, solution=error.solution, details=error.details)


def _whole(part: Part) -> RawResult:
    """Results of several tasks as one."""
    if len(part.results) == 1:
        return part.results[0]
    return RawResult(
        format="qdepot",
        document=b"".join(joined(pieces_of(result.document) for result in part.results)),
        members={name: content for result in part.results for name, content in result.members.items()},
        metadata=joined_metadata([result.metadata for result in part.results]),
    )
