"""The rows that a rebuild makes of what the archive tells. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from qdepot.archive.manifest import damaged
from qdepot.archive.notes import EDITED, Edit
from qdepot.archive.recovery import AskedJob, KnownJob, with_edits
from qdepot.archive.trails import Sent
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Job, JobChange, JobStatus, Stage
from qdepot.errors import InvalidProgramError
from qdepot.services.registering import first_event, new_job

BY = "rebuild"
"""What the history says of who did it."""


def asked_job(asked: AskedJob, edits: Sequence[Edit]) -> KnownJob:
    """A job as it was accepted, with the edits of its name and tags.

    Raises:
        ArchiveDamagedError: It asks for what this version of qdepot does not know.
    """
    try:
        program = asked.record.program()
    except (InvalidProgramError, KeyError, TypeError, ValueError) as error:
        raise damaged(asked.stored.key, f"the program of job {asked.record.job_id} cannot be read: {error}") from error
    job = new_job(asked.record, asked.stored, program=program)
    return with_edits(KnownJob(job=job, events=[first_event(job)]), edits)


def followed(known: KnownJob, change: JobChange) -> KnownJob:
    """The job after a change of it."""
    assert change.event is not None
    return KnownJob(job=change.after, events=[*known.events, change.event])


def found(job: Job, *, at: datetime) -> JobChange:
    """It never set out, and may be run."""
    return job.moved_to(JobStatus.CREATED, Stage.WAITING, at=at, by=BY, why="found in the archive")


def held(job: Job, reason: str, *, at: datetime) -> JobChange:
    """It never set out, and may not be run without a person's consent."""
    why = (
        f"it was not sent before the ledger was lost, and is not run now on its own: {reason}; "
        f"qdepot resolve {job.id} --resubmit | --fail"
    )
    return job.moved_to(JobStatus.CREATED, Stage.HELD, at=at, by=BY, why=why)


def sent_on(job: Job, sent: Sent, *, at: datetime) -> JobChange:
    """It is at its backend; or it may be, and the rescuer finds out."""
    known: dict[str, Any] = {"attempt": sent.attempt, "prepared": True, "summary": job.summary or sent.summary}
    if sent.provider_job_id is None:
        why = f"nobody noted whether {job.backend} took it"
        return job.moved_to(JobStatus.CREATED, Stage.SUBMITTING, at=at, by=BY, why=why, **known)
    return job.moved_to(
        JobStatus.QUEUED,
        Stage.WAITING,
        at=at,
        by=BY,
        why=f"{job.backend} has it: its receipt was stored",
        provider_job_id=sent.provider_job_id,
        queued_at=sent.queued_at or at,
        **known,
    )


def is_behind(row: Job, sent: Sent, events: Sequence[JobEvent]) -> bool:
    """True if a row, say from an old backup, does not know yet what the archive knows of the job's way.

    A row that knows of the intent knows more than the intent: that nothing was sent in the end, for one.
    """
    if row.status is not JobStatus.CREATED or sent.attempt < row.attempt:
        return False
    if sent.provider_job_id is not None:
        return True
    knows = any(event.attempt == sent.attempt and event.stage == Stage.SUBMITTING for event in events)
    return not knows and row.stage not in {Stage.SUBMITTING, Stage.SEARCHING, Stage.IN_DOUBT}


def ended_on(row: Job, ended: Job, *, at: datetime) -> list[JobChange]:
    """The steps from a row that is behind to the end that the job's bundle tells of."""
    steps: list[JobChange] = []
    if row.status is JobStatus.CREATED and ended.status is JobStatus.COMPLETED:
        steps.append(row.moved_to(JobStatus.QUEUED, Stage.WAITING, at=ended.queued_at or at, by=BY, why="it had ended"))
        row = steps[0].after
    end = row.moved_to(
        ended.status,
        Stage.DONE,
        at=ended.ended_at or at,
        by=BY,
        why="its bundle is in the archive",
        next_try_at=None,
        failures_in_row=0,
        last_poll_error=None,
        **{name: getattr(ended, name) for name in _TOLD_BY_BUNDLE},
    )
    return [*steps, _behind_edits(end, ended)]


def edited_on(row: Job, known: Job, *, at: datetime) -> list[JobChange]:
    """The step from a row that is behind to the name and tags that the last edit gave the job."""
    if known.edits <= max(row.edits, row.version) or (known.name, known.tags) == (row.name, row.tags):
        return []
    return [_behind_edits(row.relabelled(name=known.name, tags=known.tags, at=at, by=BY, why=EDITED), known)]


def _behind_edits(change: JobChange, known: Job) -> JobChange:
    """The same change, with the number of the last edit: so that the next edit comes behind it, too."""
    return replace(change, after=replace(change.after, edits=max(change.after.edits, known.edits)))


def linked(row: Job, asked: Job) -> list[JobChange]:
    """The step after which the cleaner removes the pending request of a job that has ended."""
    where: dict[str, Any] = {
        "request_key": asked.request_key,
        "request_index": asked.request_index,
        "pending_removed": False,
    }
    is_known = all(getattr(row, name) == value for name, value in where.items())
    if is_known or row.request_sha256 != asked.request_sha256:
        return []
    return [row.edited(**where)]


def deleted_on(row: Job, *, at: datetime) -> list[JobChange]:
    """The steps from a row that is behind to one that can be deleted."""
    if row.is_final:
        return []
    # It had ended before it was deleted; how, nobody knows any more.
    return [row.moved_to(JobStatus.CANCELLED, Stage.DONE, at=at, by=BY, why="it was deleted", failure=None)]


_TOLD_BY_BUNDLE = (
    *("name", "tags", "attempt", "provider_job_id", "vendor_status", "summary", "circuits_done", "running_at"),
    *("outcome", "failure", "result_key", "result_sha256", "result_size_bytes"),
)
