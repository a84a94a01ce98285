"""One job on Aer: its circuits in a chain of tasks, so that what is done is not lost with what is not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from qdepot.errors import (
    InternalError,
    NotFoundError,
    QDepotError,
    TaskCancelledError,
    TimeLimitExceededError,
    UnavailableError,
    WorkerLostError,
)
from qdepot.ports.compute_pool import Limits, Payload, Task, TaskHandle
from qdepot.ports.provider import Part, ProviderStatus, RawResult

_TASK_S = 3.0
"""How long a task should take, in seconds: what is lost with a process is no more than that, and what came before it
since the last part."""
_GROWTH = 4
"""A task has at most so many times the circuits of the one before: the next circuits may be heavier than the last."""
_PART_BYTES = 32 * 1024**2
"""Results beyond this size become a part at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be run, and how.

    Attributes:
        job_id: Our id of the job.
        num_circuits: In the whole program.
        done: So many of the leading ones need not be run.
        limits: For all of them together.
        task_of: Makes the task that runs ``count`` circuits, from number ``first`` on, under limits.
        part_interval_s: A part is worth its while so long after the one before.
        is_small: Its tasks may go to a child together with others.
    """

    job_id: str
    num_circuits: int
    done: int
    limits: Limits
    task_of: Callable[[int, int, Limits], Task]
    part_interval_s: float
    is_small: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended: DONE, FAILED with an error, or CANCELLED."""

    status: ProviderStatus
    error: QDepotError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """Circuits that one task ran."""

    first: int
    count: int
    result: RawResult

    @property
    def behind(self) -> int:
        return self.first + self.count

    @property
    def size_bytes(self) -> int:
        buffers = (self.result.document, *self.result.members.values())
        return sum(memoryview(buffer).nbytes for buffer in buffers)


@dataclass(slots=True, kw_only=True)
class _Progress:
    """How far a run has come.

    Attributes:
        begin: The first circuit whose result is kept; what lies before it is stored elsewhere.
        chunks: What is kept, without gaps from ``begin`` on.
        next: The first circuit that was not run.
        used_s: Seconds that tasks ran.
        stored_at: When the part that was stored last was given, or the run began.
        given_at: When a part was given last, stored or not.
        handle: The task that waits or runs.
        cancelled: The run is to end.
        ended: How it ended, None while it goes on.
    """

    begin: int
    next: int
    stored_at: float
    given_at: float
    chunks: list[_Chunk] = field(default_factory=list)
    used_s: float = 0.0
    handle: TaskHandle | None = None
    cancelled: bool = False
    ended: Ended | None = None


class TakesTasks(Protocol):
    """A pool, or what stands before one."""

    def submit(self, task: Task) -> TaskHandle:
        """See :meth:`ComputePool.submit <qdepot.ports.compute_pool.ComputePool.submit>`."""
        ...


