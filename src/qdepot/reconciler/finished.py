"""Jobs that are done here, on their way from the poller to the collector."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence

from qdepot.domain.job import JobChange


class Finished:
    """Jobs whose runs in this process are done, each with the step that says so, which is not saved. Thread-safe.

    That a job is done here helps nobody who does not have its result: so the step is saved together with the end, once
    the bundle is stored. A process that dies before leaves the job as one that runs, and it is run again.
    """

    def __init__(self) -> None:
        self._steps: dict[str, JobChange] = {}
        self._lock = threading.Lock()

    def put(self, steps: Iterable[JobChange]) -> None:
        """Hand jobs to the collector."""
        with self._lock:
            for step in steps:
                self._steps.setdefault(step.after.id, step)

    def ids(self) -> frozenset[str]:
        """Jobs that the collector has, or will have."""
        with self._lock:
            return frozenset(self._steps)

    @contextlib.contextmanager
    def some(self, most: int) -> Iterator[Sequence[JobChange]]:
        """The first of the jobs; afterwards they are forgotten here, whether or not something became of them."""
        with self._lock:
            steps = list(self._steps.values())[:most]
        try:
            yield steps
        finally:
            with self._lock:
                for step in steps:
                    del self._steps[step.after.id]
