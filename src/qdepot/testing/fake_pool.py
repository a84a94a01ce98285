"""A compute pool without processes, for tests of what uses one."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from qdepot.adapters.compute.fair_queue import FairQueue
from qdepot.adapters.compute.handle import Handle
from qdepot.domain.framing import Frame, FrameDecoder, encoded
from qdepot.errors import (
    InternalError,
    InvalidRequestError,
    MemoryLimitExceededError,
    QDepotError,
    ResourceLimitError,
    TaskCancelledError,
    TimeLimitExceededError,
    UnavailableError,
)
from qdepot.ports.compute_pool import Lane, Payload, Task, TaskHandle
from qdepot.ports.task_end import Outcome

_NO_LIMIT = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Run:
    number: int
    task: Task
    handle: Handle


@dataclass(slots=True, kw_only=True)
class _Line:
    """A lane: what waits and what runs."""

    queue: FairQueue[_Run] = field(default_factory=FairQueue)
    running: set[_Run] = field(default_factory=set)


class FunctionPool:
    """A :class:`~qdepot.ports.compute_pool.ComputePool` that calls functions in threads of this process.

    It keeps the promises on queues, errors, cancellation and time limits. A function that is stopped is abandoned: it
    runs to its end in the background and nobody hears of it. There are no memory limits, and a function that ends the
    process ends the test.

    Args:
        operations: What tasks can name.
        size: Tasks at once in each lane, until :meth:`resize`.
        monotonic: By which clock it is measured how long tasks run; their limits keep to the real one.

    Attributes:
        warm: What :meth:`ready` says while the pool is open.
    """

    def __init__(
        self,
        operations: Mapping[str, Callable[[Payload], Payload]],
        *,
        size: int = 2,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.warm = True
        self._monotonic = monotonic
        self._operations = dict(operations)
        self._size = size
        self._closed = False
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._lines = {lane: _Line() for lane in Lane}

    def submit(self, task: Task) -> TaskHandle:
        """Hand in a task; see the port."""
        sent = _over_the_wire(task.payload)
        handle = Handle(
            on_cancel=lambda: self._stop(run, TaskCancelledError("the task was cancelled while it ran")),
            monotonic=self._monotonic,
        )
        run = _Run(number=next(self._numbers), task=replace(task, payload=sent), handle=handle)
        with self._lock:
            if self._closed:
                raise UnavailableError("the pool of functions is closed", solution="Make a new one.")
            self._lines[task.lane].queue.add(task.owner, run.number, run)
        self._start_waiting(task.lane)
        return handle

    def ready(self, lane: Lane) -> bool:
        """True while the pool is open and ``warm``."""
        return self.warm and not self._closed and lane in self._lines

    def size(self, lane: Lane) -> int:
        """The same in each lane; see the port."""
        return self._size

    def resize(self, size: int) -> None:
        """Do so many tasks at once in each lane from now on, as a cluster that workers join or leave."""
        self._size = size
        for lane in self._lines:
            self._start_waiting(lane)

    def close(self) -> None:
        """Stop all tasks; see the port. Functions that run are abandoned."""
        with self._lock:
            self._closed = True
            runs = [run for line in self._lines.values() for run in line.running]
            for line in self._lines.values():
                while line.queue:
                    runs.append(line.queue.take())
        for run in runs:
            self._stop(run, TaskCancelledError("the pool was closed"))

    def _start_waiting(self, lane: Lane) -> None:
        """Start as many tasks as there is room for."""
        line = self._lines[lane]
        with self._lock:
            while line.queue and len(line.running) < self._size:
                run = line.queue.take()
                if run.handle.begin():
                    line.running.add(run)
                    threading.Thread(target=self._work, args=(run,), name=run.task.operation, daemon=True).start()

    def _work(self, run: _Run) -> None:
        limits = run.task.limits
        error = TimeLimitExceededError(
            f"it ran longer than its limit of {limits.time_s:g} s", details={"time_s": limits.time_s}
        )
        timer = threading.Timer(min(limits.time_s, threading.TIMEOUT_MAX), lambda: self._stop(run, error))
        timer.daemon = True
        timer.start()
        outcome = self._outcome(run.task)
        timer.cancel()
        self._stop(run, outcome)

    def _stop(self, run: _Run, outcome: Outcome) -> None:
        """End a task that waits or runs, and give its place to the next."""
        line = self._lines[run.task.lane]
        with self._lock:
            line.running.discard(run)
            line.queue.remove(run.task.owner, run.number)
        run.handle.finish(outcome)
        self._start_waiting(run.task.lane)

    def _outcome(self, task: Task) -> Outcome:
        try:
            return _over_the_wire(self._operations[task.operation](task.payload))
        except (InvalidRequestError, ResourceLimitError, UnavailableError) as error:
            return _plain(error)
        except MemoryError:
            return MemoryLimitExceededError(details={"memory_bytes": task.limits.memory_bytes})
        except BaseException as error:  # as in a child: whatever it is, it is the end of this task alone
            return InternalError(f"the operation failed with {type(error).__name__}")


def _over_the_wire(payload: Payload) -> Payload:
    """A payload as another process would see it."""
    decoder = FrameDecoder(max_body_bytes=_NO_LIMIT)
    frames = [
        frame
        for piece in encoded(Frame(kind="payload", meta=payload.meta, parts=payload.parts))
        for frame in decoder.feed(piece)
    ]
    return Payload(meta=frames[0].meta, parts=frames[0].parts)


def _plain(error: QDepotError) -> QDepotError:
    """An error as another process would report it: its cause is gone, its details are plain data."""
    details = json.loads(json.dumps(error.details))
    return type(error)(error.message, solution=error.solution, details=details)
