"""Objects as files in a local folder, safe against crashes and power cuts."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NoReturn

from qdepot.adapters.object_stores.drafts import make_folder, remove_abandoned, sync_folder, syncing_threads, written
from qdepot.adapters.object_stores.probe import probe
from qdepot.domain.result import Buffer
from qdepot.errors import InvalidRequestError, UnavailableError
from qdepot.ports.object_store import ObjectExistsError, ObjectInfo, ObjectNotFoundError, checked_key, is_key

_DRAFTS = "~drafts"  # no key has a tilde, so no object can lie there, and no scan looks there
_NOT_THERE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
_OPEN_DRAFTS = 128
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_BAD_NAME = frozenset({errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG})


@dataclass(frozen=True, slots=True)
class LocalStore:
    """An :class:`~qdepot.ports.object_store.ObjectStore` in a folder of a POSIX file system.

    An object is written aside, synced, and then given its name by a hard link, which fails if the name is taken; then
    the folder is synced. So an object is there as a whole or not at all, and of several writers one wins, across
    processes too. The file system must know hard links and locks. Files are readable by their owner alone.

    Attributes:
        folder: Made, with its parents, by the first write.
    """

    folder: Path
    _synced: set[Path] = field(default_factory=set, init=False, repr=False, compare=False)
    """Folders of which this process knows that their names are on the disk."""
    _threads: ThreadPoolExecutor = field(default_factory=syncing_threads, init=False, repr=False, compare=False)
    """They wait for the disk."""

    def create(self, key: str, data: Buffer | BinaryIO) -> ObjectInfo:
        """See :meth:`ObjectStore.create <qdepot.ports.object_store.ObjectStore.create>`."""
        [size_bytes] = self._created([(key, data)])
        if size_bytes is None:
            raise ObjectExistsError(f"there is an object {key} already", details={"key": key})
        return ObjectInfo(key=key, size_bytes=size_bytes)

    def create_many(self, objects: Sequence[tuple[str, Buffer]]) -> list[bool]:
        """See :meth:`ObjectStore.create_many <qdepot.ports.object_store.ObjectStore.create_many>`."""
        return [size_bytes is not None for size_bytes in self._created(objects)]

    def replace(self, key: str, data: Buffer | BinaryIO) -> ObjectInfo:
        """See :meth:`ObjectStore.replace <qdepot.ports.object_store.ObjectStore.replace>`."""
        path = self._path(key)
        with self._writing(key):
            self._make_folders([path.parent])
            with written(self._drafts, [data], threads=self._threads) as [draft]:
                draft.publish_over(path)
                sync_folder(path.parent)
                return ObjectInfo(key=key, size_bytes=draft.size_bytes)

    def get(self, key: str) -> bytes:
        """See :meth:`ObjectStore.get <qdepot.ports.object_store.ObjectStore.get>`."""
        path = self._path(key)
        with self._reading(key):
            return path.read_bytes()

    def get_range(self, key: str, *, start: int, length: int) -> bytes:
        """See :meth:`ObjectStore.get_range <qdepot.ports.object_store.ObjectStore.get_range>`."""
        path = self._path(key)
        with self._reading(key), path.open("rb") as file:
            file.seek(start)
            return file.read(length)

    def head(self, key: str) -> ObjectInfo:
        """See :meth:`ObjectStore.head <qdepot.ports.object_store.ObjectStore.head>`."""
        path = self._path(key)
        with self._reading(key):
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise IsADirectoryError(path)
            return ObjectInfo(key=key, size_bytes=status.st_size)

    def scan(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See :meth:`ObjectStore.scan <qdepot.ports.object_store.ObjectStore.scan>`."""
        above = prefix[: prefix.rfind("/") + 1]
        if not above or is_key(above[:-1]):
            with self._reading(prefix):
                yield from _found(self.folder / above, above, prefix)

    def delete(self, keys: Sequence[str]) -> None:
        """See :meth:`ObjectStore.delete <qdepot.ports.object_store.ObjectStore.delete>`."""
        paths = [self._path(key) for key in keys]
        with self._writing(keys[0] if keys else ""):
            removed = {path.parent for path in paths if _is_removed(path)}
            for folder in removed:
                sync_folder(folder)

    def check(self) -> None:
        """See :meth:`ObjectStore.check <qdepot.ports.object_store.ObjectStore.check>`. Also clears up after crashes."""
        if self._is_replaced():
            raise InvalidRequestError(
                f"{self.folder} can hold no objects: it, or what should be a folder above it, is a file",
                solution="Name a folder, or put the folder back that was there.",
            )
        probe(self, name=f"the folder {self.folder}")
        with self._writing(_DRAFTS):
            remove_abandoned(self._drafts)

    def drafts(self) -> Iterator[int]:
        """See :meth:`KeepsDrafts.drafts <qdepot.ports.object_store.KeepsDrafts.drafts>`."""
        with self._reading(_DRAFTS), contextlib.suppress(*_NOT_THERE), os.scandir(self._drafts) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    yield entry.stat().st_size

    @property
    def _drafts(self) -> Path:
        return self.folder / _DRAFTS

    def _path(self, key: str) -> Path:
        return self.folder / checked_key(key)

    def _created(self, objects: Sequence[tuple[str, Buffer | BinaryIO]]) -> list[int | None]:
        """Per object its size, or None if its key was taken."""
        paths = [self._path(key) for key, _ in objects]
        sizes: list[int | None] = [None] * len(objects)
        free = [at for at, path in enumerate(paths) if not path.is_file()]
        folders = {path.parent for path in paths}
        with self._writing(objects[0][0] if objects else ""):
            self._make_folders(folders)
            for places in _few_at_a_time(free):
                contents = [objects[at][1] for at in places]
                with written(self._drafts, contents, threads=self._threads) as drafts:
                    for at, draft in zip(places, drafts, strict=True):
                        sizes[at] = draft.size_bytes if draft.publish(paths[at]) else None
            # Also for a key that was taken: what its writer has not synced yet would be gone after a power cut, and
            # whoever is told that it is there relies on it.
            for folder in folders:
                sync_folder(folder)
        return sizes

    @contextlib.contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        try:
            yield
        except _NOT_THERE as error:
            if isinstance(error, NotADirectoryError) and self._is_replaced():
                _unavailable(error, "read", key)
            raise ObjectNotFoundError(f"there is no object {key}", details={"key": key}) from error
        except OSError as error:
            _unavailable(error, "read", key)

    @contextlib.contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _BAD_NAME and not self._is_replaced():
                message = (
                    f"{key} cannot be stored: a part of it is the key of another object, or too long for a file name"
                )
                raise InvalidRequestError(message, details={"key": key}) from error
            _unavailable(error, "write", key)

    def _is_replaced(self) -> bool:
        """True if what should be the folder, or one above it, is something else."""
        try:
            return not stat.S_ISDIR(self.folder.stat().st_mode)
        except NotADirectoryError:
            return True
        except OSError:
            return False

    def _make_folders(self, folders: Iterable[Path]) -> None:
        for folder in (self._drafts, *folders):
            if folder not in self._synced or not folder.is_dir():
                make_folder(folder, root=self.folder)
                self._synced.add(folder)


