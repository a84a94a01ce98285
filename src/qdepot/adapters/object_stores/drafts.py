"""Files that are written aside and appear under their name only once they are whole and on the disk.

Plain system calls, because the object-store library that serves the clouds syncs neither files nor folders: what it has
"written" to a local folder is lost, or empty, after a power cut.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import BinaryIO

from qdepot.domain.result import Buffer

_PIECE_BYTES = 1024 * 1024
_YOUNG_S = 60.0
_SYNCING = 8
_SYNCED_TOGETHER_FROM = 4


class Draft:
    """A file without a name that anybody looks for, locked by the process that writes it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{os.getpid()}-{secrets.token_hex(8)}"
        self.size_bytes = 0
        self._fd = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        # The lock ends with the process, however that ends: it tells a crashed writer's draft from a slow one's.
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def write(self, data: Buffer | BinaryIO) -> None:
        """Append all of it, and have the disk begin to store it."""
        if isinstance(data, bytes | bytearray | memoryview):
            self._append(memoryview(data).cast("B"))
        else:
            while piece := data.read(_PIECE_BYTES):
                self._append(memoryview(piece))
        # Begun for all files of a batch before the first is waited for, the waits are short: a batch of fifty small
        # files took 0.3-0.5 of the time of fifty creates. `syncfs` was 1.1-1.6 x faster still on an idle disk, but
        # 2.6 x slower while a neighbour copied large files, since it waits for those too.
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_DONTNEED)

    def sync(self) -> None:
        """Wait until the content is on the disk."""
        os.fsync(self._fd)

    def publish(self, path: Path) -> bool:
        """Appear under a name as a whole; False if the name is taken."""
        try:
            os.link(self.path, path)
        except FileExistsError:
            return False
        return True

    def publish_over(self, path: Path) -> None:
        """Appear under a name in place of whatever was there."""
        os.replace(self.path, path)

    def close(self) -> None:
        """Forget the draft; what was published stays."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        os.close(self._fd)

    def _append(self, view: memoryview) -> None:
        self.size_bytes += view.nbytes
        while view:
            view = view[os.write(self._fd, view) :]


@contextlib.contextmanager
def written(
    folder: Path, contents: Iterable[Buffer | BinaryIO], *, threads: ThreadPoolExecutor
) -> Iterator[Sequence[Draft]]:
    """Drafts with these contents, on the disk; they are removed at the end, whatever happens."""
    with contextlib.ExitStack() as stack:
        drafts = []
        for content in contents:
            draft = Draft(folder)
            stack.callback(draft.close)
            draft.write(content)
            drafts.append(draft)
        _sync_all(drafts, threads)
        yield drafts


def syncing_threads() -> ThreadPoolExecutor:
    """Threads for :func:`written`, started when there is work for them."""
    return ThreadPoolExecutor(_SYNCING, thread_name_prefix="qdepot-sync")


def _sync_all(drafts: Sequence[Draft], threads: ThreadPoolExecutor) -> None:
    """Wait until all contents are on the disk.

    A file system writes its journal for all who wait at a time: 128 small files on ext4 took 3.5 ms each one after the
    other, and 0.1 ms each from eight threads; on a busy disk, where it matters most.
    """
    if len(drafts) < _SYNCED_TOGETHER_FROM:
        for draft in drafts:
            draft.sync()
        return
    waits = [threads.submit(draft.sync) for draft in drafts]
    wait(waits)  # for all, also where one fails: the files are closed behind
    for done in waits:
        done.result()


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(folder: Path, *, root: Path) -> None:
    """Make a folder and its parents and wait until their names are on the disk.

    Between ``root`` and ``folder`` that is done for folders which exist, too: another process may just have made them.
    """
    chain = [folder]
    while chain[-1] != root:
        chain.append(chain[-1].parent)
    while not chain[-1].is_dir() and not chain[-1].parent.is_dir():
        chain.append(chain[-1].parent)
    for path in reversed(chain):
        is_new = _is_made(path)
        if is_new or root in path.parents:
            sync_folder(path.parent)


def remove_abandoned(folder: Path) -> None:
    """Remove drafts whose writers are gone."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError, BlockingIOError):
                _remove_if_abandoned(entry)


def _remove_if_abandoned(entry: os.DirEntry[str]) -> None:
    # A young one may not have been locked yet.
    if time.time() - entry.stat().st_mtime < _YOUNG_S:
        return
    fd = os.open(entry.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(entry.path)
    finally:
        os.close(fd)


def _is_made(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return False
    return True
