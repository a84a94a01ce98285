"""Memory goes back to the system when it is free, where the C library is glibc; elsewhere nothing happens."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 1024**2


def map_large_blocks() -> None:
    """Have blocks of a megabyte and more mapped one by one, so that each goes back as soon as it is free.

    By default the limit grows with each such block that is freed, up to 32 MiB, which is the size of a large request:
    from then on these lie between small blocks, and stay.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def keep_what_is_loaded() -> None:
    """Have the garbage collector leave alone what is there now, which stays: its runs become short."""
    gc.collect()
    gc.freeze()


def return_memory() -> None:
    """Give memory back: of garbage in cycles, such as errors with their tracebacks, and between blocks in use.

    The collector counts objects, not bytes: a few that hold a large request can lie about for hours.
    """
    gc.collect()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
