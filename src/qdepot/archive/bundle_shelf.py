"""Bundles in the completed store: written once, or adopted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack

from qdepot.archive import layout
from qdepot.archive.bundle import RESULT, WHOLE_BYTES, Bundle
from qdepot.archive.job_document import read_ending, read_job
from qdepot.archive.manifest import damaged
from qdepot.archive.packing import PackedBundle, StoredBundle
from qdepot.errors import ArchiveDamagedError, QDepotError
from qdepot.ports.object_store import ObjectExistsError, ObjectStore

_OF_THE_RUN = ("attempt", "queued_at", "running_at", "provider_job_id", "vendor_status", "summary", "cancel_requested")
"""What a bundle says of the run whose result it holds."""

_AT_ONCE_BYTES = 16 * 1024 * 1024
_PIECE_BYTES = 1024 * 1024


def store_bundles(
    store: ObjectStore, bundles: Iterable[PackedBundle | QDepotError]
) -> list[StoredBundle | QDepotError]:
    """Store each bundle, or adopt the one that is there; small ones are made durable together.

    The bundles are taken one after the other, so that their bytes need not all be in memory at once. An error in place
    of a bundle, which could not be made, stays in its place.
    """
    answers: dict[int, StoredBundle | QDepotError] = {}
    waiting: dict[int, PackedBundle] = {}
    for place, bundle in enumerate(bundles):
        if isinstance(bundle, QDepotError):
            answers[place] = bundle
            continue
        waiting[place] = bundle
        if bundle.in_memory is None or sum(it.stored.size_bytes for it in waiting.values()) > _AT_ONCE_BYTES:
            answers.update(zip(waiting, _store_together(store, list(waiting.values())), strict=True))
            waiting = {}
    answers.update(zip(waiting, _store_together(store, list(waiting.values())), strict=True))
    return [answers[place] for place in sorted(answers)]


def measured(store: ObjectStore, key: str) -> tuple[int, str]:
    """Size and SHA-256 of an object, read in pieces.

    Raises:
        ObjectNotFoundError: There is none.
    """
    digest = hashlib.sha256()
    size = 0
    while True:
        piece = store.get_range(key, start=size, length=_PIECE_BYTES)
        digest.update(piece)
        size += len(piece)
        if len(piece) < _PIECE_BYTES:
            return size, digest.hexdigest()


def measured_bundle(store: ObjectStore, key: str, *, wanted_sha256: str | None = None) -> tuple[Bundle, int, str]:
    """A bundle with its size and SHA-256; a small one is read once.

    Raises:
        ObjectNotFoundError: There is none.
        ArchiveDamagedError: It has not the checksum that is wanted, or is not a zip file.
    """
    beginning = store.get_range(key, start=0, length=WHOLE_BYTES)
    is_small = len(beginning) < WHOLE_BYTES
    size_bytes, sha256 = len(beginning), hashlib.sha256(beginning).hexdigest()
    if not is_small:
        size_bytes, sha256 = measured(store, key)
    if wanted_sha256 not in {None, sha256}:
        raise damaged(key, "its checksum is not the one that was noted when it was written")
    return Bundle.of(key, beginning) if is_small else Bundle.open(store, key), size_bytes, sha256


def pieces_of(store: ObjectStore, key: str, *, sha256: str | None) -> Iterator[bytes]:
    """The file as it lies there, in pieces; its checksum is compared before the last piece is given.

    Raises:
        ArchiveDamagedError: It is not what was written.
    """
    digest, start, held = hashlib.sha256(), 0, b""
    while piece := store.get_range(key, start=start, length=_PIECE_BYTES):
        if held:
            yield held
        digest.update(piece)
        held, start = piece, start + len(piece)
        if len(piece) < _PIECE_BYTES:
            break
    if sha256 not in {None, digest.hexdigest()}:
        raise damaged(key, "its checksum is not the one that was noted when it was written")
    yield held


def _store_together(store: ObjectStore, bundles: Sequence[PackedBundle]) -> list[StoredBundle | ArchiveDamagedError]:
    with ExitStack() as files:
        for it in bundles:
            files.enter_context(it.file)
        small = [(it.stored.key, content) for it in bundles if (content := it.in_memory) is not None]
        created = iter(store.create_many(small) if small else [])
        is_new = [next(created) if it.in_memory is not None else _create_large(store, it) for it in bundles]
    return [it.stored if new else _adopted(store, it.stored.key) for it, new in zip(bundles, is_new, strict=True)]


def _create_large(store: ObjectStore, bundle: PackedBundle) -> bool:
    try:
        store.create(bundle.stored.key, bundle.file)
    except ObjectExistsError:
        return False
    return True


def _adopted(store: ObjectStore, key: str) -> StoredBundle | ArchiveDamagedError:
    try:
        bundle, size_bytes, sha256 = measured_bundle(store, key)
        bundle.check()
        ending = read_ending(bundle.document, key=key)
        job = read_job(bundle.document, key=key, request_key="")
    except ArchiveDamagedError as error:
        return error
    if bundle.document.get("id") != layout.id_of(key):
        return damaged(key, "it is the bundle of another job")
    result = bundle.manifest.get(RESULT)
    return StoredBundle(
        key=key,
        sha256=sha256,
        size_bytes=size_bytes,
        result_size_bytes=result.size_bytes if result else None,
        circuits_done=int(bundle.document.get("circuits_done", 0)),
        status=ending.status,
        failure=ending.failure,
        ended_at=ending.ended_at,
        adopted=True,
        told={name: getattr(job, name) for name in _OF_THE_RUN},
    )
