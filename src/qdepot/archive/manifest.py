"""Checksums of what a bundle holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from qdepot.domain.result import Buffer
from qdepot.errors import ArchiveDamagedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file in a bundle.

    Attributes:
        name: Its path in the bundle.
        size_bytes: Uncompressed.
        sha256: Of the uncompressed content.
    """

    name: str
    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, name: str, content: Buffer) -> Member:
        """Describe a file."""
        return cls(name=name, size_bytes=memoryview(content).nbytes, sha256=hashlib.sha256(content).hexdigest())

    def document(self) -> dict[str, object]:
        """As it stands in ``job.json`` and in answers."""
        return {"name": self.name, "size_bytes": self.size_bytes, "sha256": self.sha256}

    def checked(self, pieces: Iterable[bytes], *, key: str) -> Iterator[bytes]:
        """Pass the pieces of the content on, and check behind the last that they were what was written.

        Raises:
            ArchiveDamagedError: They were not.
        """
        digest = hashlib.sha256()
        size = 0
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            yield piece
        if size != self.size_bytes or digest.hexdigest() != self.sha256:
            raise damaged(key, f"{self.name} has other bytes than the manifest says")


def manifest_document(members: Mapping[str, Buffer]) -> list[dict[str, object]]:
    """The manifest of some files, in their order."""
    return [Member.of(name, content).document() for name, content in members.items()]


def read_manifest(document: object, *, key: str) -> dict[str, Member]:
    """The members of a bundle by name, in the order in which they were written.

    Raises:
        ArchiveDamagedError: The document is not a manifest.
    """
    if not isinstance(document, list):
        raise damaged(key, "job.json has no manifest")
    try:
        members = [
            Member(name=str(it["name"]), size_bytes=int(it["size_bytes"]), sha256=str(it["sha256"])) for it in document
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(key, "job.json has no proper manifest") from error
    return {member.name: member for member in members}


def damaged(key: str, what: str) -> ArchiveDamagedError:
    """The error that says what is wrong with an object."""
    return ArchiveDamagedError(
        f"the object {key} is damaged: {what}",
        solution="Restore the object from a backup; `qdepot archive verify` looks for more.",
        details={"key": key},
    )
