"""What a supervisor gives up, and the limits of each child on top of it.

What closes files, system calls and other users to a child is in :mod:`qdepot.quantum.walls`.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import gc
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from qdepot.errors import ResourceLimitError
from qdepot.ports.compute_pool import Limits

CHANNEL_FD = 3
"""Where a child finds its channel to the service."""

_MEMORY_FD = 4
"""Where a child reads what memory it has, once files are closed to it."""

_MEMORY_FILE = "/proc/self/statm"
_SUPERVISOR_FILES = 1024
_CPU_GRACE_S = 10
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWNET = 0x40000000


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a process has, in bytes: address space, and what of it is in RAM."""

    address_space_bytes: int
    resident_bytes: int


def memory() -> Memory:
    """What this child has now, whatever walls were raised since it settled; zeros where the system does not tell."""
    try:
        pages = os.pread(_MEMORY_FD, 200, 0).split()
        page = resource.getpagesize()
        return Memory(address_space_bytes=int(pages[0]) * page, resident_bytes=int(pages[1]) * page)
    except (OSError, ValueError, IndexError):
        return Memory(address_space_bytes=0, resident_bytes=0)


def quieten() -> None:
    """Give up, in the supervisor and all that it will fork, what work on circuits never needs.

    No new privileges, no memory that other processes of this user could read, no core files, few open files, no folder
    for temporary files (libraries that are loaded look for one, and a machine may have none), and no network where the
    system lets this process leave it.
    """
    tempfile.tempdir = os.devnull
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    close_memory()
    _leave_network()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit_files(_SUPERVISOR_FILES)


def close_memory() -> None:
    """Have the kernel refuse that other processes of this user read this one's memory."""
    _prctl(_PR_SET_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Have what a child leaves behind become this process's own children (Linux), so that it can be killed too."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def adopted() -> set[int]:
    """Process ids of all children of this process, with orphans that it adopted; empty where the system does not tell.

    To be called while no other thread forks.
    """
    pid = os.getpid()
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return set()
    return {int(word) for word in text.split()}


def die_with(parent_pid: int) -> None:
    """Be killed when the parent ends (Linux; elsewhere a closed channel is all that tells)."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(1)


def settle(channel_fd: int, complaints_fd: int, *, raise_walls: Callable[[], None]) -> None:
    """Turn a process that was just forked into a child: behind its walls, alone with its channel, in its own session.

    Args:
        channel_fd: Moved to :data:`CHANNEL_FD`.
        complaints_fd: Where native code's complaints go (file descriptor 2).
        raise_walls: Called once nothing needs to be opened any more that the walls may close.
    """
    os.setsid()
    signal.set_wakeup_fd(-1)
    for name in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_DFL)
    kept = {2: _out_of_the_way(complaints_fd), CHANNEL_FD: _out_of_the_way(channel_fd)}
    with contextlib.suppress(OSError):  # not every system has it
        kept[_MEMORY_FD] = _out_of_the_way(os.open(_MEMORY_FILE, os.O_RDONLY))
    raise_walls()
    for number, fd in kept.items():
        os.dup2(fd, number)
    os.closerange(max(kept) + 1, _SUPERVISOR_FILES)
    # File descriptor 2 does not block and may be full; Python code that prints must not notice.
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - stays open as long as the process
    _reseed()


def confine(limits: Limits) -> None:
    """Fix what a child may take before it sees the first circuit; it cannot be undone."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_bytes, limits.file_bytes))
    _limit_files(limits.open_files)
    had = memory().address_space_bytes
    if had:
        allowed = had + limits.memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))


def allow_cpu_time(limits: Limits) -> None:
    """Let the next task burn as much as its limits say.

    Where they leave that open, it is what their wall time on all processors can hold, and a little more: the service
    keeps to the wall time itself, and this stops a child that the service could not.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    usual = limits.time_s * (os.cpu_count() or 1) + _CPU_GRACE_S
    allowed = ceil(used.ru_utime + used.ru_stime + (limits.cpu_time_s or usual))
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    if most == resource.RLIM_INFINITY or allowed < most:
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, most))


def limit_reached(error: BaseException) -> ResourceLimitError | None:
    """The limit on files that an operation failed at, from its error or one that led to it; None if it was another."""
    at: BaseException | None = error
    while at is not None:
        number = at.errno if isinstance(at, OSError) else None
        if number == errno.EMFILE:
            most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            return _reached(f"it opened more files than its limit of {most}", open_files=most)
        if number == errno.EFBIG:
            most, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
            return _reached(f"it wrote a larger file than its limit of {most:,} bytes", file_bytes=most)
        at = at.__cause__ or at.__context__
    return None


def _reached(what: str, **limit: int) -> ResourceLimitError:
    return ResourceLimitError(what, solution="Ask for a higher limit.", details=limit)


def freeze() -> None:
    """Take what is loaded out of the garbage collector's sight, so that children share its pages."""
    gc.collect()
    gc.freeze()


def _limit_files(number: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = number if most == resource.RLIM_INFINITY else min(number, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))


def _leave_network() -> None:
    """Move into a network of its own without interfaces; needs a privilege, without which nothing changes."""
    if sys.platform == "linux":
        ctypes.CDLL(None).unshare(_CLONE_NEWNET)


def _out_of_the_way(fd: int) -> int:
    """A copy of a file descriptor whose number nobody else gets."""
    return fcntl.fcntl(fd, fcntl.F_DUPFD, _SUPERVISOR_FILES // 2)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, *(ctypes.c_ulong(argument) for argument in (value, 0, 0, 0)))


def _reseed() -> None:
    """Children share the state of NumPy's global generator as it was when they were forked."""
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()
