"""The system calls that a child may make, with which arguments, and why.

A call that is not in the list is refused. A call that can reach another process through an argument is in the list only
with the values of that argument that name the child itself. The page "The sandbox" shows this list.
"""

from __future__ import annotations

import fcntl
import os
import termios
from dataclasses import dataclass

ALL_BITS = (1 << 64) - 1
OWN_PROCESS = -1
"""Stands for the child's own process id, which is known only after the fork."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What an argument of a call must be.

    The kernel's filter sees numbers only: it cannot look at what a pointer points to.

    Attributes:
        argument: Its index, from 0.
        value: What it must be equal to, or :data:`OWN_PROCESS`.
        mask: The bits that are compared.
    """

    argument: int
    value: int
    mask: int = ALL_BITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Calls that are allowed for one reason.

    Attributes:
        calls: Their names, separated by spaces.
        why: What they are needed for, or why they can do no harm.
        only: With which arguments; empty: with any.
        when: Any of these conditions has to hold, each with all of its parts.
    """

    calls: str
    why: str
    only: str = ""
    when: tuple[tuple[Condition, ...], ...] = ((),)


def _one_of(argument: int, *values: int, mask: int = ALL_BITS) -> tuple[tuple[Condition, ...], ...]:
    return tuple((Condition(argument=argument, value=value, mask=mask),) for value in values)


_CLONE_OF_A_THREAD = 0x003D0F00
"""VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, SETTLS, PARENT_SETTID, CHILD_CLEARTID: C libraries make threads so."""
_CLONE_DETACHED = 0x00400000
"""Means nothing since Linux 2.6; musl sets it."""

_FUTEX_MODES = 0x180
"""FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME."""
_FUTEX_WITHOUT_OWNERS = (
    0,  # FUTEX_WAIT
    1,  # FUTEX_WAKE
    3,  # FUTEX_REQUEUE
    4,  # FUTEX_CMP_REQUEUE
    5,  # FUTEX_WAKE_OP
    9,  # FUTEX_WAIT_BITSET
    10,  # FUTEX_WAKE_BITSET
)

_PRCTL_READS_AND_NAMES = (
    2,  # PR_GET_PDEATHSIG
    3,  # PR_GET_DUMPABLE
    15,  # PR_SET_NAME, of a thread
    16,  # PR_GET_NAME
    21,  # PR_GET_SECCOMP
    39,  # PR_GET_NO_NEW_PRIVS
    0x53564D41,  # PR_SET_VMA: names of mappings
)

_FCNTL_OF_DESCRIPTORS = (fcntl.F_DUPFD, fcntl.F_DUPFD_CLOEXEC, fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL)
_SIGNALS_AND_PACKETS = 0x2000 | getattr(os, "O_DIRECT", 0)
"""O_ASYNC has the kernel send a signal to the owner of a descriptor; O_DIRECT changes what a pipe's reader gets."""

_TERMINAL_SETTINGS = getattr(termios, "TCGETS", 0x5401)
"""Only Linux has the name; the list can be loaded elsewhere, where it has no use."""

_SOL_SOCKET = 1
_FACTS_OF_SOCKETS = (
    3,  # SO_TYPE
    4,  # SO_ERROR
    38,  # SO_PROTOCOL
    39,  # SO_DOMAIN
)

