"""An object store that fails on command, and counts what it is asked."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import BinaryIO, TypeVar

from qdepot.domain.result import Buffer
from qdepot.errors import UnavailableError
from qdepot.ports.object_store import ObjectInfo, ObjectStore

T = TypeVar("T")


class Moment(StrEnum):
    """When a call fails."""

    BEFORE = "before"
    """Nothing was done."""
    MIDWAY = "midway"
    """Of several objects the first half was done; of one, nothing."""
    AFTER = "after"
    """All was done, and the answer got lost."""


class FaultyStore:
    """Wraps a store; each failure is an :class:`~qdepot.errors.UnavailableError`. Thread-safe.

    Attributes:
        calls: How often each verb was asked for, failed or not.
    """

    def __init__(self, store: ObjectStore) -> None:
        self.calls: Counter[str] = Counter()
        self._store = store
        self._lock = threading.Lock()
        self._planned: dict[str, list[Moment]] = {}
        self._is_down = False

    def fail_next(self, verb: str, moment: Moment = Moment.BEFORE, *, times: int = 1) -> None:
        """Let the next calls of a verb fail, behind those that were told to fail before."""
        with self._lock:
            self._planned.setdefault(verb, []).extend([moment] * times)

    def go_down(self) -> None:
        """Let every call fail, before anything is done, until :meth:`come_back`."""
        self._is_down = True

    def come_back(self) -> None:
        """Answer again. Failures that were told to single verbs are still to come."""
        self._is_down = False

    def create(self, key: str, data: Buffer | BinaryIO) -> ObjectInfo:
        """See :class:`~qdepot.ports.object_store.ObjectStore`."""
        return self._called("create", lambda: self._store.create(key, data))

    def create_many(self, objects: Sequence[tuple[str, Buffer]]) -> list[bool]:
        """See :class:`~qdepot.ports.object_store.ObjectStore`."""
        half = objects[: len(objects) // 2]
        return self._called(
            "create_many", lambda: self._store.create_many(objects), lambda: self._store.create_many(half)
        )

    def replace(self, key: str, data: Buffer | BinaryIO) -> ObjectInfo:
        """See :class:`~qdepot.ports.object_store.ObjectStore`."""
        return self._called("replace", lambda: self._store.replace(key, data))

    def get(self, key: str) -> bytes:
        """See :class:`~qdepot.ports.object_store.ObjectStore`."""
        return self._called("get", lambda: self._store.get(key))

    def get_range(self, key: str, *, start: int, length: int) -> bytes:
        """See :class:`~qdepot.ports.object_store.ObjectStore`."""
        return self._called("get_range", lambda: self._store.get_range(key, start=start, length=length))

    def head(self, key: str) -> ObjectInfo:
        """See :class:`~qdepot.ports.object_store.ObjectStore`."""
        return self._called("head", lambda: self._store.head(key))

    def scan(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See :class:`~qdepot.ports.object_store.ObjectStore`. Fails, if at all, when it is called."""
        return self._called("scan", lambda: self._store.scan(prefix))

    def delete(self, keys: Sequence[str]) -> None:
        """See :class:`~qdepot.ports.object_store.ObjectStore`."""
        half = keys[: len(keys) // 2]
        self._called("delete", lambda: self._store.delete(keys), lambda: self._store.delete(half))

    def check(self) -> None:
        """See :class:`~qdepot.ports.object_store.ObjectStore`."""
        self._called("check", self._store.check)

    def _called(self, verb: str, whole: Callable[[], T], half: Callable[[], object] | None = None) -> T:
        moment = self._next_moment(verb)
        if moment is None:
            return whole()
        if moment is Moment.AFTER:
            whole()
        elif moment is Moment.MIDWAY and half is not None:
            half()
        raise UnavailableError(f"the store was told to fail at {verb}", details={"verb": verb, "moment": moment.value})

    def _next_moment(self, verb: str) -> Moment | None:
        with self._lock:
            self.calls[verb] += 1
            if self._is_down:
                return Moment.BEFORE
            planned = self._planned.get(verb)
            return planned.pop(0) if planned else None
