"""What the system says of processes."""

from __future__ import annotations

import os
from pathlib import Path

from qdepot.testing.compute_pool import ends, start, wait_until


def is_alive(pid: int) -> bool:
    """True if there is such a process, and it is not only waiting to be reaped."""
    return pid in _parents()


def wait_for_death(*pids: int) -> None:
    """Return once none of the processes is alive."""
    wait_until(lambda: not _parents().keys() & set(pids))


def offspring(pid: int) -> set[int]:
    """All living processes below a process."""
    parents = _parents()
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def open_files() -> int:
    """File descriptors of this process."""
    return len(os.listdir("/proc/self/fd"))


def facts(pool, **where) -> dict:
    """What a child says of itself."""
    return dict(ends(start(pool, "facts", **where)).meta)


def _parents() -> dict[int, int]:
    """The parent of each living process."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state not in "ZX":
            parents[int(folder.name)] = int(parent)
    return parents
