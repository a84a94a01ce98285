"""The end of a task, as the handles of pools keep it."""

from __future__ import annotations

import copy
import logging
import threading
from collections.abc import Callable

from qdepot.errors import QDepotError
from qdepot.ports.compute_pool import Payload

_log = logging.getLogger(__name__)

Outcome = Payload | QDepotError
"""What a task gave, or why it gave nothing."""


class TaskEnd:
    """How a task ended: kept for those who ask, told to those who wait. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._outcome: Outcome | None = None
        self._callbacks: list[Callable[[], None]] = []

    @property
    def is_there(self) -> bool:
        """True once the task has ended."""
        return self._ended.is_set()

    def result(self, timeout_s: float | None = None) -> Payload:
        """Wait for it; see :meth:`qdepot.ports.compute_pool.TaskHandle.result`."""
        if not self._ended.wait(timeout_s):
            raise TimeoutError(f"the task has not ended within {timeout_s:g} s; it goes on")
        if isinstance(self._outcome, QDepotError):
            raise copy.copy(self._outcome)  # each caller gets a traceback of its own
        assert self._outcome is not None
        return self._outcome

    def on_done(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once it is there; see :meth:`qdepot.ports.compute_pool.TaskHandle.on_done`."""
        with self._lock:
            if self._outcome is None:
                self._callbacks.append(callback)
                return
        _call(callback)

    def come(self, outcome: Outcome) -> bool:
        """The task has ended; False if it had ended before, which then counts."""
        with self._lock:
            if self._outcome is not None:
                return False
            self._outcome = outcome
            callbacks, self._callbacks = self._callbacks, []
            self._ended.set()
        for callback in callbacks:
            _call(callback)
        return True


def _call(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:
        _log.exception("task_callback_failed")