def _few_at_a_time(places: Sequence[int]) -> Iterator[Sequence[int]]:
    """Each draft is an open file, and a process may have only so many."""
    for start in range(0, len(places), _OPEN_DRAFTS):
        yield places[start : start + _OPEN_DRAFTS]


def _found(folder: Path, above: str, prefix: str) -> Iterator[ObjectInfo]:
    """Objects below a folder whose own keys begin with ``above``."""
    with contextlib.suppress(*_NOT_THERE), os.scandir(folder) as entries:
        for entry in entries:
            key = f"{above}{entry.name}"
            if not key.startswith(prefix) or not is_key(key):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _found(folder / entry.name, f"{key}/", prefix)
                continue
            with contextlib.suppress(FileNotFoundError):
                if entry.is_file():
                    yield ObjectInfo(key=key, size_bytes=entry.stat().st_size)


def _is_removed(path: Path) -> bool:
    try:
        path.unlink()
    except _NOT_THERE:
        return False
    except PermissionError:
        if path.is_dir():  # how some systems say that it is one
            return False
        raise
    return True


def _unavailable(error: OSError, verb: str, key: str) -> NoReturn:
    solution = "Look at the file system that holds the folder, and at the rights of this process on it."
    if error.errno in _NO_ROOM:
        solution = "Make room on the file system that holds the folder."
    raise UnavailableError(f"cannot {verb} {key}: {error}", solution=solution, details={"key": key}) from error
