"""Keep other processes of the same user out of this one's memory and environment."""

from __future__ import annotations

import ctypes
import sys

_PR_SET_DUMPABLE = 4


def make_undumpable() -> None:
    """Have the kernel refuse that other processes of this user read this one through ``/proc`` or trace it.

    Children that work on circuits run as the same user; a service calls this before it starts a pool. No core files are
    written after that. On other systems than Linux it does nothing.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, *(ctypes.c_ulong(0) for _ in range(4)))
