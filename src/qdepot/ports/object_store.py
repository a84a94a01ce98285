"""Where bytes are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Protocol, runtime_checkable

from qdepot.domain.result import Buffer
from qdepot.errors import ConflictError, InvalidRequestError, NotFoundError

_KEY_PART = re.compile(r"[A-Za-z0-9._-]{1,200}")
_LONGEST_KEY = 800
_CHECKED_AT = "%Y%m%dT%H%M%SZ"
_CHECK_KEY = re.compile(r"qdepot-check-(\d{8}T\d{6}Z)-[0-9a-f]+")


class ObjectExistsError(ConflictError):
    """There is an object under this key already."""

    code = "object_exists"


class ObjectNotFoundError(NotFoundError):
    """There is no object under this key."""

    code = "object_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """What a store knows of an object without reading it."""

    key: str
    size_bytes: int


def checked_key(key: str) -> str:
    """The key itself, if it is one that every store can keep.

    Keys are relative, ``/``-separated, of the characters ``A-Z a-z 0-9 . _ - /``, without empty, ``.`` or ``..`` parts;
    a part has at most 200 characters, a key at most 800.

    Raises:
        InvalidRequestError: It is none.
    """
    if not is_key(key):
        raise InvalidRequestError(
            f"{key[:100]!r} cannot be the key of an object",
            solution="Keys are relative paths of letters, digits, dots, hyphens and underscores.",
        )
    return key


def is_key(text: str) -> bool:
    """True if :func:`checked_key` lets it pass."""
    parts = text.split("/")
    return len(text) <= _LONGEST_KEY and all(_KEY_PART.fullmatch(part) and part not in {".", ".."} for part in parts)


def check_key(at: datetime, *, nonce: str) -> str:
    """The key of the object by which a store is proven, which is there for a moment only."""
    return f"qdepot-check-{at.astimezone(UTC):{_CHECKED_AT}}-{nonce}"


def checked_at(key: str) -> datetime | None:
    """When the check began that wrote this object; None if it is something else."""
    match = _CHECK_KEY.fullmatch(key)
    return None if match is None else datetime.strptime(match[1], _CHECKED_AT).replace(tzinfo=UTC)


class ObjectStore(Protocol):
    """Keys and bytes: a whole object or none.

    Keys are what :func:`checked_key` lets pass; any other key is an :class:`~qdepot.errors.InvalidRequestError`. No key
    may be a folder of another (``a`` and ``a/b``): a store may refuse the second. All methods block, thread-safe.
    A store that cannot be reached, is full or answers rubbish raises
    :class:`~qdepot.errors.UnavailableError`; then a write may or may not have happened, and repeating it is safe.
    """

    def create(self, key: str, data: Buffer | BinaryIO) -> ObjectInfo:
        """Write a new object; when this returns, it survives a power cut.

        A reader never sees half an object. ``data`` may be a binary file, read from its current position to its end.

        Raises:
            ObjectExistsError: The key is taken; of several racing writers exactly one wins. Nothing is changed.
        """
        ...

    def create_many(self, objects: Sequence[tuple[str, Buffer]]) -> list[bool]:
        """Write several new objects, durable together when this returns.

        Returns:
            Per object True if it was written, False if its key was taken already.
        """
        ...

    def replace(self, key: str, data: Buffer | BinaryIO) -> ObjectInfo:
        """Write an object whether or not there is one; atomic and durable as :meth:`create`."""
        ...

    def get(self, key: str) -> bytes:
        """The whole object.

        Raises:
            ObjectNotFoundError: There is none.
        """
        ...

    def get_range(self, key: str, *, start: int, length: int) -> bytes:
        """``length`` bytes from offset ``start`` (neither negative); fewer, or none, where the object ends before.

        Raises:
            ObjectNotFoundError: There is none.
        """
        ...

    def head(self, key: str) -> ObjectInfo:
        """Size of an object.

        Raises:
            ObjectNotFoundError: There is none.
        """
        ...

    def scan(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """All objects whose key starts with ``prefix``, in no promised order. Not on the way of any job."""
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; a key that is not there is fine."""
        ...

    def check(self) -> None:
        """Prove that the store can be written, read, and honours create-only writes.

        Raises:
            UnavailableError: It does not answer, or is full.
            InvalidRequestError: It can never serve: it overwrites in silence.
        """
        ...


@runtime_checkable
class KeepsDrafts(Protocol):
    """A store that writes objects aside before they appear."""

    def drafts(self) -> Iterator[int]:
        """The sizes in bytes of what is being written, or was when its writer died.

        :meth:`ObjectStore.check` removes what the dead have left.
        """
        ...


@runtime_checkable
class SignsUrls(Protocol):
    """A store from which somebody without credentials can fetch an object, given an address that proves the right."""

    def url_of(self, key: str, *, valid_for: timedelta) -> str:
        """An address to GET the object from, until the time is over. Whoever has it can read it: a secret."""
        ...
