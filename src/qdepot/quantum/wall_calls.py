"""The wall round system calls: seccomp. A child computes, reads files, talks through its channel, and that is all."""

from __future__ import annotations

import errno
import os
import termios

_HARMLESS = """
brk madvise membarrier mincore mlock mlock2 mmap mprotect mremap msync munlock munmap
arch_prctl clock_getres clock_gettime clock_nanosleep exit exit_group futex futex_waitv get_mempolicy
get_robust_list getcpu getrandom gettid gettimeofday nanosleep restart_syscall rseq sched_get_priority_max
sched_get_priority_min sched_getaffinity sched_getparam sched_getscheduler sched_setaffinity sched_yield
set_robust_list set_tid_address time
pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait sigaltstack
signalfd4 getitimer setitimer timer_create timer_delete timer_settime
access close close_range dup dup2 dup3 faccessat faccessat2 fadvise64 fcntl fstat fstatfs ftruncate getcwd getdents
getdents64 lseek lstat newfstatat open openat openat2 pipe2 pread64 preadv pwrite64 read readlink readlinkat readv
stat statfs statx umask write writev
epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd2 poll ppoll pselect6 select
getpeername getsockname getsockopt recvfrom recvmsg sendmsg sendto shutdown
getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getrlimit getrusage getsid getuid getresgid
getresuid setrlimit sysinfo times uname
"""
"""What needs no look at its arguments: no call that names another process, opens a connection, starts a program or
changes a file's name or owner."""

_TERMINAL_AND_FLAGS = (termios.TCGETS, termios.FIOCLEX, termios.FIONCLEX, termios.FIONBIO, termios.FIONREAD)
_PRCTL_READS_AND_NAMES = (
    2,  # PR_GET_PDEATHSIG
    3,  # PR_GET_DUMPABLE
    15,  # PR_SET_NAME, of a thread
    16,  # PR_GET_NAME
    21,  # PR_GET_SECCOMP
    39,  # PR_GET_NO_NEW_PRIVS
    0x53564D41,  # PR_SET_VMA: names of mappings
)
_CLONE_THREAD = 0x00010000


class CallWall:
    """Refuses all other calls. To be put together before the fork.

    A refused call answers as a kernel does that does not have it (ENOSYS): libraries then use what an older kernel has.

    Raises:
        ImportError: The package ``pyseccomp`` is not installed.
        RuntimeError: The library libseccomp is not installed.
        OSError: It does not work here.
    """

    def __init__(self) -> None:
        import pyseccomp  # it fails to load where there is no libseccomp

        self._seccomp = pyseccomp
        self._filter = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.ENOSYS))
        for name in _HARMLESS.split():
            self._allow(name)
        # Threads are made, processes are not. The flags of clone3 cannot be seen, so the C library has to do without.
        arg = pyseccomp.Arg
        self._allow("clone", arg(0, pyseccomp.MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD))
        for request in _TERMINAL_AND_FLAGS:
            self._allow("ioctl", arg(1, pyseccomp.EQ, request))
        for option in _PRCTL_READS_AND_NAMES:
            self._allow("prctl", arg(0, pyseccomp.EQ, option))

    def apply(self) -> None:
        """Refuse them, for good; those that name a process may name this one."""
        own = [self._seccomp.Arg(0, self._seccomp.EQ, pid) for pid in (os.getpid(), 0)]
        for name in ("kill", "tgkill"):
            self._allow(name, own[0])
        for pid in own:
            self._allow("prlimit64", pid)
        self._filter.load()

    def _allow(self, name: str, *arguments: object) -> None:
        seccomp = self._seccomp
        if seccomp.resolve_syscall(seccomp.Arch.NATIVE, name) >= 0:  # not every processor has every call
            self._filter.add_rule(seccomp.ALLOW, name, *arguments)
