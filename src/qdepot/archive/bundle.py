"""The bundle of a job that has ended: one zip file that json, numpy and zipfile can read."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO, ClassVar, Self

from qdepot.archive.manifest import Member, damaged, read_manifest
from qdepot.archive.range_file import RangeFile
from qdepot.archive.safe_names import is_safe
from qdepot.archive.zip_stream import ZIP64_FROM_BYTES, ZipEntry, zip_pieces
from qdepot.domain.result import Buffer
from qdepot.errors import InternalError, NotFoundError
from qdepot.ports.object_store import ObjectStore

JOB = "job.json"
REQUEST = "request.json"
RESULT = "result.json"

PIECE_BYTES = 256 * 1024
WHOLE_BYTES = 256 * 1024
"""Up to this size a bundle is read at once."""
_DEFLATED_FROM_BYTES = 4096  # below, it saves no block of a disk, and took longer than all the rest of a small bundle
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    ValueError,  # also of JSON, of Unicode, and of offsets before the beginning
    NotImplementedError,  # "compression method 77"
    RuntimeError,  # "password required"
    OverflowError,
)


def write_bundle(target: BinaryIO, members: Mapping[str, Buffer]) -> None:
    """Write a zip of these files, in this order, in little memory.

    Arrays are stored as they are, so that parts of them can be read in place; other files are deflated, fast, once that
    is worth its while. Members carry no time of their own: equal content gives equal bytes.

    Raises:
        InternalError: A name could lead out of the folder that somebody unpacks the bundle into.
    """
    with zipfile.ZipFile(target, "w", compresslevel=1) as bundle:
        for name, content in members.items():
            view = memoryview(content).cast("B")
            small = view.nbytes < _DEFLATED_FROM_BYTES
            bundle.compression = zipfile.ZIP_STORED if small or name.endswith(".npy") else zipfile.ZIP_DEFLATED
            with bundle.open(_checked_name(name), "w", force_zip64=view.nbytes >= ZIP64_FROM_BYTES) as member:
                for start in range(0, view.nbytes, PIECE_BYTES):
                    member.write(view[start : start + PIECE_BYTES])


def arrays_file(members: Iterable[tuple[Member, Iterator[bytes]]]) -> Iterator[bytes]:
    """An ``.npz`` file of these ``.npy`` files, in pieces, without holding any of them as a whole."""
    return zip_pieces(ZipEntry(name=it.name, size_bytes=it.size_bytes, pieces=pieces) for it, pieces in members)


@dataclass(frozen=True)
class Bundle:
    """A bundle in a store, opened for reading.

    What does not fit to the checksums is an :class:`~qdepot.errors.ArchiveDamagedError`.

    Attributes:
        about: The file in it that holds the manifest.
        key: Its key.
    """

    about: ClassVar[str] = JOB

    key: str
    _file: zipfile.ZipFile

    @classmethod
    def open(cls, store: ObjectStore, key: str, *, sha256: str | None = None) -> Self:
        """Open it; a small one is read at once, of a large one only what is asked for.

        Args:
            store: Where it lies.
            key: Under which name.
            sha256: Of the whole bundle, where it is known; a small bundle is compared with it here, the members of a
                large one with the manifest when they are read.

        Raises:
            ObjectNotFoundError: There is none.
            ArchiveDamagedError: It is not a zip file, or not the one that was written.
        """
        beginning = store.get_range(key, start=0, length=WHOLE_BYTES)
        source: BinaryIO = io.BytesIO(beginning)
        if len(beginning) == WHOLE_BYTES:
            raw = RangeFile(store=store, key=key, size_bytes=store.head(key).size_bytes)
            source = io.BufferedReader(raw, buffer_size=1024 * 1024)
        elif sha256 not in {None, hashlib.sha256(beginning).hexdigest()}:
            raise damaged(key, "its checksum is not the one that was noted when it was written")
        with _reading(key):
            return cls(key, zipfile.ZipFile(source))

    @classmethod
    def of(cls, key: str, content: bytes) -> Self:
        """Open a bundle that is in memory as a whole.

        Raises:
            ArchiveDamagedError: It is not a zip file.
        """
        with _reading(key):
            return cls(key, zipfile.ZipFile(io.BytesIO(content)))

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """What ``job.json`` says, or whatever file is :attr:`about` the others."""
        with _reading(self.key):
            document = json.loads(self._file.read(self.about))
        if not isinstance(document, dict):
            raise damaged(self.key, f"{self.about} is no object")
        return document

    @cached_property
    def manifest(self) -> Mapping[str, Member]:
        """All members but that one, in order."""
        return read_manifest(self.document.get("manifest"), key=self.key)

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content of a member; its checksum is compared behind the last piece.

        Raises:
            NotFoundError: There is no such member.
        """
        member = self.manifest.get(name)
        if member is None:
            raise NotFoundError(f"there is no {name} in {self.key}", details={"key": self.key, "member": name})
        return member.checked(self._unpacked(name), key=self.key)

    def read(self, name: str) -> bytes:
        """The content of a member, checked.

        Raises:
            NotFoundError: There is no such member.
        """
        return b"".join(self.pieces(name))

    def check(self) -> None:
        """Read all members and compare them with the manifest.

        Raises:
            ArchiveDamagedError: A member is missing, changed, or not in the manifest.
        """
        with _reading(self.key):
            names = self._file.namelist()
        if sorted(names) != sorted([self.about, *self.manifest]):
            raise damaged(self.key, "its members are not those of the manifest")
        for name in self.manifest:
            for _ in self.pieces(name):
                pass

    def _unpacked(self, name: str) -> Iterator[bytes]:
        with _reading(self.key), self._file.open(name) as member:
            while piece := member.read(PIECE_BYTES):
                yield piece


@contextmanager
def _reading(key: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise damaged(key, f"it cannot be unpacked ({error})") from error


def _checked_name(name: str) -> str:
    if not is_safe(name):
        raise InternalError("a file of a bundle has a name that was not made safe")
    return name
