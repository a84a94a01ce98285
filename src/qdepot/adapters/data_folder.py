"""The data folder of an embedded service: one service at a time calls it its own."""

from __future__ import annotations

import fcntl
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True, slots=True)
class FolderLock:
    """Held as long as the process lives; the kernel lets go of it also after kill -9.

    Attributes:
        file: What is locked.
        holder: The name under which whoever has this folder holds leases: after a restart it finds its own again. No
            other folder has it, since services with folders of their own may share one database.
    """

    file: IO[bytes]
    holder: str

    def release(self) -> None:
        """Let another service have the folder."""
        self.file.close()


def lock_folder(folder: Path) -> FolderLock | None:
    """Take the folder; None if another service has it."""
    file = (folder / "service.lock").open("a+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return FolderLock(file, _holder_in(file))


def _holder_in(file: IO[bytes]) -> str:
    """The name that is written there; the first service of a folder makes it up."""
    file.seek(0)
    holder = file.read().decode(errors="replace").strip()
    if not holder:
        holder = f"service-{secrets.token_hex(8)}"
        file.write(holder.encode())
        file.flush()
        os.fsync(file.fileno())
    return holder
