"""The wall between users: a child runs as a user of its own, whom nothing on this machine belongs to."""

from __future__ import annotations

import ctypes
import os
import resource
from pathlib import Path

_KILL, _SETGID, _SETUID = 5, 6, 7
_READ_ANYTHING = 2
"""CAP_DAC_READ_SEARCH: a child that Landlock has closed files to may keep it, to read a private Python installation."""

_SPARE_USERS = ((0x70000000, 0x0F000000), (60_578, 606))
"""First and number of user ids that nobody has: systemd's list of them; the second range also exists in containers."""

_THREADS = 1024
_PR_SET_KEEPCAPS = 8
_CAPABILITY_VERSION = 0x20080522


class UserWall:
    """Makes a child a user of its own. To be put together before the fork.

    Args:
        files_are_closed: Whether files will be closed, so that the child may keep the right to read what
            belongs to others.

    Raises:
        OSError: This process may not change users, there are no users to spare, or another user could not read the
            Python installation.
    """

    def __init__(self, *, files_are_closed: bool) -> None:
        self._keep_reading = files_are_closed and _READ_ANYTHING in _capabilities()
        if not {_KILL, _SETGID, _SETUID} <= _capabilities():
            raise PermissionError("not started as root")
        if not self._keep_reading and not _is_open_to_all(Path(os.__file__)):
            raise PermissionError("other users cannot read the Python installation")
        self._first, self._number = _spare_users()

    def apply(self) -> None:
        """Become another user, finally. What the kernel ties to the old one (death signal) must be set again."""
        user = self._first + os.getpid() % self._number
        libc = ctypes.CDLL(None, use_errno=True)
        if self._keep_reading:
            libc.prctl(_PR_SET_KEEPCAPS, ctypes.c_ulong(1), *(ctypes.c_ulong(0) for _ in range(3)))
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        kept = 1 << _READ_ANYTHING if self._keep_reading else 0
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
        if libc.capset(header, (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0)):
            raise OSError(ctypes.get_errno(), "capset")
        resource.setrlimit(resource.RLIMIT_NPROC, (_THREADS, _THREADS))


def is_spare(user: int) -> bool:
    """Whether it is one of the users that nobody is."""
    return any(first <= user < first + number for first, number in _SPARE_USERS)


def _capabilities() -> set[int]:
    """The numbers of the privileges in force."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            held = int(line.split()[1], 16)
            return {number for number in range(held.bit_length()) if held >> number & 1}
    return set()


def _spare_users() -> tuple[int, int]:
    known = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    for first, number in _SPARE_USERS:
        if any(start <= first and first + number <= start + length for start, _, length in known):
            return first, number
    raise PermissionError("this container has too few user ids")


def _is_open_to_all(file: Path) -> bool:
    """Whether any user may read a file: it, and pass through every folder above."""
    file = file.resolve()
    return bool(file.stat().st_mode & 0o004) and all(folder.stat().st_mode & 0o001 for folder in file.parents)
