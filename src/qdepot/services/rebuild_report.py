"""What a rebuild found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from qdepot.errors import ArchiveDamagedError


class Finding(StrEnum):
    """What became of something that was found."""

    ENDED = "ended"
    DELETED = "deleted"
    AT_BACKEND = "at its backend"
    MAYBE_SENT = "maybe sent"
    TO_RUN = "to be run"
    HELD = "held"
    CAUGHT_UP = "caught up"
    THERE = "there already"
    REPEAT = "repeat"
    ORPHAN = "orphan"
    LEFT_OVER = "left over"

    @property
    def meaning(self) -> str:
        """In a few more words."""
        return _MEANINGS[self]


_MEANINGS = {
    Finding.ENDED: "a job with its bundle",
    Finding.DELETED: "a job that was deleted, and stays so",
    Finding.AT_BACKEND: "a job that its backend has; it is asked for there",
    Finding.MAYBE_SENT: "a job that its backend may have; it is looked for there",
    Finding.TO_RUN: "a job that was not sent yet, and will be",
    Finding.HELD: "a job that was not sent yet, and waits for a person: qdepot resolve, or --run-pending at a rebuild",
    Finding.CAUGHT_UP: "a row that was behind the archive",
    Finding.THERE: "a row that was right",
    Finding.REPEAT: "a request for the same job as another one",
    Finding.ORPHAN: "an earlier try, never accepted, to submit a job that was deleted; it is not run",
    Finding.LEFT_OVER: "a request of a job that was deleted, or whose bundle is damaged",
}


@dataclass(slots=True, kw_only=True)
class RebuildReport:
    """What a rebuild did.

    Attributes:
        counts: How often what was found.
        damaged: Objects that are not what was written; they were skipped.
        left_out: Jobs that the ledger did not take, in words.
        remarks: What else whoever reads this should know.
    """

    counts: Counter[Finding] = field(default_factory=Counter)
    damaged: list[ArchiveDamagedError] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """True if everything that was found could be read, and is in the ledger."""
        return not self.damaged and not self.left_out