ALLOWED = (
    Allowed(
        calls="brk get_mempolicy madvise mmap mprotect mremap munmap",
        why="memory of the child itself, bounded by `RLIMIT_AS`",
    ),
    Allowed(
        calls="arch_prctl exit exit_group futex_waitv getcpu gettid restart_syscall rseq sched_get_priority_max "
        "sched_get_priority_min sched_yield set_robust_list set_tid_address",
        why="threads of the child itself",
    ),
    Allowed(
        calls="futex",
        only="waiting, waking and moving waiters",
        why="locks between threads. Locks with priority inheritance name their owner by a thread id, which may be that "
        "of another process",
        when=_one_of(1, *_FUTEX_WITHOUT_OWNERS, mask=ALL_BITS & ~_FUTEX_MODES),
    ),
    Allowed(
        calls="clone",
        only="the flags with which the C library makes a thread, and no others",
        why="simulators compute with several threads; a new process, or one in namespaces of its own, is not needed. "
        "The flags of `clone3` lie in memory, where a filter cannot see them, so the C library has to do without",
        when=_one_of(0, _CLONE_OF_A_THREAD, mask=ALL_BITS & ~_CLONE_DETACHED),
    ),
    Allowed(
        calls="getitimer gettimeofday nanosleep pause setitimer time times",
        why="time, and alarms for the child itself",
    ),
    Allowed(
        calls="clock_getres clock_gettime clock_nanosleep",
        only="the system's clocks, 0 to 15",
        why="other numbers stand for the CPU time of a process, which may be another one",
        when=_one_of(0, 0, mask=ALL_BITS & ~0xF),
    ),
    Allowed(
        calls="rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait sigaltstack",
        why="how the child itself takes signals",
    ),
    Allowed(
        calls="kill tgkill",
        only="the child's own process id",
        why="`abort` and `raise` end a process by a signal to itself",
        when=_one_of(0, OWN_PROCESS),
    ),
    Allowed(
        calls="getpgid getsid prlimit64 sched_getaffinity sched_getparam sched_getscheduler sched_setaffinity",
        only="process id 0 or the child's own",
        why="thread libraries ask on which processors they may run. The same calls look into other processes of the "
        "user, limit them, or pin them to one processor. For the id of another thread the answer is that the kernel "
        "does not have the call, which C libraries expect",
        when=_one_of(0, 0, OWN_PROCESS),
    ),
    Allowed(
        calls="getegid geteuid getgid getgroups getpgrp getpid getppid getresgid getresuid getrlimit getrusage getuid "
        "setrlimit sysinfo umask uname",
        why="facts about the child and the machine; limits can only be lowered",
    ),
    Allowed(
        calls="getrandom",
        why="seeds",
    ),
    Allowed(
        calls="access faccessat faccessat2 getcwd getdents getdents64 lstat newfstatat open openat openat2 readlink "
        "readlinkat stat statfs statx",
        why="reading the Python installation; what may be opened is decided by Landlock",
    ),
    Allowed(
        calls="close close_range dup dup2 dup3 eventfd2 fstat fstatfs ftruncate lseek pipe2 pread64 preadv pwrite64 "
        "read readv write writev",
        why="descriptors that the child has; their number and the size of files are bounded",
    ),
    Allowed(
        calls="fcntl",
        only="`F_DUPFD`, `F_DUPFD_CLOEXEC`, `F_GETFD`, `F_SETFD`, `F_GETFL`; `F_SETFL` without `O_ASYNC`, `O_DIRECT`",
        why="copies and modes of descriptors. Other commands have the kernel send a signal of choice to a process of "
        "choice (`F_SETOWN`, `F_SETOWN_EX`, `F_SETSIG`, `F_SETLEASE`, `F_NOTIFY`), lock files for others, or use up "
        "what all processes of a user share (`F_SETPIPE_SZ`)",
        when=(
            *_one_of(1, *_FCNTL_OF_DESCRIPTORS),
            (
                Condition(argument=1, value=fcntl.F_SETFL),
                Condition(argument=2, value=0, mask=_SIGNALS_AND_PACKETS),
            ),
        ),
    ),
    Allowed(
        calls="ioctl",
        only="`TCGETS`, `FIOCLEX`, `FIONCLEX`, `FIONBIO`, `FIONREAD`",
        why="Python asks whether a file is a terminal, and sets modes of descriptors. `FIOASYNC`, `FIOSETOWN` and "
        "`SIOCSPGRP` send signals as `fcntl` does",
        when=_one_of(1, _TERMINAL_SETTINGS, termios.FIOCLEX, termios.FIONCLEX, termios.FIONBIO, termios.FIONREAD),
    ),
    Allowed(
        calls="epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait poll ppoll pselect6 select",
        why="waiting for descriptors that the child has",
    ),
    Allowed(
        calls="getpeername getsockname recvfrom shutdown",
        why="the channel to the service; there is no call that makes another socket",
    ),
    Allowed(
        calls="sendto",
        only="no address",
        why="the channel to the service. `sendmsg` could carry descriptors, and those on their way count against all "
        "processes of a user",
        when=_one_of(4, 0),
    ),
    Allowed(
        calls="getsockopt",
        only="`SO_TYPE`, `SO_ERROR`, `SO_PROTOCOL`, `SO_DOMAIN`",
        why="Python asks what kind of socket the channel is. `SO_PEERPIDFD` would be a handle of the service",
        when=tuple(
            (Condition(argument=1, value=_SOL_SOCKET), Condition(argument=2, value=fact)) for fact in _FACTS_OF_SOCKETS
        ),
    ),
    Allowed(
        calls="prctl",
        only="reading modes of the child; names of threads and mappings",
        why="names help in debugging; modes are looked at by tests",
        when=_one_of(0, *_PRCTL_READS_AND_NAMES),
    ),
)
"""Everything; what is not here is refused."""


def table() -> str:
    """The list as a table in Markdown."""
    rows = ["| calls | with which arguments | what for, and why not with others |", "|---|---|---|"]
    for each in ALLOWED:
        names = " ".join(f"`{name}`" for name in each.calls.split())
        rows.append(f"| {names} | {each.only or 'any'} | {each.why} |")
    return "\n".join(rows)
