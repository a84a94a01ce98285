"""What a store must be able to do before anything is entrusted to it."""

from __future__ import annotations

import contextlib
import secrets

from qdepot.errors import InvalidRequestError, QDepotError, UnavailableError
from qdepot.ports.object_store import ObjectExistsError, ObjectStore


def probe(store: ObjectStore, *, name: str) -> None:
    """Write, fail to overwrite, read and delete an object of a name of its own.

    Raises:
        UnavailableError: The store does not answer, is full, or gives other bytes back.
        InvalidRequestError: It overwrites in silence what must only be created.
    """
    key = f"qdepot-check-{secrets.token_hex(8)}"
    content = secrets.token_bytes(16)
    store.create(key, content)
    try:
        if not _refuses_second(store, key):
            raise InvalidRequestError(
                f"{name} overwrites objects in silence although it was told to create them only",
                solution="Use a store that honours conditional writes (PUT with If-None-Match: *).",
            )
        if store.get(key) != content:
            raise UnavailableError(f"{name} gives other bytes back than were written")
    except QDepotError:
        with contextlib.suppress(QDepotError):  # what went wrong first is what counts
            store.delete([key])
        raise
    store.delete([key])


def _refuses_second(store: ObjectStore, key: str) -> bool:
    try:
        store.create(key, b"second")
    except ObjectExistsError:
        return True
    return False
