"""A job: a record that moves along a printed table."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from qdepot.domain.event import JobEvent
from qdepot.domain.plain_text import plain_text
from qdepot.errors import InvalidTransitionError


class JobStatus(StrEnum):
    """Where a job is on its way."""

    CREATED = "CREATED"
    """Stored; not at a backend. Put here by acceptance, or again when a repeatable backend lost the job. Taken out by
    the submitter, or by whoever ends the job before it was sent."""
    QUEUED = "QUEUED"
    """The backend has it and gave it an id. Put here by the submitter, taken out by the poller."""
    RUNNING = "RUNNING"
    """The backend says that it runs, or that it is done and the result is on its way here. Put here by the poller,
    taken out by the collector."""
    COMPLETED = "COMPLETED"
    """The result is in the archive. Final."""
    FAILED = "FAILED"
    """Ended without a (whole) result; ``failure`` says why. Final."""
    CANCELLED = "CANCELLED"
    """Ended because somebody wished so. Final."""

    @property
    def is_final(self) -> bool:
        """True if no move leads out of this status."""
        return not TRANSITIONS[self]


TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = MappingProxyType(
    {
        JobStatus.CREATED: frozenset({JobStatus.QUEUED, JobStatus.FAILED, JobStatus.CANCELLED}),
        JobStatus.QUEUED: frozenset(
            {JobStatus.CREATED, JobStatus.RUNNING, JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED}
        ),
        JobStatus.RUNNING: frozenset({JobStatus.CREATED, JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED}),
        JobStatus.COMPLETED: frozenset(),
        JobStatus.FAILED: frozenset(),
        JobStatus.CANCELLED: frozenset(),
    }
)
"""Every allowed change of status. A move within a status (another stage) is always allowed while it is not final."""

CANCELLING = "CANCELLING"
"""Shown instead of the stored status while a requested cancel is not confirmed."""


LABELS = frozenset({"name", "tags", "edits"})
"""Fields of a job that an edit changes, and nothing else does."""


class Stage(StrEnum):
    """What is going on inside a status."""

    WAITING = "waiting"
    """It waits for its turn, or its circuits are being read and checked (CREATED), or it is at the backend (QUEUED)."""
    SUBMITTING = "submitting"
    """The intent to submit is stored: from here on the backend may have it."""
    SEARCHING = "searching"
    """Its submitter died or got no answer, and its tag was not visible at the backend; it is looked for once more,
    after the backend's visibility delay and the send deadline."""
    RUNNING = "running"
    """The backend works on it."""
    COLLECTING = "collecting"
    """The backend is done; the result is on its way into the archive."""
    HELD = "held"
    """It waits for a person, or for something named in ``why``."""
    IN_DOUBT = "in_doubt"
    """Nobody can tell whether the backend has it; a person must decide."""
    DONE = "done"
    """Final."""


