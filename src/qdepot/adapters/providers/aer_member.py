"""One small task among several that go to a child together."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable

from qdepot.errors import QDepotError, TaskCancelledError
from qdepot.ports.compute_pool import Payload, Task, TaskHandle


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
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._outcome: Payload | QDepotError | None = None
        self._callbacks: list[Callable[[], None]] = []

    def result(self, timeout_s: float | None = None) -> Payload:
        """Wait for the end; see the port."""
        if not self._ended.wait(timeout_s):
            raise TimeoutError(f"the task has not ended within {timeout_s:g} s; it goes on")
        if isinstance(self._outcome, QDepotError):
            raise copy.copy(self._outcome)  # each caller gets a traceback of its own
        assert self._outcome is not None
        return self._outcome

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
        return self._ended.is_set()

    @property
    def run_s(self) -> float:
        """Seconds that a child has worked on it alone, by the child's word; until that is known, on its group."""
        if self._run_s is not None:
            return self._run_s
        return self.carrier.run_s if self.carrier is not None else 0.0

    def on_done(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once it has ended; see the port."""
        with self._lock:
            if self._outcome is None:
                self._callbacks.append(callback)
                return
        callback()

    def finish(self, outcome: Payload | QDepotError, *, run_s: float | None = None) -> bool:
        """End it; False if it has ended before, which then counts."""
        with self._lock:
            if self._outcome is not None:
                return False
            self._outcome = outcome
            self._run_s = run_s
            callbacks, self._callbacks = self._callbacks, []
            self._ended.set()
        for callback in callbacks:
            callback()
        return True
