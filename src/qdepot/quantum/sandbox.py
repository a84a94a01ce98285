"""The walls around work on circuits: what a supervisor gives up for good, and each child on top of it.

Further walls (Landlock, seccomp, another user) belong into :func:`quieten` if they hold for all children, and into
:func:`confine` if they depend on the task.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import signal
import sys
from dataclasses import dataclass
from math import ceil
from pathlib import Path

CHANNEL_FD = 3
"""Where a child finds its channel to the service."""

_SUPERVISOR_FILES = 1024
_CHILD_FILES = 64
_CPU_GRACE_S = 10
_LONGEST_S = 1e9
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
    """What this process has now; zeros where the system does not tell."""
    try:
        fd = os.open("/proc/self/statm", os.O_RDONLY)
    except OSError:
        return Memory(address_space_bytes=0, resident_bytes=0)
    try:
        pages = os.read(fd, 200).split()
    finally:
        os.close(fd)
    page = resource.getpagesize()
    return Memory(address_space_bytes=int(pages[0]) * page, resident_bytes=int(pages[1]) * page)


def quieten() -> None:
    """Give up, in the supervisor and all that it will fork, what work on circuits never needs.

    No new privileges, no memory that other processes of this user could read, no core files, few open files, and no
    network where the system lets this process leave it.
    """
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)
    _leave_network()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit_files(_SUPERVISOR_FILES)


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


def settle(channel_fd: int, complaints_fd: int) -> None:
    """Turn a process that was just forked into a child: alone with its channel, in a session of its own.

    Args:
        channel_fd: Moved to :data:`CHANNEL_FD`.
        complaints_fd: Where native code's complaints go (file descriptor 2).
    """
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(complaints_fd, 2)
    os.dup2(channel_fd, CHANNEL_FD)
    os.closerange(CHANNEL_FD + 1, _SUPERVISOR_FILES)
    # File descriptor 2 does not block and may be full; Python code that prints must not notice.
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - stays open as long as the process
    _limit_files(_CHILD_FILES)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    _reseed()


def confine(memory_bytes: int) -> None:
    """Fix what a child may take before it sees the first circuit; it cannot be undone.

    Args:
        memory_bytes: Address space beyond what the child has now.
    """
    had = memory().address_space_bytes
    if had:
        resource.setrlimit(resource.RLIMIT_AS, (had + memory_bytes, had + memory_bytes))


def allow_cpu_time(time_s: float) -> None:
    """Let the next task burn what ``time_s`` of wall time on all processors can hold, and a little more.

    The wall time itself is kept by the service; this stops a child that the service could not.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    at_most = min(time_s, _LONGEST_S) * (os.cpu_count() or 1)
    allowed = ceil(used.ru_utime + used.ru_stime + at_most) + _CPU_GRACE_S
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    if most == resource.RLIM_INFINITY or allowed < most:
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, most))


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


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, *(ctypes.c_ulong(argument) for argument in (value, 0, 0, 0)))


def _reseed() -> None:
    """Children share the state of NumPy's global generator as it was when they were forked."""
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()