class Duty(StrEnum):
    """Who has to act on a job next; derived, never chosen."""

    PREPARE = "prepare"
    SUBMIT = "submit"
    RESCUE = "rescue"
    POLL = "poll"
    COLLECT = "collect"
    CLEAN = "clean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a job failed.

    Attributes:
        code: Stable word, one of the error codes, or ``backend_failed``.
        message: What happened, to what.
        solution: What its owner can do.
        details: Further plain data (line, column, circuit, limit ...).
    """

    code: str
    message: str
    solution: str = ""
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job as the ledger holds it. What was sent and what came back is in the archive.

    Attributes:
        id: UUID in lower-case text form; time-ordered unless the client chose it.
        project: Who owns it; jobs of different projects never meet.
        owner: The user in that project who submitted it.
        backend: Name of the backend it was submitted to.
        kind: Kind of program, in wire form.
        status, stage: See there. ``stage`` is DONE exactly when ``status`` is final.
        created_at: When it was accepted (UTC, aware).
        queued_at, running_at: When it last got there.
        ended_at: When it became final.
        num_circuits: Circuits in the program.
        shots: The program's shots, where it has any.
        name, tags: The owner's own; may be edited.
        options: As sent.
        priority: Higher goes first among one owner's waiting jobs; -10 ... 10.
        timeout_s: Longest run the owner wants, in seconds; None: the backend's limit.
        summary: What reading the program told, None as long as it was not read. Plain JSON data: ``num_qubits`` of the
            widest circuit, and ``circuits``, for each ``num_qubits``, ``num_clbits``, ``registers`` (a list of
            ``{"name", "num_bits"}`` in order of declaration), ``parameters`` (names in Qiskit's order), ``depth``,
            ``size``, and ``shape`` (broadcast, of its parameter sets and observables).
        request_sha256: Of the request as it was sent; tells a repeat from a conflict.
        idempotency_key_sha256: Of the caller's key; unique within project and owner.
        request_key: Key of the request object in the pending archive.
        request_index: Place within that object where it holds many requests.
        prepared: True once what will really run is fixed (backends elsewhere).
        attempt: 1 for the first try; counts up when a repeatable backend lost the job.
        provider_job_id: The backend's own id.
        vendor_status: The backend's own word, as it came.
        queue_position: At the backend, where known.
        parts: Objects in the pending archive that hold results of the leading circuits; kept from attempt to attempt.
        circuits_done: Leading circuits whose results are in the archive: in parts while it goes on, then in the bundle.
        last_poll_error: What went wrong when the backend was last asked; None once it answered.
        failures_in_row: How often the current step failed; widens the wait before the next try.
        next_try_at: When it is tried or asked next, if it waits for that. The ledger's clock decides; this is for
            people, and for the rescuer, which keeps to both.
        why: One sentence on what it waits for.
        cancel_requested: The owner wishes it to end.
        outcome: The final status that it gets as soon as its bundle is in the archive; None while that is open.
        failure: Set exactly when status, or outcome, is FAILED.
        result_key: Key of the completed bundle, set exactly when final.
        result_size_bytes: Of the result document inside it; None if there is none.
        result_sha256: Of the whole bundle.
        pending_removed: The pending objects of a final job are gone.
        version: Counts the changes except edits; the ledger's compare-and-swap rests on it.
        edits: Number of the last edit of name or tags, 0 if there was none. Edits are counted apart from all other
            changes, so that an edit makes no other change lose. A new number is greater than ``version``, too: edits
            that were noted when both had one counter come before it.
    """

    id: str
    project: str = "default"
    owner: str = "local"
    backend: str
    kind: str
    status: JobStatus = JobStatus.CREATED
    stage: Stage = Stage.WAITING
    created_at: datetime
    queued_at: datetime | None = None
    running_at: datetime | None = None
    ended_at: datetime | None = None
    num_circuits: int
    shots: int | None = None
    name: str = ""
    tags: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    priority: int = 0
    timeout_s: float | None = None
    summary: Mapping[str, object] | None = None
    request_sha256: str
    idempotency_key_sha256: str | None = None
    request_key: str
    request_index: int | None = None
    prepared: bool = False
    attempt: int = 1
    provider_job_id: str | None = None
    vendor_status: str | None = None
    queue_position: int | None = None
    parts: int = 0
    circuits_done: int = 0
    last_poll_error: str | None = None
    failures_in_row: int = 0
    next_try_at: datetime | None = None
    why: str = ""
    cancel_requested: bool = False
    outcome: JobStatus | None = None
    failure: Failure | None = None
    result_key: str | None = None
    result_size_bytes: int | None = None
    result_sha256: str | None = None
    pending_removed: bool = False
    version: int = 0
    edits: int = 0

    @property
    def is_final(self) -> bool:
        """True if its status never changes again."""
        return self.status.is_final

    @property
    def shown_status(self) -> str:
        """What users see: the stored status, or CANCELLING while a cancel is wished and not confirmed."""
        return CANCELLING if self.cancel_requested and not self.is_final else self.status.value

    @property
    def next_duty(self) -> Duty | None:
        """Who has to act next; None if nobody does without a person."""
        if self.is_final:
            return None if self.pending_removed else Duty.CLEAN
        if self.stage in {Stage.HELD, Stage.IN_DOUBT}:
            # A wish to cancel is honoured also while nothing else moves the job; in doubt, only a person may end it.
            return Duty.COLLECT if self.cancel_requested and self.stage is Stage.HELD else None
        if self.stage is Stage.COLLECTING:
            return Duty.COLLECT
        if self.status is not JobStatus.CREATED:
            return Duty.POLL
        if self.stage in {Stage.SUBMITTING, Stage.SEARCHING}:
            # Only met once the submitter's lease has lapsed: it died between the intent and the backend's id.
            return Duty.RESCUE
        return Duty.SUBMIT if self.prepared else Duty.PREPARE

    def moved_to(
        self,
        status: JobStatus,
        stage: Stage,
        *,
        at: datetime,
        by: str,
        why: str = "",
        retry_in_s: float = 0.0,
        **changes: Any,  # noqa: ANN401 - fields of Job; dataclasses.replace checks their names
    ) -> JobChange:
        """The only way to another status or stage.

        Args:
            status: Where to; the same status with another stage is fine while the job is not final.
            stage: What goes on there.
            at: Now.
            by: The duty or service that moves it.
            why: One sentence for the history.
            retry_in_s: The next duty may not act before so many seconds have passed.
            changes: Other fields that change with it.

        Raises:
            InvalidTransitionError: The table does not allow it. The message tells the job's story.
        """
        if status not in TRANSITIONS[self.status] and (status is not self.status or self.is_final):
            raise self._refused(status, by=by, why=why)
        why = plain_text(why)
        times = _times_of(status, at) if status is not self.status else {}
        after = replace(self, status=status, stage=stage, version=self.version + 1, why=why, **{**times, **changes})
        event = self._event(after, at=at, by=by, why=why)
        return JobChange(before=self, after=after, event=event, retry_in_s=retry_in_s)

    def edited(
        self,
        *,
        at: datetime | None = None,
        by: str = "",
        why: str = "",
        retry_in_s: float = 0.0,
        **changes: Any,  # noqa: ANN401 - fields of Job
    ) -> JobChange:
        """Change fields but neither status nor stage; with ``at``, the history gets a line about it.

        Raises:
            InvalidTransitionError: ``changes`` names status, stage, or what only :meth:`relabelled` changes.
        """
        if {"status", "stage", "version"} & changes.keys():
            raise InvalidTransitionError(f"job {self.id}: only moved_to() changes status and stage")
        if LABELS & changes.keys():
            raise InvalidTransitionError(f"job {self.id}: only relabelled() changes name and tags")
        after = replace(self, version=self.version + 1, **changes)
        event = None if at is None else self._event(after, at=at, by=by, why=why)
        return JobChange(before=self, after=after, event=event, retry_in_s=retry_in_s)

    def relabelled(self, *, name: str, tags: tuple[str, ...], at: datetime, by: str, why: str = "") -> JobChange:
        """Change name and tags, which nothing that happens to the job depends on."""
        after = replace(self, name=name, tags=tags, edits=max(self.edits, self.version) + 1)
        return JobChange(before=self, after=after, event=self._event(after, at=at, by=by, why=why))

    def _event(self, after: Job, *, at: datetime, by: str, why: str) -> JobEvent:
        return JobEvent(
            job_id=self.id,
            at=at,
            from_status=self.status.value,
            to_status=after.status.value,
            stage=after.stage.value,
            attempt=after.attempt,
            by=by,
            why=why,
        )

    def _refused(self, status: JobStatus, *, by: str, why: str) -> InvalidTransitionError:
        return InvalidTransitionError(
            f"job {self.id} cannot go from {self.status} to {status}: it is at stage {self.stage}, attempt "
            f"{self.attempt}, version {self.version}, and {by} wanted it because: {why or 'no reason given'}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JobChange:
    """A step of a job, ready to be saved: what it was, what it becomes, and the line for its history."""

    before: Job
    after: Job
    event: JobEvent | None
    retry_in_s: float = 0.0

    @property
    def is_edit(self) -> bool:
        """True if it changes name and tags only: the duties need not know, and when they are due stays as it is."""
        return self.after.version == self.before.version


def canonical_job_id(text: str | None) -> str | None:
    """The one text form of a job id (a UUID in lower case with hyphens); None if it is no UUID."""
    try:
        return str(uuid.UUID(text)) if text is not None else None
    except ValueError:
        return None


def _times_of(status: JobStatus, at: datetime) -> dict[str, datetime | None]:
    """The time fields that a change to ``status`` sets."""
    if status is JobStatus.CREATED:
        return {"queued_at": None, "running_at": None}
    if status is JobStatus.QUEUED:
        return {"queued_at": at}
    if status is JobStatus.RUNNING:
        return {"running_at": at}
    return {"ended_at": at}
