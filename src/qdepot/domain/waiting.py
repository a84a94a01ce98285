"""Why a job waits, in one sentence."""

from __future__ import annotations

from datetime import datetime, timedelta

from qdepot.domain.job import Job, JobStatus, Stage


def why_waiting(job: Job, *, now: datetime, trouble: str = "") -> str:
    """What the job waits for, since when, and when something is tried next; for a final job, how it ended.

    Args:
        job: As the ledger holds it.
        now: The time of day.
        trouble: What keeps its backend from answering anybody, if anything does.
    """
    if job.is_final:
        return _ending(job)
    sentence = _cause(job, now=now)
    if trouble and job.stage not in {Stage.HELD, Stage.IN_DOUBT}:
        sentence = f"{sentence}; {job.backend}: {trouble}"
    elif job.last_poll_error:
        sentence = f"{sentence}; {job.backend} could not be asked: {job.last_poll_error}"
    has_next = job.last_poll_error or job.failures_in_row or job.stage is Stage.SEARCHING
    if job.next_try_at is not None and not trouble and has_next:
        sentence = f"{sentence}; next try {_distance(job.next_try_at - now)}"
    if job.cancel_requested:
        sentence = f"its cancel is not confirmed yet: {sentence}"
    if job.circuits_done:
        sentence = f"{sentence}; {job.circuits_done} of {job.num_circuits} circuits are done"
    return sentence


def _ending(job: Job) -> str:
    if job.failure is not None:
        return f"failed: {job.failure.message}"
    return "cancelled" if job.status is JobStatus.CANCELLED else "its result is stored"


def _cause(job: Job, *, now: datetime) -> str:
    length = _length(now - _since(job))
    troubled = job.status is JobStatus.CREATED and job.failures_in_row > 0 and job.stage is not Stage.COLLECTING
    if troubled or job.stage in {Stage.HELD, Stage.IN_DOUBT, Stage.SEARCHING}:
        return f"{job.why}; it has waited {length}"
    if job.stage is Stage.COLLECTING:
        trouble = f": {job.why}" if job.failures_in_row else ""
        return f"its end is being stored{trouble}"
    if job.stage is Stage.SUBMITTING:
        return f"it is being sent to {job.backend}; it has waited {length}"
    if job.status is JobStatus.RUNNING:
        return f"it has been running at {job.backend} for {length}"
    if job.status is JobStatus.QUEUED:
        place = f" at place {job.queue_position}" if job.queue_position is not None else ""
        return f"it has waited in the queue of {job.backend}{place} for {length}"
    step = "be sent to" if job.prepared else "be checked for"
    return f"it has waited {length} to {step} {job.backend}"


def _since(job: Job) -> datetime:
    return job.running_at or job.queued_at or job.created_at


def _distance(delta: timedelta) -> str:
    return f"in {_length(delta)}" if delta > timedelta(0) else "now"


def _length(delta: timedelta) -> str:
    seconds = max(0, int(delta.total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
