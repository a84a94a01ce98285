"""Ways out of a sandbox that a child tries on its own parent, to see that they are closed. None changes anything."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
import socket
import struct
from collections.abc import Callable

_F_SETOWN_EX, _F_SETSIG = 15, 10
_OWNER_IS_A_PROCESS = 1
_FIOSETOWN = 0x8901


def can_signal(process: int) -> bool:
    """Whether this process could end another one. No signal is sent."""
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


def open_calls(process: int) -> list[str]:
    """The system calls by which this process could act on another one, although the list of calls should refuse them.

    What counts is that the call is refused as unknown (ENOSYS), not that it fails: another limit may be the reason.
    """
    reading, writing = os.pipe()
    try:
        tried = _on_a_pipe(writing, process) | _on_a_process(process) | {"socket": lambda: socket.socket().close()}
        return [name for name, act in tried.items() if not _is_unknown(act)]
    finally:
        os.close(reading)
        os.close(writing)


def _on_a_pipe(fd: int, process: int) -> dict[str, Callable[[], object]]:
    owner = struct.pack("ii", _OWNER_IS_A_PROCESS, process)
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    return {
        "fcntl F_SETSIG": lambda: fcntl.fcntl(fd, _F_SETSIG, signal.SIGURG),
        "fcntl F_SETOWN": lambda: fcntl.fcntl(fd, fcntl.F_SETOWN, process),
        "fcntl F_SETOWN_EX": lambda: fcntl.fcntl(fd, _F_SETOWN_EX, owner),
        "fcntl F_SETFL O_ASYNC": lambda: fcntl.fcntl(fd, fcntl.F_SETFL, flags | fcntl.FASYNC),
        "ioctl FIOSETOWN": lambda: fcntl.ioctl(fd, _FIOSETOWN, struct.pack("i", process)),
    }


def _on_a_process(process: int) -> dict[str, Callable[[], object]]:
    return {
        "kill": lambda: os.kill(process, 0),
        "sched_setaffinity": lambda: os.sched_setaffinity(process, os.sched_getaffinity(process)),
        "prlimit64": lambda: resource.prlimit(process, resource.RLIMIT_NOFILE),
        "getsid": lambda: os.getsid(process),
        "pidfd_open": lambda: os.close(os.pidfd_open(process)),
    }


def _is_unknown(act: Callable[[], object]) -> bool:
    try:
        act()
    except OSError as error:
        return error.errno == errno.ENOSYS
    return False
