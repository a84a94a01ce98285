"""Is what a ledger holds sound?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from qdepot.domain.event import JobEvent
from qdepot.domain.job import TRANSITIONS, Job, JobStatus, Stage
from qdepot.ports.ledger import JobFilter, Ledger

_PAGE = 500
_EVERYTHING = JobFilter()


def every_job(ledger: Ledger, job_filter: JobFilter = _EVERYTHING, *, page_size: int = _PAGE) -> Iterator[Job]:
    """All jobs that the filter shows, page by page, newest first."""
    cursor = None
    while True:
        page = ledger.page(job_filter, limit=page_size, cursor=cursor)
        yield from page.jobs
        if page.next_cursor is None:
            return
        cursor = page.next_cursor


def validate_ledger(ledger: Ledger) -> int:
    """Check every invariant over all jobs and their histories; returns how many jobs there are.

    Raises:
        AssertionError: Lists all that is wrong.
    """
    problems: list[str] = []
    found: Counter[JobStatus] = Counter()
    for job in every_job(ledger):
        found[job.status] += 1
        wrong = [*_record_problems(job), *_history_problems(job, _history(ledger, job.id)), *_key_problems(ledger, job)]
        problems += [f"job {job.id} ({job.status}/{job.stage}, version {job.version}): {problem}" for problem in wrong]
    counted = Counter(ledger.counts())
    if counted != found:  # counters are equal if they differ in zeros only
        problems.append(f"counts() says {dict(counted)}, but paging through finds {dict(found)}")
    if problems:
        raise AssertionError("\n".join(["the ledger is not sound:", *problems]))
    return found.total()


def _record_problems(job: Job) -> Iterator[str]:
    """What a record must be at any time."""
    is_failure = JobStatus.FAILED in {job.status, job.outcome}
    rules = {
        "stage is DONE exactly when the status is final": (job.stage is Stage.DONE) == job.is_final,
        "ended_at is set exactly when final": (job.ended_at is not None) == job.is_final,
        "result_key is set exactly when final": (job.result_key is not None) == job.is_final,
        "result_sha256 goes with result_key": (job.result_sha256 is None) == (job.result_key is None),
        "failure is set exactly when status or outcome is FAILED": (job.failure is not None) == is_failure,
        "outcome is a final status": job.outcome is None or job.outcome.is_final,
        "a final job has the status of its outcome": not job.is_final or job.outcome in {None, job.status},
        "a queued job knows since when": job.status is not JobStatus.QUEUED or job.queued_at is not None,
        "a running job knows since when": job.status is not JobStatus.RUNNING or job.running_at is not None,
        "pending objects are removed only once final": job.is_final or not job.pending_removed,
        "attempts count from 1, versions from 0": job.attempt >= 1 and job.version >= 0,
        "times are aware": job.created_at.tzinfo is not None,
    }
    return (rule for rule, holds in rules.items() if not holds)


def _history(ledger: Ledger, job_id: str) -> list[JobEvent]:
    """All events of a job."""
    events = ledger.events(job_id, limit=_PAGE)
    while events and len(events) % _PAGE == 0 and (more := ledger.events(job_id, after=events[-1].number, limit=_PAGE)):
        events += more
    return events


def _history_problems(job: Job, events: Sequence[JobEvent]) -> Iterator[str]:
    """The story that the events tell leads from nothing to the job as it is."""
    if not events:
        yield "it has no history"
        return
    if events[0].from_status:
        yield f"its history begins with {events[0].from_status}"
    if (events[-1].to_status, events[-1].stage) != (job.status.value, job.stage.value):
        yield f"its history ends with {events[-1].to_status}/{events[-1].stage}"
    if any(event.job_id != job.id for event in events):
        yield "another job's event is in its history"
    for earlier, later in pairwise(events):
        if later.number <= earlier.number:
            yield f"event {later.number} comes behind event {earlier.number}"
        yield from _step_problems(earlier, later)


def _step_problems(earlier: JobEvent, later: JobEvent) -> Iterator[str]:
    """Two events in a row."""
    if later.from_status != earlier.to_status:
        yield f"event {later.number} leaves {later.from_status}, but event {earlier.number} led to {earlier.to_status}"
        return
    before, after = JobStatus(later.from_status), JobStatus(later.to_status)
    if after is not before and after not in TRANSITIONS[before]:
        yield f"event {later.number} goes from {before} to {after}, which the table does not allow"


def _key_problems(ledger: Ledger, job: Job) -> Iterator[str]:
    """A job is found by its key."""
    key = job.idempotency_key_sha256
    if key is None:
        return
    found = ledger.find_by_idempotency_key(project=job.project, owner=job.owner, key_sha256=key)
    if found is None or found.id != job.id:
        yield f"its idempotency key leads to {found.id if found else 'nothing'}"
