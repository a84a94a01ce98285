"""What is true when all is over: nothing lost, nothing twice, nothing wrong."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from durability.afterthoughts import Asked
from durability.lab import is_settled, result_of
from durability.users import Users, Wish
from qdepot.archive import layout
from qdepot.archive.archive import Archive
from qdepot.domain.job import Job, JobStatus, Stage
from qdepot.errors import GoneError, NotFoundError, QDepotError, UnavailableError
from qdepot.ports.ledger import Ledger
from qdepot.ports.object_store import checked_at
from qdepot.testing.archive import archive_problems
from qdepot.testing.ledger.validate import every_job, validate_ledger

STORE_TRIES = 30


@dataclass
class Audit:
    """Figures, and a line for each thing that is not as it must be.

    Attributes:
        jobs: That the ledger has.
        acknowledged: That users were told of.
        lost: Acknowledged, and not there or not at their end; or never acknowledged although repeated to the end.
        double_submitted: At the paid cloud more than once.
        double_accepted: Jobs that nobody was told of, and wishes with more jobs than one.
        wrong: Ended otherwise than they must, or with another result, or without having been at the cloud; or with
            another name or other tags than were acknowledged last.
        otherwise: Of these, how many ended otherwise than asked.
        deleted: Jobs whose deletion was asked for.
        in_doubt: Left to a person.
        ends: How many of each.
        orphans: Request objects of submits that were never acknowledged.
        checks: Objects by which a process was proving a store when it died.
        contradictions: Where archive, ledger and cloud do not agree otherwise.
    """

    jobs: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    double_submitted: list[str] = field(default_factory=list)
    double_accepted: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    otherwise: int = 0
    deleted: int = 0
    in_doubt: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    orphans: int = 0
    checks: int = 0
    contradictions: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """All lines."""
        return [*self.lost, *self.double_submitted, *self.double_accepted, *self.wrong, *self.contradictions]


def audited(ledger: Ledger, archive: Archive, *, users: Users, submissions: Mapping[str, int]) -> Audit:
    """Look at everything; nothing may be running any more. ``submissions`` is what the cloud counted, by tag."""
    found = {job.id: job for job in every_job(ledger)}
    audit = Audit(jobs=len(found), acknowledged=len(users.accepted))
    audit.wrong += users.refused
    audit.wrong += users.afterthoughts.refused if users.afterthoughts is not None else []
    deleted = {job_id for job_id, asked in users.later.items() if asked.deleted}
    audit.deleted = len(deleted)
    for job_id, wish in users.accepted.items():
        if job_id in deleted:
            audit.wrong += _remains_of(job_id, found.get(job_id), ledger)
        else:
            _look_at(found.get(job_id), wish, users.later.get(job_id, Asked()), archive, audit)
    _count_wishes(found, users, audit)
    _count_submissions(found, submissions, deleted, audit)
    _compare(ledger, archive, found, audit)
    return audit


def _remains_of(job_id: str, job: Job | None, ledger: Ledger) -> list[str]:
    """What there is of a job whose deletion was acknowledged, beside its tombstone."""
    if job is not None:
        return [f"job {job_id} was deleted, and is {job.status}"]
    try:
        ledger.get(job_id)
    except GoneError:
        return []
    except NotFoundError:
        return [f"job {job_id} was deleted, and has no tombstone"]
    return []


def _look_at(job: Job | None, wish: Wish, asked: Asked, archive: Archive, audit: Audit) -> None:
    if job is None:
        audit.lost.append(f"wish {wish.number} has no job")
        return
    audit.ends[f"{job.status}" if job.is_final else f"{job.status}/{job.stage}"] += 1
    if job.stage is Stage.IN_DOUBT:
        audit.in_doubt += 1
    elif not is_settled(job):
        audit.lost.append(f"job {job.id} is {job.status}/{job.stage}: {job.why}")
    elif job.status not in wish.ends and not (asked.cancel and job.status is JobStatus.CANCELLED):
        audit.otherwise += 1
        audit.wrong.append(f"job {job.id} is {job.status}, cancel asked {asked.cancel}: {job.why} {job.failure}")
    elif job.status is JobStatus.COMPLETED and (found := _result_of(archive, job)) != wish.counts:
        audit.wrong.append(f"job {job.id} has the result {found}, not {wish.counts}")
    _look_at_labels(job, wish, asked, audit)
    if job.cancel_requested and not asked.cancel:
        audit.wrong.append(f"the end of job {job.id} was requested, and nobody did")


def _look_at_labels(job: Job, wish: Wish, asked: Asked, audit: Audit) -> None:
    """What was acknowledged of name and tags is kept, and nothing else is changed."""
    name = asked.name if asked.name is not None else wish.document.get("name", "")
    tags = asked.tags if asked.tags is not None else wish.document.get("tags", [])
    if job.name != name:
        audit.wrong.append(f"job {job.id} is called {job.name!r}, not {name!r}")
    if list(job.tags) != list(tags):
        audit.wrong.append(f"job {job.id} has the tags {job.tags}, not {tags}")


def _result_of(archive: Archive, job: Job) -> list[dict[str, int]] | str:
    """The counts, or why there are none. A store that was killed a moment ago may need some seconds."""
    for tries_left in reversed(range(STORE_TRIES)):
        try:
            return result_of(archive, job)
        except UnavailableError as error:
            if not tries_left:
                return error.message
            time.sleep(1.0)
        except QDepotError as error:
            return error.message
    raise AssertionError("unreachable")


def _count_wishes(found: Mapping[str, Job], users: Users, audit: Audit) -> None:
    per_wish = Counter(wish.number for wish in users.accepted.values())
    audit.double_accepted += [f"wish {number} has {times} jobs" for number, times in per_wish.items() if times > 1]
    audit.double_accepted += [f"job {job_id}: nobody was told of it" for job_id in found.keys() - users.accepted.keys()]
    missing = users.asked - len(per_wish) - len(users.refused)
    if missing:
        audit.lost.append(f"{missing} wishes were never acknowledged")


def _count_submissions(
    found: Mapping[str, Job], submissions: Mapping[str, int], deleted: Collection[str], audit: Audit
) -> None:
    per_job = Counter[str]()
    for tag, times in submissions.items():
        per_job[tag.rpartition(".")[0]] += times
    audit.double_submitted += [f"job {job_id} was sent {times} times" for job_id, times in per_job.items() if times > 1]
    unknown = per_job.keys() - found.keys() - set(deleted)
    audit.contradictions += [f"the cloud has job {job_id}, nobody else" for job_id in unknown]
    elsewhere = [job for job in found.values() if job.status is JobStatus.COMPLETED and job.backend != "aer"]
    audit.wrong += [f"job {job.id} never was at the cloud" for job in elsewhere if job.id not in per_job]


def _compare(ledger: Ledger, archive: Archive, found: Mapping[str, Job], audit: Audit) -> None:
    try:
        validate_ledger(ledger)
    except AssertionError as error:
        audit.contradictions += str(error).splitlines()[1:]
    needed = {job.request_key for job in found.values()}
    for problem in archive_problems(archive, ledger):
        area, _, rest = problem.partition(" ")
        key = rest.partition(": ")[0]
        if _was_never_acknowledged(area, key, found, needed):
            audit.orphans += 1
        elif checked_at(key) is not None:
            audit.checks += 1
        else:
            audit.contradictions.append(problem)


def _was_never_acknowledged(area: str, key: str, found: Mapping[str, Job], needed: set[str]) -> bool:
    """True of a request that no row was ever made for: its submitter got no answer, and asked again."""
    is_request = key.endswith((".request.json", ".batch.json"))
    return area == "pending" and is_request and key not in needed and layout.id_of(key) not in found
