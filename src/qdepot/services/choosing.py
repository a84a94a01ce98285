"""Choosing: which of several requests for the same job is the job."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from qdepot.archive.recovery import AskedJob
from qdepot.domain.job import Job


@dataclass(frozen=True, slots=True, order=True)
class _Claim:
    """What speaks for a request; the greatest is the job."""

    rank: int
    created_at: datetime
    key: str
    index: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Chooses among pending requests with one id, or with one idempotency key of one owner: they are one job.

    What was on its way to a backend is the job; else the last request. A client repeats a request while it has no
    answer, and once it has one, a repeat stores nothing: so if one was acknowledged, it was the last.
    """

    _best: dict[tuple[str, ...], _Claim] = field(default_factory=dict)

    def note(self, asked: AskedJob, *, rank: int) -> None:
        """There is this request; ``rank`` says how far its job was."""
        record, stored = asked.record, asked.stored
        claim = _Claim(rank, record.created_at, stored.key, stored.index or 0)
        for identity in _identities(record.job_id, record.project, record.owner, record.idempotency_key_sha256):
            self._best[identity] = max(claim, self._best.get(identity, claim))

    def takes(self, job: Job) -> bool:
        """True if the request of this job is the chosen one, of all that were noted."""
        place = (job.request_key, job.request_index or 0)
        wanted = _identities(job.id, job.project, job.owner, job.idempotency_key_sha256)
        best = [self._best.get(it) for it in wanted]
        return all(it is not None and (it.key, it.index) == place for it in best)


def _identities(job_id: str, project: str, owner: str, key_sha256: str | None) -> Iterator[tuple[str, ...]]:
    yield (job_id,)
    if key_sha256 is not None:
        yield project, owner, key_sha256
