"""System calls that reach another process through an argument: what a child that was taken over would try on others.

Each takes a process id, and raises OSError if it is refused. Where it is not, the other process stays as it is, except
that :func:`signal_by_a_pipe` kills it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import signal
import socket
import struct
import time
from collections.abc import Callable, Mapping
from functools import partial

F_SETSIG, F_SETOWN_EX, F_GETOWN_EX = 10, 15, 16
FIOSETOWN, SIOCSPGRP, FIOASYNC = 0x8901, 0x8902, 0x5452
FUTEX_LOCK_PI = 6
SO_PEERPIDFD = 77
SIGEV_THREAD_ID = 4
CHANNEL = 3
"""The socket that every child has."""
CLONE_NEWUSER = 0x10000000


def signal_by_a_pipe(process: int) -> None:
    """Have the kernel send SIGKILL to the process when something is written to a pipe."""
    reading, writing = os.pipe()
    fcntl.fcntl(reading, F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(reading, fcntl.F_SETOWN, process)
    fcntl.fcntl(reading, fcntl.F_SETFL, fcntl.fcntl(reading, fcntl.F_GETFL) | fcntl.FASYNC)
    os.write(writing, b"x")


def lock_with_priority(process: int) -> None:
    """Wait for a lock that the other process is said to own, so that it inherits this one's priority."""
    lock = ctypes.c_uint32(process)
    timeout = (ctypes.c_long * 2)(int(time.time()), 0)
    with contextlib.suppress(TimeoutError):  # the kernel waited for the other process: it let this call through
        call("futex", ctypes.addressof(lock), FUTEX_LOCK_PI, 0, ctypes.addressof(timeout))


def make_timer_for_thread(_: int) -> None:
    """Make a timer; each counts against all processes of the user."""
    made = ctypes.c_int()
    event = ctypes.create_string_buffer(struct.pack("PiiI", 0, signal.SIGUSR1, SIGEV_THREAD_ID, os.getpid()), 64)
    call("timer_create", 1, ctypes.addressof(event), ctypes.addressof(made))


def take_signals(_: int) -> None:
    """Have signals as data of a descriptor."""
    mask = ctypes.c_uint64(0)
    os.close(call("signalfd4", -1, ctypes.addressof(mask), 8, 0))


def send_descriptor(_: int) -> None:
    """Have a descriptor on its way; each counts against all processes of the user."""
    with socket.socket(fileno=os.dup(CHANNEL)) as channel:
        channel.sendmsg([], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", 0))])


def set_buffer_size(_: int) -> None:
    """Change how much the kernel keeps for the channel."""
    with socket.socket(fileno=os.dup(CHANNEL)) as channel:
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)


def handle_of_the_peer(_: int) -> None:
    """Get a handle of the process at the other end of the channel."""
    with socket.socket(fileno=os.dup(CHANNEL)) as channel:
        os.close(channel.getsockopt(socket.SOL_SOCKET, SO_PEERPIDFD))


def _fcntl(command: int, process: int) -> None:
    reading, writing = os.pipe()
    try:
        fcntl.fcntl(reading, command, process)
    finally:
        os.close(reading)
        os.close(writing)


def _fcntl_value(command: int, value: int, _: int) -> None:
    _fcntl(command, value)


def _own_ex(process: int) -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(reading, F_SETOWN_EX, struct.pack("ii", 1, process))
    os.close(reading)
    os.close(writing)


def _ioctl(request: int, argument: int) -> None:
    fcntl.ioctl(CHANNEL, request, struct.pack("i", argument))


def _lease(_: int) -> None:
    with open(os.__file__, "rb") as file:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)


def _notify(_: int) -> None:
    folder = os.open(os.path.dirname(os.__file__), os.O_RDONLY)
    fcntl.fcntl(folder, fcntl.F_NOTIFY, fcntl.DN_ACCESS)


def _lock(_: int) -> None:
    with open(os.__file__, "rb") as file:
        fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)


def _clock(process: int) -> None:
    time.clock_gettime((~process << 3) | 2)


def _policy(process: int) -> None:
    os.sched_setscheduler(process, os.SCHED_OTHER, os.sched_param(0))


