"""Going through a store: what is there, read piece by piece, never all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from qdepot.archive.manifest import damaged
from qdepot.archive.notes import read_edit
from qdepot.archive.part_shelf import PartFile
from qdepot.archive.places import Kind, Place, place_of
from qdepot.archive.prepared import read_prepared
from qdepot.archive.recovery import read_bundle, read_receipt, read_requests, read_tombstone
from qdepot.errors import ArchiveDamagedError
from qdepot.ports.object_store import ObjectNotFoundError, ObjectStore

T = TypeVar("T")

_AT_ONCE = 8


def places(store: ObjectStore, *kinds: Kind, prefix: str = "") -> Iterator[Place]:
    """All objects of these kinds; without ``kinds`` all that are ours."""
    wanted = kinds or tuple(kind for kind in Kind if kind not in {Kind.CHECK, Kind.OTHER})
    for info in store.scan(prefix):
        place = place_of(info.key)
        if place.kind in wanted:
            yield place


def groups(items: Iterable[T], *, size: int) -> Iterator[list[T]]:
    """The items, so many at a time."""
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some


def read_each(found: Iterable[Place], read: Callable[[str], T]) -> Iterator[tuple[Place, T | ArchiveDamagedError]]:
    """Read objects, a few at a time, in their order; what is damaged, or went away meanwhile, is its own answer.

    Raises:
        UnavailableError: A store does not answer.
    """

    def read_one(place: Place) -> T | ArchiveDamagedError:
        try:
            return read(place.key)
        except ArchiveDamagedError as error:
            return error
        except ObjectNotFoundError:
            return damaged(place.key, "it went away while it was about to be read")

    waiting: list[tuple[Place, Future[T | ArchiveDamagedError]]] = []
    with ThreadPoolExecutor(_AT_ONCE) as readers:
        for place in found:
            waiting.append((place, readers.submit(read_one, place)))
            if len(waiting) == 2 * _AT_ONCE:
                done, future = waiting.pop(0)
                yield done, future.result()
        for place, future in waiting:
            yield place, future.result()


def read_any(store: ObjectStore, key: str) -> object:
    """Read an object of ours as a whole, whatever it is; what it tells.

    Raises:
        ObjectNotFoundError: There is none.
        ArchiveDamagedError: It is not what was written.
    """
    reader = _READERS.get(place_of(key).kind)
    return None if reader is None else reader(store, key)


def _read_part(store: ObjectStore, key: str) -> None:
    part = PartFile.open(store, key)
    part.stored_part()
    part.check()


_READERS: dict[Kind, Callable[[ObjectStore, str], object]] = {
    Kind.REQUEST: read_requests,
    Kind.BATCH: read_requests,
    Kind.PREPARED: read_prepared,
    Kind.RECEIPT: read_receipt,
    Kind.PART: _read_part,
    Kind.BUNDLE: read_bundle,
    Kind.EDIT: read_edit,
    Kind.TOMBSTONE: read_tombstone,
}
