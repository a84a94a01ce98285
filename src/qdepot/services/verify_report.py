"""What a verification found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from qdepot.archive.places import Kind


class Flaw(StrEnum):
    """What can be wrong."""

    DAMAGED = "damaged"
    """An object that must be there is missing, or is not what was written."""
    UNLISTED = "unlisted"
    """A job that has ended, and that the ledger does not know."""
    HALF_DELETED = "half deleted"
    """A deletion was interrupted."""
    ORPHAN = "orphan"
    """A request without a row: nobody was told that it is accepted. Or the ledger lost the row."""
    LEFT_OVER = "left over"
    """An object that nobody needs any more."""
    FOREIGN = "foreign"
    """An object that is none of ours."""

    @property
    def is_harmless(self) -> bool:
        """True if no job is touched by it."""
        return self in {Flaw.ORPHAN, Flaw.LEFT_OVER, Flaw.FOREIGN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """Something that is wrong.

    Attributes:
        flaw: What.
        area: ``pending`` or ``completed``.
        key: Of the object.
        message: In words.
    """

    flaw: Flaw
    area: str
    key: str
    message: str

    def document(self) -> Mapping[str, str]:
        """As JSON data."""
        return {"flaw": self.flaw.value, "area": self.area, "key": self.key, "message": self.message}


@dataclass(slots=True, kw_only=True)
class VerifyReport:
    """What a verification found.

    Attributes:
        rows: Jobs in the ledger that were compared.
        objects: Objects that were met, by kind.
        drafts: Files that are being written, or whose writers died a moment ago.
        flaws: All that is wrong.
        removed: Left-over objects that were removed.
    """

    rows: int = 0
    objects: Counter[Kind] = field(default_factory=Counter)
    drafts: int = 0
    flaws: list[Suspect] = field(default_factory=list)
    removed: int = 0

    @property
    def is_sound(self) -> bool:
        """True if every job has its objects, and they are what was written."""
        return all(it.flaw.is_harmless for it in self.flaws)
