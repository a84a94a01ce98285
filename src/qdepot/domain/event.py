"""A line in the history of a job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent:
    """One change of one job, saved in the same transaction as the change.

    Attributes:
        job_id: Whose.
        number: Grows over all events of a ledger, with gaps; given by the ledger, 0 before.
        at: When (UTC, aware).
        from_status: Status before; empty for the first event.
        to_status: Status after.
        stage: Stage after.
        attempt: The attempt it belongs to.
        by: The duty or service that did it.
        why: One sentence.
    """

    job_id: str
    number: int = 0
    at: datetime
    from_status: str
    to_status: str
    stage: str
    attempt: int = 1
    by: str
    why: str = ""
