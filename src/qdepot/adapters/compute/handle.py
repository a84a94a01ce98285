"""What a caller holds of a task."""

from __future__ import annotations

import copy
import logging
import threading
import time
from collections.abc import Callable

from qdepot.errors import QDepotError, TaskCancelledError
from qdepot.ports.compute_pool import Payload

_log = logging.getLogger(__name__)

Outcome = Payload | QDepotError


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
        self._ended = threading.Event()
        self._started = False
        self._outcome: Outcome | None = None
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
        """Stop it; see the port."""
        stop = self._on_cancel
        if not self.done:
            self._end(TaskCancelledError("the task was cancelled before it started"), if_waiting=True)
            stop()

    @property
    def started(self) -> bool:
        """True once it was begun."""
        return self._started

    @property
    def done(self) -> bool:
        """True once it has ended."""
        return self._ended.is_set()

    @property
    def run_s(self) -> float:
        """Seconds since it was begun, until it ended."""
        with self._lock:
            if self._began_at is None:
                return 0.0
            return (self._monotonic() if self._ended_at is None else self._ended_at) - self._began_at

    def on_done(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once it has ended; see the port."""
        with self._lock:
            if self._outcome is None:
                self._callbacks.append(callback)
                return
        _call(callback)

    def begin(self) -> bool:
        """Mark it as started; False if it has ended already and must not start."""
        with self._lock:
            self._started = self._outcome is None
            if self._started:
                self._began_at = self._monotonic()
            return self._started

    def finish(self, outcome: Outcome) -> None:
        """End it. Only the first call counts."""
        self._end(outcome, if_waiting=False)

    def _end(self, outcome: Outcome, *, if_waiting: bool) -> None:
        with self._lock:
            if self._outcome is not None or (if_waiting and self._started):
                return
            self._outcome = outcome
            self._ended_at = self._monotonic()
            callbacks, self._callbacks = self._callbacks, []
            self._on_cancel = _nothing  # a handle that is kept for its result keeps nothing else alive
            self._ended.set()
        for callback in callbacks:
            _call(callback)


def _nothing() -> None:
    """Done is done."""


def _call(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:
        _log.exception("pool_callback_failed")
