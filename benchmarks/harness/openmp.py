"""The same OpenMP settings on both sides of a comparison."""

from __future__ import annotations

import os
import sys


def with_threads(number: int) -> None:
    """Go on only with so many OpenMP threads, which wait passively, as in the service's children.

    OpenMP reads that when it is loaded, so the script is started anew if it was started without.
    """
    wanted = {"OMP_NUM_THREADS": str(number), "OMP_WAIT_POLICY": "PASSIVE"}
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **wanted})


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))
