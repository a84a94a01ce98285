"""The limit on signals: Landlock's scopes. A child signals nobody outside, and connects to no abstract socket there."""

from __future__ import annotations

import ctypes
import os

_SCOPES_SINCE = 6
"""Landlock's version in Linux 6.12."""
_SCOPE_ABSTRACT_UNIX_SOCKET = 1 << 0
_SCOPE_SIGNAL = 1 << 1


class _Handled(ctypes.Structure):
    """``struct landlock_ruleset_attr`` as of version 6. The package ``landlock`` knows its first field only."""

    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class SignalWall:
    """Refuses signals to processes that are not this child, by whatever call. To be put together before the fork.

    It holds beside the list of system calls, so that a way to send signals that the list fails to close is closed here.

    Raises:
        ImportError: The package ``landlock`` is not installed.
        OSError: The kernel has no Landlock, it is not switched on, or it is older than these scopes.
    """

    def __init__(self) -> None:
        from landlock import landlock_abi_version  # there is none on other systems than Linux
        from landlock.plumbing import SYSCALL_CREATE_RULESET

        ctypes.set_errno(0)  # the library takes an old error number for its own
        version = landlock_abi_version()
        if version < _SCOPES_SINCE:
            raise OSError(f"the kernel's Landlock has version {version}; it limits signals from version 6 (Linux 6.12)")
        handled = _Handled(scoped=_SCOPE_SIGNAL | _SCOPE_ABSTRACT_UNIX_SOCKET)
        self._rules_fd = _called(
            SYSCALL_CREATE_RULESET, ctypes.byref(handled), ctypes.c_size_t(ctypes.sizeof(handled)), ctypes.c_uint32(0)
        )

    def apply(self) -> None:
        """Refuse them from now on."""
        from landlock.plumbing import SYSCALL_RESTRICT_SELF

        _called(SYSCALL_RESTRICT_SELF, ctypes.c_int(self._rules_fd), ctypes.c_uint32(0))


def _called(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    answer = int(libc.syscall(ctypes.c_long(number), *arguments))
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer
