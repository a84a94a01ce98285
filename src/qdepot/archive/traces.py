"""What the keys alone tell: which jobs were deleted, edited, sent."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from qdepot.archive.going_through import places
from qdepot.archive.places import Kind, Place
from qdepot.ports.object_store import ObjectStore


@dataclass(slots=True)
class SentTraces:
    """How far a job was on its way to a backend elsewhere.

    Attributes:
        prepared: The last attempt that was about to be sent; 0 if none is noted.
        received: The last attempt with a receipt; 0 if there is none.
    """

    prepared: int = 0
    received: int = 0

    @property
    def attempt(self) -> int:
        """The last attempt."""
        return max(self.prepared, self.received)


@dataclass(frozen=True, slots=True)
class Traces:
    """What the keys of an archive tell.

    Attributes:
        tombstones: Their keys, by the id of the job.
        edits: Their keys, by what the keys of the job begin with (see :func:`stem_of`).
        sent: By the same.
        parts: The greatest number of a part, by the same.
    """

    tombstones: dict[str, str] = field(default_factory=dict)
    edits: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    sent: dict[str, SentTraces] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, *, pending: ObjectStore, completed: ObjectStore) -> Traces:
        """Scan both stores; no object is read."""
        traces = cls()
        for place in places(completed):
            if place.kind is Kind.TOMBSTONE:
                traces.tombstones[place.id] = place.key
            elif place.kind is Kind.EDIT:
                traces.edits[stem_of(place.key)].append(place.key)
        for place in places(pending):
            if place.kind in {Kind.PREPARED, Kind.RECEIPT}:
                traces._note_sent(place)
            elif place.kind is Kind.PART:
                stem = stem_of(place.key)
                traces.parts[stem] = max(place.number, traces.parts.get(stem, 0))
        return traces

    def _note_sent(self, place: Place) -> None:
        sent = self.sent.setdefault(stem_of(place.key), SentTraces())
        if place.kind is Kind.PREPARED:
            sent.prepared = max(sent.prepared, place.number)
        else:
            sent.received = max(sent.received, place.number)


def stem_of(key: str) -> str:
    """What the keys of all objects of one job begin with."""
    folder, _, name = key.rpartition("/")
    return f"{folder}/{name.partition('.')[0]}"
