"""Objects in the memory of one process: for tests, and as the model that other stores are compared with."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from qdepot.domain.result import Buffer
from qdepot.ports.object_store import ObjectExistsError, ObjectInfo, ObjectNotFoundError, checked_key


@dataclass(frozen=True, slots=True)
class MemoryStore:
    """An :class:`~qdepot.ports.object_store.ObjectStore` that survives nothing."""

    _objects: dict[str, bytes] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def create(self, key: str, data: Buffer | BinaryIO) -> ObjectInfo:
        """See :meth:`ObjectStore.create <qdepot.ports.object_store.ObjectStore.create>`."""
        content = _content(data)
        if not self._put_new(checked_key(key), content):
            raise ObjectExistsError(f"there is an object {key} already", details={"key": key})
        return ObjectInfo(key=key, size_bytes=len(content))

    def create_many(self, objects: Sequence[tuple[str, Buffer]]) -> list[bool]:
        """See :meth:`ObjectStore.create_many <qdepot.ports.object_store.ObjectStore.create_many>`."""
        for key, _ in objects:
            checked_key(key)
        return [self._put_new(key, bytes(data)) for key, data in objects]

    def replace(self, key: str, data: Buffer | BinaryIO) -> ObjectInfo:
        """See :meth:`ObjectStore.replace <qdepot.ports.object_store.ObjectStore.replace>`."""
        content = _content(data)
        with self._lock:
            self._objects[checked_key(key)] = content
        return ObjectInfo(key=key, size_bytes=len(content))

    def get(self, key: str) -> bytes:
        """See :meth:`ObjectStore.get <qdepot.ports.object_store.ObjectStore.get>`."""
        content = self._objects.get(checked_key(key))
        if content is None:
            raise ObjectNotFoundError(f"there is no object {key}", details={"key": key})
        return content

    def get_range(self, key: str, *, start: int, length: int) -> bytes:
        """See :meth:`ObjectStore.get_range <qdepot.ports.object_store.ObjectStore.get_range>`."""
        return self.get(key)[start : start + length]

    def head(self, key: str) -> ObjectInfo:
        """See :meth:`ObjectStore.head <qdepot.ports.object_store.ObjectStore.head>`."""
        return ObjectInfo(key=key, size_bytes=len(self.get(key)))

    def scan(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See :meth:`ObjectStore.scan <qdepot.ports.object_store.ObjectStore.scan>`."""
        with self._lock:
            found = [(key, len(content)) for key, content in self._objects.items() if key.startswith(prefix)]
        for key, size in found:
            yield ObjectInfo(key=key, size_bytes=size)

    def delete(self, keys: Sequence[str]) -> None:
        """See :meth:`ObjectStore.delete <qdepot.ports.object_store.ObjectStore.delete>`."""
        with self._lock:
            for key in keys:
                self._objects.pop(checked_key(key), None)

    def check(self) -> None:
        """Memory is always there, and create-only by construction."""

    def _put_new(self, key: str, content: bytes) -> bool:
        with self._lock:
            if key in self._objects:
                return False
            self._objects[key] = content
            return True


def _content(data: Buffer | BinaryIO) -> bytes:
    return bytes(data) if isinstance(data, bytes | bytearray | memoryview) else data.read()
