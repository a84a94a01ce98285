"""One small task among several that go to a child together."""

from __future__ import annotations

from collections.abc import Callable

from qdepot.errors import TaskCancelledError
from qdepot.ports.compute_pool import Payload, Task, TaskHandle
from qdepot.ports.task_end import Outcome, TaskEnd


class Member:
    """A :class:`~qdepot.ports.compute_pool.TaskHandle` of a task that is handed in with others, or alone. Thread-safe.

    Args:
        task: What is to be done.
        on_cancel: Called with this member once it has been cancelled.

    Attributes:
        task: What is to be done.
        carrier: The pool's handle of what carries it; None while it waits.
    """

    def __init__(self, task: Task, *, on_cancel: Callable[[Member], None]) -> None:
        self.task = task
        self.carrier: TaskHandle | None = None
        self._on_cancel = on_cancel
        self._run_s: float | None = None
        self._end = TaskEnd()

    def result(self, timeout_s: float | None = None) -> Payload:
        """Wait for the end; see the port."""
        return self._end.result(timeout_s)

    def cancel(self) -> None:
        """Stop it; see the port. The others of its group are not harmed."""
        if self.finish(TaskCancelledError("the task was cancelled")):
            self._on_cancel(self)

    @property
    def started(self) -> bool:
        """True once a child works on it or on one that it is carried with."""
        return self.done or (self.carrier is not None and self.carrier.started)

    @property
    def done(self) -> bool:
        """True once it has ended."""
        return self._end.is_there

    @property
    def run_s(self) -> float:
        """Seconds that a child has worked on it alone, by the child's word; until that is known, on its group."""
        if self._run_s is not None:
            return self._run_s
        return self.carrier.run_s if self.carrier is not None else 0.0

    def on_done(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once it has ended; see the port."""
        self._end.on_done(callback)

    def finish(self, outcome: Outcome, *, run_s: float | None = None) -> bool:
        """End it; False if it has ended before, which then counts."""
        if not self.done and run_s is not None:
            self._run_s = run_s  # before anybody is told
        return self._end.come(outcome)
