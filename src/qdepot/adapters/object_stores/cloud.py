"""Objects in a bucket: Amazon S3 and what speaks like it, Google Cloud Storage, Azure Blob."""

from __future__ import annotations

import contextlib
import io
import mmap
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import BinaryIO

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

from qdepot.adapters.object_stores.buckets import make_bucket
from qdepot.adapters.object_stores.causes import cause_of
from qdepot.adapters.object_stores.cloud_options import CloudClient, CloudOptions
from qdepot.adapters.object_stores.probe import probe
from qdepot.domain.result import Buffer
from qdepot.errors import UnavailableError
from qdepot.ports.object_store import ObjectExistsError, ObjectInfo, ObjectNotFoundError, checked_key, is_key

_AT_A_TIME = 16
_SMALL_BYTES = 1024 * 1024
"""A write of so much is done well before anybody would call the store silent."""
_REFUSED = ("401 Unauthorized", "403 Forbidden")
_OUT_OF_RANGE = ("416 ", "Wanted range starting at")
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist")
_MAKE_IT = "Make the bucket, or correct its name in the settings, or let it be made: store.create_buckets (S3 alone)."


@dataclass(frozen=True, slots=True)
class CloudStore:
    """An :class:`~qdepot.ports.object_store.ObjectStore` in a bucket, or below a prefix of one.

    Creating is one conditional PUT, of at most 5 GB. If the answer to it is lost and it is repeated, it finds its own
    object and says that the key is taken; whoever is told so compares contents.

    Attributes:
        url: Names bucket and prefix; holds no secret.
        client: What :meth:`CloudOptions.client` gives.
        patient_client: The same for writes of large objects.
        make_bucket: Called by the check if there is no bucket; None: that is an error.
    """

    url: str
    client: CloudClient = field(repr=False, compare=False)
    patient_client: CloudClient = field(repr=False, compare=False)
    make_bucket: Callable[[], None] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def open(cls, url: str, options: CloudOptions | None = None) -> CloudStore:
        """Get ready to speak to a bucket; nothing is sent yet.

        Raises:
            InvalidRequestError: URL or options make no sense.
        """
        options = options or CloudOptions()
        make = partial(make_bucket, url, options) if options.create_buckets else None
        return cls(url, options.client(url), options.client(url, patient=True), make)

    def create(self, key: str, data: Buffer | BinaryIO) -> ObjectInfo:
        """See :meth:`ObjectStore.create <qdepot.ports.object_store.ObjectStore.create>`."""
        content = _content(data)
        with self._asked(checked_key(key)):
            obstore.put(self._client_for(content), key, content, mode="create", use_multipart=False)
        return ObjectInfo(key=key, size_bytes=memoryview(content).nbytes)

    def create_many(self, objects: Sequence[tuple[str, Buffer]]) -> list[bool]:
        """See :meth:`ObjectStore.create_many <qdepot.ports.object_store.ObjectStore.create_many>`."""
        first: dict[str, int] = {}
        for at, (key, _) in enumerate(objects):
            first.setdefault(checked_key(key), at)
        with ThreadPoolExecutor(min(_AT_A_TIME, len(first) or 1)) as pool:
            written = {at: pool.submit(self._is_created, *objects[at]) for at in first.values()}
        return [at in written and written[at].result() for at in range(len(objects))]

    def replace(self, key: str, data: Buffer | BinaryIO) -> ObjectInfo:
        """See :meth:`ObjectStore.replace <qdepot.ports.object_store.ObjectStore.replace>`."""
        content = _content(data)
        with self._asked(checked_key(key)):
            obstore.put(self._client_for(content), key, content)
        return ObjectInfo(key=key, size_bytes=memoryview(content).nbytes)

    def get(self, key: str) -> bytes:
        """See :meth:`ObjectStore.get <qdepot.ports.object_store.ObjectStore.get>`."""
        with self._asked(checked_key(key)):
            return bytes(obstore.get(self.client, key).bytes())

    def get_range(self, key: str, *, start: int, length: int) -> bytes:
        """See :meth:`ObjectStore.get_range <qdepot.ports.object_store.ObjectStore.get_range>`."""
        if length == 0:
            self.head(key)
            return b""
        try:
            with self._asked(checked_key(key)):
                return bytes(obstore.get_range(self.client, key, start=start, length=length))
        except UnavailableError as error:
            # A range behind the end: the library has no class for this error.
            is_behind = any(words in str(error.__cause__) for words in _OUT_OF_RANGE)
            if is_behind and start >= self.head(key).size_bytes:
                return b""
            raise

    def head(self, key: str) -> ObjectInfo:
        """See :meth:`ObjectStore.head <qdepot.ports.object_store.ObjectStore.head>`."""
        with self._asked(checked_key(key)):
            return ObjectInfo(key=key, size_bytes=obstore.head(self.client, key)["size"])

    def scan(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See :meth:`ObjectStore.scan <qdepot.ports.object_store.ObjectStore.scan>`.

        Asks for the folder that the prefix ends in, from the prefix on and as far as it goes.
        """
        above, tail = prefix[: prefix.rfind("/") + 1], prefix[prefix.rfind("/") + 1 :]
        if above and not is_key(above[:-1]):
            return
        offset = prefix[:-1] if is_key(prefix[:-1]) else None
        with self._asked(prefix):
            for page in obstore.list(self.client, above[:-1] or None, offset=offset):
                for found in page:
                    key = found["path"]
                    if key.startswith(prefix):
                        yield ObjectInfo(key=key, size_bytes=found["size"])
                    elif _is_behind(key[len(above) :], tail):
                        return

    def delete(self, keys: Sequence[str]) -> None:
        """See :meth:`ObjectStore.delete <qdepot.ports.object_store.ObjectStore.delete>`."""
        unique = sorted({checked_key(key) for key in keys})
        if not unique:
            return
        try:
            with self._asked(unique[0]):
                obstore.delete(self.client, unique)
        except ObjectNotFoundError:
            # Some stores call it an error if one of them is not there, and it is open what became of the others.
            for key in unique:
                with contextlib.suppress(ObjectNotFoundError), self._asked(key):
                    obstore.delete(self.client, key)

    def check(self) -> None:
        """See :meth:`ObjectStore.check <qdepot.ports.object_store.ObjectStore.check>`."""
        name = f"the object store {self.url}"
        try:
            probe(self, name=name)
        except UnavailableError as error:
            if self.make_bucket is None or not _is_without_bucket(error.__cause__):
                raise
            self.make_bucket()
            probe(self, name=name)

    def url_of(self, key: str, *, valid_for: timedelta) -> str:
        """See :meth:`SignsUrls.url_of <qdepot.ports.object_store.SignsUrls.url_of>`."""
        with self._asked(checked_key(key)):
            return obstore.sign(self.client, "GET", key, valid_for)

    def _client_for(self, content: Buffer) -> CloudClient:
        return self.client if memoryview(content).nbytes <= _SMALL_BYTES else self.patient_client

    def _is_created(self, key: str, data: Buffer) -> bool:
        try:
            self.create(key, data)
        except ObjectExistsError:
            return False
        return True

    @contextlib.contextmanager
    def _asked(self, key: str) -> Iterator[None]:
        try:
            yield
        except (AlreadyExistsError, PreconditionError) as error:
            raise ObjectExistsError(f"there is an object {key} already", details={"key": key}) from error
        except FileNotFoundError as error:
            if _is_without_bucket(error):
                raise self._unavailable(error, _MAKE_IT) from error
            raise ObjectNotFoundError(f"there is no object {key}", details={"key": key}) from error
        except (BaseError, OSError, ValueError) as error:
            raise self._unavailable(error, _solution(error)) from error

    def _unavailable(self, error: Exception, solution: str) -> UnavailableError:
        return UnavailableError(f"the object store {self.url} does not serve: {cause_of(error)}", solution=solution)


def _is_without_bucket(error: BaseException | None) -> bool:
    return isinstance(error, FileNotFoundError) and any(word in str(error) for word in _NO_BUCKET)


def _solution(error: Exception) -> str:
    refused = isinstance(error, PermissionDeniedError | UnauthenticatedError)
    if refused or any(status in str(error) for status in _REFUSED):  # a refused list has no class of its own
        return "Look at the credentials in the settings, at the rights they give, and at the machine's clock."
    return "Look at the network, and at the store itself."


def _is_behind(name: str, tail: str) -> bool:
    """True if no further key of a list can begin with what ``tail`` ends.

    Only the first part counts: stores differ on whether ``a/b`` comes before ``a-``.
    """
    return name.partition("/")[0] > tail and not name.startswith(tail)


def _content(data: Buffer | BinaryIO) -> Buffer:
    """The bytes as one buffer; those of a real file are mapped, not read."""
    if isinstance(data, bytes | bytearray | memoryview):
        return data
    try:
        fd = data.fileno()
    except (AttributeError, io.UnsupportedOperation):
        return data.read()
    start = data.tell()
    if start >= os.fstat(fd).st_size:
        return data.read()
    return memoryview(mmap.mmap(fd, 0, access=mmap.ACCESS_READ))[start:]