class Run:
    """A job in the making. Thread-safe; nothing blocks.

    The first task has one circuit. Each next one has as many as fit into a few seconds, by how long the last took: a
    small job is over after a task or a few, a long one loses little when its process dies.

    Args:
        plan: What to run.
        pool: Where.
        monotonic: Seconds that only grow.
        on_news: Called, from any thread, whenever a part has become worth its while and when all is over; quick.
    """

    def __init__(
        self, plan: Plan, *, pool: TakesTasks, monotonic: Callable[[], float], on_news: Callable[[], None]
    ) -> None:
        self.job_id = plan.job_id
        self._plan = plan
        self._pool = pool
        self._monotonic = monotonic
        self._on_news = on_news
        self._lock = threading.Lock()
        now = monotonic()
        self._at = _Progress(begin=plan.done, next=plan.done, stored_at=now, given_at=now)

    def start(self) -> None:
        """Hand in the first task.

        Raises:
            UnavailableError: The pool is closed.
        """
        if self._plan.done >= self._plan.num_circuits:
            self._end(Ended(status=ProviderStatus.DONE))
        else:
            self._hand_in(1)

    @property
    def is_small(self) -> bool:
        """True if its tasks take next to no room."""
        return self._plan.is_small

    @property
    def ended(self) -> Ended | None:
        """How it ended; None while it goes on."""
        return self._at.ended

    @property
    def started(self) -> bool:
        """True once a child works on it, or did."""
        with self._lock:
            return self._at.next > self._plan.done or (self._at.handle is not None and self._at.handle.started)

    def cancel(self) -> None:
        """End it soon; what is over stays as it is."""
        with self._lock:
            self._at.cancelled = True
            handle = self._at.handle
        if handle is not None:
            handle.cancel()

    def part(self, *, after: int) -> Part | None:
        """What is worth a part by now; see :class:`~qdepot.ports.provider.YieldsParts`."""
        with self._lock:
            self._drop(after)
            is_done = self._at.ended is not None and self._at.ended.status is ProviderStatus.DONE
            if is_done or not self._is_part_due():
                return None
            self._at.given_at = self._monotonic()
            return self._kept()

    def rest(self, *, after: int) -> Part:
        """All that is kept; see :class:`~qdepot.ports.provider.YieldsParts`."""
        with self._lock:
            self._drop(after)
            return self._kept()

    def kept(self) -> Part:
        """All that is kept behind what was last said to be stored."""
        with self._lock:
            return self._kept()

    def _drop(self, after: int) -> None:
        """Forget results that are stored."""
        at = self._at
        if after not in {at.begin, *(chunk.behind for chunk in at.chunks)}:
            raise NotFoundError(
                f"job {self.job_id} has no results here that begin with circuit {after}",
                solution="Run it again behind what is stored.",
            )
        if after > at.begin:
            at.chunks = [chunk for chunk in at.chunks if chunk.first >= after]
            at.begin = after
            at.stored_at = at.given_at

    def _is_part_due(self) -> bool:
        at = self._at
        if not at.chunks:
            return False
        is_time = self._monotonic() - at.stored_at >= self._plan.part_interval_s
        return is_time or sum(chunk.size_bytes for chunk in at.chunks) >= _PART_BYTES

    def _kept(self) -> Part:
        at = self._at
        return Part(
            first=at.begin,
            count=sum(chunk.count for chunk in at.chunks),
            results=tuple(chunk.result for chunk in at.chunks),
        )

    def _hand_in(self, count: int) -> None:
        plan, at = self._plan, self._at
        count = min(count, plan.num_circuits - at.next)
        limits = replace(plan.limits, time_s=plan.limits.time_s - at.used_s)
        handle = self._pool.submit(plan.task_of(at.next, count, limits))
        with self._lock:
            at.handle = handle
            too_late = at.cancelled
        if too_late:
            handle.cancel()
        handle.on_done(lambda: self._go_on(handle, count))

    def _go_on(self, handle: TaskHandle, count: int) -> None:
        """A task has ended: keep what it gave, then the next, or the end."""
        try:
            result = _raw_result(handle.result())
        except QDepotError as error:
            self._end(_ended_by(error, self._plan.limits))
            return
        with self._lock:
            at = self._at
            at.chunks.append(_Chunk(first=at.next, count=count, result=result))
            at.next += count
            at.used_s += handle.run_s
            ended = self._end_behind(at)
            has_news = ended is None and self._is_part_due()
        if ended is not None:
            self._end(ended)
            return
        if has_news:
            self._on_news()
        try:
            self._hand_in(_next_count(count, handle.run_s, at_most_s=self._plan.part_interval_s))
        except UnavailableError as error:
            # Nothing is wrong with the job: it is to go on behind what is done, as after the death of a child.
            lost = WorkerLostError(f"no child takes the next circuits: {error.message}", details=error.details)
            self._end(_ended_by(lost, None))
        except QDepotError as error:
            self._end(_ended_by(error, None))

    def _end_behind(self, at: _Progress) -> Ended | None:
        if at.next >= self._plan.num_circuits:
            return Ended(status=ProviderStatus.DONE)
        if at.cancelled:
            return Ended(status=ProviderStatus.CANCELLED)
        if at.used_s >= self._plan.limits.time_s:
            return _ended_by(TimeLimitExceededError(), self._plan.limits)
        return None

    def _end(self, ended: Ended) -> None:
        with self._lock:
            self._at.ended = ended
            self._at.handle = None
        self._on_news()


def _next_count(count: int, run_s: float, *, at_most_s: float) -> int:
    """How many circuits come next, by how long the last ``count`` took."""
    wanted_s = min(_TASK_S, at_most_s)
    growth = _GROWTH if run_s * _GROWTH <= wanted_s else wanted_s / run_s
    return max(1, int(count * growth))


def _ended_by(error: QDepotError, limits: Limits | None) -> Ended:
    if isinstance(error, TaskCancelledError):
        return Ended(status=ProviderStatus.CANCELLED)
    if isinstance(error, TimeLimitExceededError) and limits is not None and "cpu_time_s" not in error.details:
        # Of the limit of a task only we know; it is what the tasks before it have left.
        error = TimeLimitExceededError(
            f"it ran longer than its limit of {limits.time_s:g} s and was stopped",
            solution="Use fewer circuits or shots, or ask for a higher limit.",
            details={"time_s": limits.time_s},
        )
    return Ended(status=ProviderStatus.FAILED, error=error)


def _raw_result(answer: Payload) -> RawResult:
    members = dict(answer.parts)
    document = members.pop("result.json", None)
    metadata = answer.meta.get("metadata", {})
    if document is None or not isinstance(metadata, Mapping):
        raise InternalError("the child's answer holds no result")
    return RawResult(format="qdepot", document=document, members=members, metadata=metadata)
