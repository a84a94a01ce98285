"""What an object is and whose, by its key alone: the way back from :mod:`.layout`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from qdepot.archive import layout
from qdepot.ports.object_store import checked_at


class Kind(StrEnum):
    """What an object is."""

    REQUEST = "request"
    BATCH = "batch"
    PREPARED = "prepared"
    RECEIPT = "receipt"
    PART = "part"
    BUNDLE = "bundle"
    EDIT = "edit"
    TOMBSTONE = "tombstone"
    CHECK = "check"
    """By which the store was proven; there for a moment only."""
    OTHER = "other"
    """None of ours."""


_KEY = re.compile(rf"{layout.PROJECT.pattern}/\d{{4}}-\d\d-\d\d/(?P<id>{layout.ID.pattern})\.(?P<ending>.+)")
_ENDINGS = {
    Kind.REQUEST: re.compile(r"request\.json"),
    Kind.BATCH: re.compile(r"batch\.json"),
    Kind.PREPARED: re.compile(r"prepared-(?P<number>\d{4,})\.json"),
    Kind.RECEIPT: re.compile(r"receipt-(?P<number>\d{4,})\.json"),
    Kind.PART: re.compile(r"part-(?P<number>\d{4,})\.zip"),
    Kind.BUNDLE: re.compile(r"zip"),
    Kind.EDIT: re.compile(r"edit-(?P<number>\d{6,})-[A-Za-z0-9_-]+\.json"),
    Kind.TOMBSTONE: re.compile(r"tombstone\.json"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a key says.

    Attributes:
        key: The key.
        kind: Of the object.
        id: Of the job, or of the batch, that it belongs to; empty where it is none of ours.
        number: Of the attempt, the part or the edited version; 0 where there is none.
    """

    key: str
    kind: Kind
    id: str = ""
    number: int = 0


def place_of(key: str) -> Place:
    """What lies under a key."""
    match = _KEY.fullmatch(key)
    if match is not None:
        for kind, pattern in _ENDINGS.items():
            if ending := pattern.fullmatch(match["ending"]):
                number = int(ending["number"]) if "number" in pattern.groupindex else 0
                return Place(key=key, kind=kind, id=match["id"], number=number)
    return Place(key=key, kind=Kind.OTHER if checked_at(key) is None else Kind.CHECK)
