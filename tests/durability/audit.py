"""What is true when all is over: nothing lost, nothing twice, nothing wrong."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from durability.lab import is_settled, result_of
from durability.users import Users, Wish
from qdepot.archive.archive import Archive
from qdepot.domain.job import Job, JobStatus, Stage
from qdepot.ports.ledger import Ledger
from qdepot.testing.archive import archive_problems
from qdepot.testing.ledger.validate import every_job, validate_ledger

_NEVER_ACKNOWLEDGED = re.compile(r"pending \S+\.(request|batch)\.json: (it belongs to no job|no job needs it)")


@dataclass
class Audit:
    """Figures.

    Attributes:
        jobs: That the ledger has.
        acknowledged: That users were told of.
        lost: Acknowledged, and not there or not at their end.
        double_submitted: At the paid cloud more than once.
        double_accepted: More jobs than wishes.
        wrong: Ended otherwise than they must, or with another result.
        in_doubt: Left to a person.
        ends: How many of each.
        orphans: Request objects of submits that were never acknowledged.
        contradictions: Where archive and ledger do not agree otherwise.
    """

    jobs: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    double_submitted: list[str] = field(default_factory=list)
    double_accepted: int = 0
    wrong: list[str] = field(default_factory=list)
    in_doubt: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    orphans: int = 0
    contradictions: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """True if nothing is as it must not be."""
        return not any((self.lost, self.double_submitted, self.double_accepted, self.wrong, self.contradictions))


def audited(ledger: Ledger, archive: Archive, *, users: Users, submissions: Counter[str]) -> Audit:
    """Look at everything; nothing may be running any more."""
    audit = Audit(acknowledged=len(users.accepted))
    found = {job.id: job for job in every_job(ledger)}
    audit.jobs = len(found)
    audit.double_accepted = len(found) - len(users.accepted)
    audit.wrong += users.refused
    for job_id, wish in users.accepted.items():
        _look_at(found.get(job_id), wish, archive, audit)
    per_job = Counter[str]()
    for tag, times in submissions.items():
        per_job[tag.rpartition(".")[0]] += times
    audit.double_submitted = [f"{job_id}: {times} times" for job_id, times in per_job.items() if times > 1]
    validate_ledger(ledger)
    for problem in archive_problems(archive, ledger):
        if _NEVER_ACKNOWLEDGED.match(problem):
            audit.orphans += 1
        else:
            audit.contradictions.append(problem)
    return audit


def _look_at(job: Job | None, wish: Wish, archive: Archive, audit: Audit) -> None:
    if job is None:
        audit.lost.append(f"wish {wish.number} has no job")
        return
    audit.ends[f"{job.status}" if job.is_final else f"{job.status}/{job.stage}"] += 1
    if job.stage is Stage.IN_DOUBT:
        audit.in_doubt += 1
    elif not is_settled(job):
        audit.lost.append(f"job {job.id} is {job.status}/{job.stage}: {job.why}")
    elif job.status not in wish.ends:
        audit.wrong.append(f"job {job.id} is {job.status}: {job.why} {job.failure}")
    elif job.status is JobStatus.COMPLETED and result_of(archive, job) != wish.counts:
        audit.wrong.append(f"job {job.id} has another result than {wish.counts}")
