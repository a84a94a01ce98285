"""The data folder of an embedded service: one service at a time calls it its own."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from pathlib import Path
from typing import IO

EMBEDDED_HOLDER = "service"
"""The name under which the one embedded service of a data folder holds leases: it finds its own again at a restart."""


@dataclass(frozen=True, slots=True)
class FolderLock:
    """Held as long as the process lives; the kernel lets go of it also after kill -9."""

    file: IO[bytes]

    def release(self) -> None:
        """Let another service have the folder."""
        self.file.close()


def lock_folder(folder: Path) -> FolderLock | None:
    """Take the folder; None if another service has it."""
    file = (folder / "service.lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return FolderLock(file)
