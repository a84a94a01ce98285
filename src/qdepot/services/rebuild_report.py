"""What a rebuild found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from qdepot.errors import ArchiveDamagedError


class Finding(StrEnum):
    """What became of something that was found."""

    ENDED = "ended"
    """A job with its bundle."""
    DELETED = "deleted"
    """A tombstone."""
    AT_BACKEND = "at its backend"
    """A job whose receipt is stored; it is asked for there."""
    MAYBE_SENT = "maybe sent"
    """A job that was about to be sent, without a receipt: the rescuer finds out."""
    TO_RUN = "to be run"
    """A job that never set out, for a backend where that costs nothing."""
    HELD = "held"
    """A job that never set out, which waits for a person."""
    CAUGHT_UP = "caught up"
    """A row that was behind what the archive tells."""
    THERE = "there already"
    """A row that is no less far than what the archive tells."""
    REPEAT = "repeat"
    """A request for the same job as another one."""
    LEFT_OVER = "left over"
    """A request of a job that has ended or was deleted."""


@dataclass(slots=True, kw_only=True)
class RebuildReport:
    """What a rebuild did.

    Attributes:
        counts: How often what was found.
        damaged: Objects that are not what was written; they were skipped.
        remarks: What else whoever reads this should know.
    """

    counts: Counter[Finding] = field(default_factory=Counter)
    damaged: list[ArchiveDamagedError] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
