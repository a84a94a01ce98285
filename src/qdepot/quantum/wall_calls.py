"""The limit on system calls: seccomp, by the list in :mod:`qdepot.quantum.wall_call_list`."""

from __future__ import annotations

import errno
import os

from qdepot.quantum.wall_call_list import ALL_BITS, ALLOWED, OWN_PROCESS, Allowed, Condition


class CallWall:
    """Refuses all calls that are not on the list. To be put together before the fork.

    A refused call answers as a kernel does that does not have it (ENOSYS): libraries then use what an older kernel has.
    Names of the list that this machine's processor or libseccomp does not know are left out.

    Raises:
        ImportError: The package ``pyseccomp`` is not installed.
        RuntimeError: The library libseccomp is not installed.
        OSError: It does not work here.
    """

    def __init__(self) -> None:
        import pyseccomp  # it fails to load where there is no libseccomp

        self._seccomp = pyseccomp
        self._filter = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.ENOSYS))
        self._of_own_process = [each for each in ALLOWED if _names_own_process(each)]
        for each in ALLOWED:
            if each not in self._of_own_process:
                self._allow(each)

    def apply(self) -> None:
        """Refuse them from now on. Calls that name a process may name this one."""
        for each in self._of_own_process:
            self._allow(each)
        self._filter.load()

    def _allow(self, allowed: Allowed) -> None:
        seccomp = self._seccomp
        for name in allowed.calls.split():
            if seccomp.resolve_syscall(seccomp.Arch.NATIVE, name) >= 0:  # not every processor has every call
                for conditions in allowed.when:
                    self._filter.add_rule(seccomp.ALLOW, name, *map(self._argument, conditions))

    def _argument(self, condition: Condition) -> object:
        seccomp = self._seccomp
        value = os.getpid() if condition.value == OWN_PROCESS else condition.value
        if condition.mask == ALL_BITS:
            return seccomp.Arg(condition.argument, seccomp.EQ, value)
        return seccomp.Arg(condition.argument, seccomp.MASKED_EQ, condition.mask, value)


def _names_own_process(allowed: Allowed) -> bool:
    return any(condition.value == OWN_PROCESS for conditions in allowed.when for condition in conditions)
