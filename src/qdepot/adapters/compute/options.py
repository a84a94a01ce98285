"""How a pool of processes is laid out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qdepot.ports.compute_pool import Lane


def processors() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def _children() -> Mapping[Lane, int]:
    return {Lane.CHECK: 1, Lane.RUN: processors()}


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolOptions:
    """How a pool of processes is laid out.

    Attributes:
        children: Most children at work at once, by lane; where all of them are long at work for other owners, as many
            guests come on top.
        threads: Most threads of one simulation; each task may use fewer.
        module: Started as the supervisor: ``python -m MODULE CONTROL_FD SERVICE_PID SANDBOX``.
        sandbox: ``best``: raise the walls that this machine has; ``required``: do no work where files or system calls
            stay open; ``off``: limits of time and memory alone.
        spool_dir: Where large results lie while they are used; None: the system's folder for temporary files.
        in_memory_bytes: Results up to this size lie in the heap, larger ones in a mapped file.
        max_result_bytes: Largest result.
        tasks_per_child: A child is replaced after so many.
        growth_bytes: A child is replaced when it has grown by so much.
    """

    children: Mapping[Lane, int] = field(default_factory=_children)
    threads: int = field(default_factory=processors)
    module: str = "qdepot.quantum.child"
    sandbox: str = "best"
    spool_dir: Path | None = None
    in_memory_bytes: int = 4 * 1024**2
    max_result_bytes: int = 4 * 1024**3
    tasks_per_child: int = 1000
    growth_bytes: int = 256 * 1024**2

    def __post_init__(self) -> None:
        """Check the children.

        Raises:
            ValueError: A lane has none.
        """
        idle = [lane.value for lane in Lane if self.children.get(lane, 0) < 1]
        if idle:
            raise ValueError(f"each lane needs at least one child; none has: {', '.join(idle)}")
