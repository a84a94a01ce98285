"""What a caller holds of a task."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from qdepot.errors import TaskCancelledError
from qdepot.ports.compute_pool import Payload
from qdepot.ports.task_end import Outcome, TaskEnd


class Handle:
    """A :class:`~qdepot.ports.compute_pool.TaskHandle`. Thread-safe.

    A pool calls :meth:`begin` before it starts the task and :meth:`finish` once it has ended; who comes first, the
    start or a cancellation, is decided here.

    Args:
        on_cancel: Stops the task.
        monotonic: Seconds that only grow.
    """

    def __init__(self, *, on_cancel: Callable[[], None], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._on_cancel = on_cancel
        self._monotonic = monotonic
        self._began_at: float | None = None
        self._ended_at: float | None = None
        self._lock = threading.Lock()
        self._end = TaskEnd()

    def result(self, timeout_s: float | None = None) -> Payload:
        """Wait for the end; see the port."""
        return self._end.result(timeout_s)

    def cancel(self) -> None:
        """Stop it; see the port."""
        stop = self._on_cancel
        if not self.done:
            self._finish(TaskCancelledError("the task was cancelled before it started"), if_waiting=True)
            stop()

    @property
    def started(self) -> bool:
        """True once it was begun."""
        return self._began_at is not None

    @property
    def done(self) -> bool:
        """True once it has ended."""
        return self._end.is_there

    @property
    def run_s(self) -> float:
        """Seconds since it was begun, until it ended."""
        with self._lock:
            if self._began_at is None:
                return 0.0
            return (self._monotonic() if self._ended_at is None else self._ended_at) - self._began_at

    def on_done(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once it has ended; see the port."""
        self._end.on_done(callback)

    def begin(self) -> bool:
        """Mark it as started; False if it has ended already and must not start."""
        with self._lock:
            if self._ended_at is not None:
                return False
            self._began_at = self._monotonic()
            return True

    def finish(self, outcome: Outcome) -> None:
        """End it. Only the first call counts."""
        self._finish(outcome, if_waiting=False)

    def _finish(self, outcome: Outcome, *, if_waiting: bool) -> None:
        with self._lock:
            if self._ended_at is not None or (if_waiting and self.started):
                return
            self._ended_at = self._monotonic()
            self._on_cancel = _nothing  # a handle that is kept for its result keeps nothing else alive
        self._end.come(outcome)


def _nothing() -> None:
    """Done is done."""
