"""Where work on circuits is done: in child processes that may be killed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Protocol

from qdepot.domain.result import Buffer

_LONGEST_S = 1e9  # JSON has no infinity


class Lane(StrEnum):
    """Two queues, so that a quick check never waits behind a long run."""

    CHECK = "check"
    RUN = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one task may use up.

    Attributes:
        time_s: Wall time once it runs, in seconds.
        memory_bytes: Address space beyond what an idle child has.
        cpu_time_s: CPU time of all its threads together, in seconds, to which the system adds up to one; None: what
            all processors can do within ``time_s``, and 10 s.
        file_bytes: Largest file that it may write; 0: none but empty ones. Where a pool closes files, it writes none.
        open_files: Files that it may have open, with the handful that its process needs.
    """

    time_s: float = 3600.0
    memory_bytes: int = 4 * 1024**3
    cpu_time_s: float | None = None
    file_bytes: int = 0
    open_files: int = 64

    def plain(self) -> dict[str, float | None]:
        """As JSON data, of which :meth:`read` makes equal ones; 30 years of time are as good as no limit."""
        return {
            "time_s": min(self.time_s, _LONGEST_S),
            "memory_bytes": self.memory_bytes,
            "cpu_time_s": None if self.cpu_time_s is None else min(self.cpu_time_s, _LONGEST_S),
            "file_bytes": self.file_bytes,
            "open_files": self.open_files,
        }

    @classmethod
    def read(cls, data: object) -> Limits:
        """Those of :meth:`plain`. Raises ValueError for what is none."""
        if not isinstance(data, dict) or data.keys() != {each.name for each in fields(cls)}:
            raise ValueError("these are no limits")
        bad = [name for name, value in data.items() if not isinstance(value, int | float) and name != "cpu_time_s"]
        if bad or not isinstance(data["cpu_time_s"], int | float | None):
            raise ValueError("a limit is a number")
        return cls(**data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """Plain data and bytes: what goes to a child and what comes back.

    Attributes:
        meta: JSON data without NaN and infinities; a few megabytes at most. What is larger belongs into parts.
        parts: Bytes by name. They must not change until the task is done; those of a result are read-only, and large
            ones lie in a mapped file that is gone once nobody holds a view of it.
    """

    meta: Mapping[str, object] = field(default_factory=dict)
    parts: Mapping[str, Buffer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A named operation of the ``quantum`` room on one payload.

    Attributes:
        operation: ``check`` or ``simulate`` (see ``qdepot.quantum.child``).
        payload: What it works on.
        lane: The queue it waits in.
        limits: What it may use up.
        owner: Whose it is; a child never serves two owners without having been replaced in between.
    """

    operation: str
    payload: Payload
    lane: Lane = Lane.RUN
    limits: Limits = field(default_factory=Limits)
    owner: str = "local"


class TaskHandle(Protocol):
    """A task that was handed in."""

    def result(self, timeout_s: float | None = None) -> Payload:
        """Wait for the end.

        Raises:
            TimeoutError: ``timeout_s`` passed; the task goes on.
            InvalidRequestError: The operation refused its input (one of the subclasses, as the child said).
            TimeLimitExceededError: It ran longer, or used more CPU time, than its limit and was killed.
            MemoryLimitExceededError: It needed more memory than its limit.
            ResourceLimitError: It reached another limit, which details name; or its result is too large for the pool.
            WorkerLostError: Its child died for another reason; the task may be handed in again. Details hold
                ``crashed: True`` where native code crashed: then it may be the input's fault, and a retry be in vain;
                ``outage: True`` where no task can be at fault, as after a cut network.
            UnavailableError: What the operation needs is not installed.
            TaskCancelledError: :meth:`cancel` was called.
            InternalError: The operation failed in a way that it should not.
        """
        ...

    def cancel(self) -> None:
        """Stop it: a waiting task never starts, a running one is killed within a second. Late calls do nothing."""
        ...

    @property
    def started(self) -> bool:
        """True once a child works on it (or did)."""
        ...

    @property
    def done(self) -> bool:
        """True once :meth:`result` would not wait."""
        ...

    @property
    def run_s(self) -> float:
        """Seconds that a child has worked on it, so far or in all; waiting does not count."""
        ...

    def on_done(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once it is done, from any thread; at once if it is. It must be quick and not raise."""
        ...


class ComputePool(Protocol):
    """Runs tasks in children of a supervisor process. Thread-safe.

    Nothing that comes from a child is unpickled or evaluated. A task that dies takes no other with it.
    """

    def submit(self, task: Task) -> TaskHandle:
        """Hand in a task; it waits for a free child of its lane.

        Raises:
            UnavailableError: The pool is closed, or its supervisor cannot be started.
            InternalError: The payload is not plain data and bytes.
        """
        ...

    def ready(self, lane: Lane) -> bool:
        """True if an idle or working child of that lane is warm, so that the next task need not wait for a start."""
        ...

    def size(self, lane: Lane) -> int:
        """How many tasks of that lane run at once now; at least 1, also where none can run at present.

        Another figure may hold at any time. It is there at once, and may be asked for in a callback of a handle.
        """
        ...

    def close(self) -> None:
        """Stop all tasks (their handles raise TaskCancelledError) and end all processes. May be repeated."""
        ...
