"""What the children of this service can do."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from qdepot.errors import QDepotError
from qdepot.ports.compute_pool import ComputePool, TaskHandle
from qdepot.ports.operations import describe_task


class About:
    """Versions of the packages that read and run circuits, asked of a child once and kept. Thread-safe.

    Attributes:
        trouble: Why no child could answer when one was asked last; None if that is not so.
    """

    def __init__(self, pool: ComputePool) -> None:
        """Nothing is asked yet."""
        self._pool = pool
        self._lock = threading.Lock()
        self._handle: TaskHandle | None = None
        self._known: Mapping[str, object] = {}
        self.trouble: str | None = None

    def describe(self, *, wait_s: float = 0.0) -> Mapping[str, object]:
        """``packages``, ``qpy_versions``, ``fake_devices`` and ``sandbox``; empty while no child has answered.

        Args:
            wait_s: Longest wait for the first answer, in seconds.
        """
        if self._known:
            return self._known
        with self._lock:
            try:
                self._ask(wait_s)
            except TimeoutError:
                pass
            except QDepotError as error:
                self._handle = None  # asked again at the next call
                self.trouble = error.message
        return self._known

    def _ask(self, wait_s: float) -> None:
        if self._handle is None:
            self._handle = self._pool.submit(describe_task())
        if wait_s or self._handle.done:
            self._known = self._handle.result(timeout_s=wait_s).meta
            self.trouble = None
