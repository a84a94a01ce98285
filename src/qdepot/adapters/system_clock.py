"""The clock of the machine."""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_UNKNOWN_BOOT = "unknown"
"""Where nothing tells boots apart without trusting the time of day. Leases then outlive a reboot until the clock has
passed them again, which delays work but never lets two act on one job."""


class SystemClock:
    """A :class:`~qdepot.ports.clock.Clock` that shows the machine's time.

    On Linux and macOS its monotonic hand goes on while the machine sleeps, so that a lease lapses on a closed laptop.
    """

    def now(self) -> datetime:
        """The time of day in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment of this boot."""
        return _monotonic()

    def boot_id(self) -> str:
        """The kernel's own id of this boot."""
        return _boot_id()


if sys.platform == "linux":

    def _monotonic() -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    @functools.cache
    def _boot_id() -> str:
        try:
            return _BOOT_ID.read_text().strip()
        except OSError:
            return _UNKNOWN_BOOT

elif sys.platform == "darwin":

    def _monotonic() -> float:
        # Unlike time.monotonic(), this clock of macOS counts the time that the machine sleeps.
        return time.clock_gettime(time.CLOCK_MONOTONIC)

    @functools.cache
    def _boot_id() -> str:
        libc = ctypes.CDLL(ctypes.util.find_library("c"))
        found = ctypes.create_string_buffer(64)
        size = ctypes.c_size_t(len(found))
        failed = libc.sysctlbyname(b"kern.bootsessionuuid", found, ctypes.byref(size), None, 0)
        return _UNKNOWN_BOOT if failed else found.value.decode()

else:

    def _monotonic() -> float:
        return time.monotonic()

    def _boot_id() -> str:
        return _UNKNOWN_BOOT