def call(name: str, *arguments: int) -> int:
    """One system call by its name."""
    import pyseccomp

    libc = ctypes.CDLL(None, use_errno=True)
    number = int(pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name))
    answer = int(libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments)))
    if answer == -1:
        raise OSError(ctypes.get_errno(), name)
    return answer


def _clone_into_namespace(_: int) -> None:
    if call("clone", CLONE_NEWUSER | signal.SIGCHLD, 0, 0, 0, 0) == 0:
        os._exit(0)


def _robust_list(process: int) -> None:
    head, size = ctypes.c_void_p(), ctypes.c_size_t()
    call("get_robust_list", process, ctypes.addressof(head), ctypes.addressof(size))


def _queued_signal(name: str, *before: int, process: int) -> None:
    """With SI_QUEUE as its code, and signal 0, which does nothing."""
    information = ctypes.create_string_buffer(struct.pack("iii", 0, 0, -1), 128)
    call(name, process, *before, 0, ctypes.addressof(information))


REACHING: Mapping[str, Callable[[int], object]] = {
    "fcntl F_SETOWN": partial(_fcntl, fcntl.F_SETOWN),
    "fcntl F_SETOWN_EX": _own_ex,
    "fcntl F_SETSIG": partial(_fcntl_value, F_SETSIG, signal.SIGUSR1),
    "fcntl F_SETFL O_ASYNC": partial(_fcntl_value, fcntl.F_SETFL, fcntl.FASYNC),
    "fcntl F_SETPIPE_SZ": partial(_fcntl_value, fcntl.F_SETPIPE_SZ, 1 << 20),
    "fcntl F_SETLEASE": _lease,
    "fcntl F_NOTIFY": _notify,
    "fcntl F_SETLK": _lock,
    "ioctl FIOSETOWN": partial(_ioctl, FIOSETOWN),
    "ioctl SIOCSPGRP": partial(_ioctl, SIOCSPGRP),
    "ioctl FIOASYNC": lambda _: _ioctl(FIOASYNC, 0),
    "signal by a pipe": signal_by_a_pipe,
    "kill": lambda process: os.kill(process, 0),
    "kill the group": lambda process: os.killpg(os.getpgid(process), 0),
    "tkill": lambda process: call("tkill", process, 0),
    "tgkill": lambda process: call("tgkill", process, process, 0),
    "rt_sigqueueinfo": lambda process: _queued_signal("rt_sigqueueinfo", process=process),
    "rt_tgsigqueueinfo": lambda process: _queued_signal("rt_tgsigqueueinfo", process, process=process),
    "pidfd_open": lambda process: os.close(os.pidfd_open(process)),
    "getsockopt SO_PEERPIDFD": handle_of_the_peer,
    "sched_getaffinity": os.sched_getaffinity,
    "sched_setaffinity": lambda process: os.sched_setaffinity(process, os.sched_getaffinity(0)),
    "sched_setscheduler": _policy,
    "sched_setparam": lambda process: os.sched_setparam(process, os.sched_param(0)),
    "sched_getscheduler": os.sched_getscheduler,
    "sched_getparam": os.sched_getparam,
    "prlimit64": lambda process: resource.prlimit(process, resource.RLIMIT_NOFILE),
    "setpriority": lambda process: os.setpriority(os.PRIO_PROCESS, process, 0),
    "getpriority": lambda process: os.getpriority(os.PRIO_PROCESS, process),
    "ioprio_get": lambda process: call("ioprio_get", 1, process),
    "ioprio_set": lambda process: call("ioprio_set", 1, process, 0),
    "get_robust_list": _robust_list,
    "getpgid": os.getpgid,
    "getsid": os.getsid,
    "clock_gettime": _clock,
    "futex FUTEX_LOCK_PI": lock_with_priority,
    "timer_create SIGEV_THREAD_ID": make_timer_for_thread,
    "signalfd": take_signals,
    "sendmsg SCM_RIGHTS": send_descriptor,
    "setsockopt": lambda _: socket.socket(fileno=os.dup(CHANNEL)).setsockopt(
        socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20
    ),
    "clone CLONE_NEWUSER": _clone_into_namespace,
}
"""By call and, where it has several commands, the command."""
