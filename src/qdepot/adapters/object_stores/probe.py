"""What a store must be able to do before anything is entrusted to it."""

from __future__ import annotations

import contextlib
import secrets
from datetime import UTC, datetime

from qdepot.errors import InvalidRequestError, QDepotError, UnavailableError
from qdepot.ports.object_store import ObjectExistsError, ObjectStore, check_key


def probe(store: ObjectStore, *, name: str) -> None:
    """Write, fail to overwrite, read and delete an object of a name of its own.

    A process that dies meanwhile leaves the object behind.

    Raises:
        UnavailableError: The store does not answer, is full, or gives other bytes back.
        InvalidRequestError: It overwrites in silence what must only be created.
    """
    key = check_key(datetime.now(UTC), nonce=secrets.token_hex(8))
    content = secrets.token_bytes(16)
    # Nobody else has this key: if it is taken, the answer to the first of several tries was lost on the way.
    with contextlib.suppress(ObjectExistsError):
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
