"""The limit on files: Landlock. A child reads the Python installation and nothing else, and writes nothing."""

from __future__ import annotations

import ctypes
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
_FACTS = (
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/dev/urandom",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/sys/vm/overcommit_memory",  # the C library looks at it before it gives memory back
    "/sys/devices/system/cpu",
)
_SITES = frozenset({"site-packages", "dist-packages", "lib-dynload"})


def readable_places() -> frozenset[Path]:
    """What a child may read: Python's own library, the folders of installed packages, and what is loaded by now.

    A folder is not allowed only because Python looks for modules there: the working directory of a service may be such
    a folder, with the service's data in it.
    """
    library = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    sites = {Path(entry) for entry in sys.path if Path(entry).name in _SITES}
    roots = {place.resolve() for place in library | sites}
    loaded = {place for place in _loaded() if not roots & set(place.parents)}
    system = {Path(name).resolve() for name in (*_LIBRARIES, *_FACTS)}
    return frozenset(place for place in roots | loaded | system if place.exists())


class FileWall:
    """Closes all files but the readable places. To be put together before the fork.

    Raises:
        ImportError: The package ``landlock`` is not installed.
        OSError: The kernel has no Landlock, or it is not switched on.
    """

    def __init__(self) -> None:
        from landlock import FSAccess, Ruleset  # there is none on other systems than Linux

        ctypes.set_errno(0)  # the library takes an old error number for its own
        read_file, read_folder = FSAccess.READ_FILE, FSAccess.READ_FILE | FSAccess.READ_DIR
        self._rules = Ruleset()
        for place in sorted(readable_places()):
            self._rules.allow(str(place), rules=read_folder if place.is_dir() else read_file)
        self._rules.allow(os.devnull, rules=FSAccess.READ_FILE | FSAccess.WRITE_FILE)

    def apply(self) -> None:
        """Close them. It cannot be undone; what is open already stays open."""
        ctypes.set_errno(0)
        self._rules.apply()


def _loaded() -> Iterator[Path]:
    """The folder of each package, and the file of each other module, that is loaded."""
    for name, module in list(sys.modules.items()):
        where = getattr(module, "__file__", None)
        if "." not in name and isinstance(where, str):
            file = Path(where).resolve()
            yield file.parent if hasattr(module, "__path__") else file
