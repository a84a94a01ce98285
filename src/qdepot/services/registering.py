"""Registering: a request goes into the archive, then its row into the ledger; from that commit on the job exists."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import uuid6

from qdepot.archive.archive import Archive
from qdepot.archive.layout import folder
from qdepot.archive.request import RequestRecord
from qdepot.archive.request_shelf import StoredRequest
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Job
from qdepot.domain.program import Program
from qdepot.errors import QDepotError, UnavailableError
from qdepot.ports.ledger import JobExistsError, Ledger
from qdepot.services.acceptance import Accepted
from qdepot.services.gathering import Gathering
from qdepot.services.orders import JobOrder

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An order that was accepted, and what the archive will hold of it."""

    record: RequestRecord
    accepted: Accepted
    order: JobOrder

    def job(self, stored: StoredRequest) -> Job:
        """The job, once the request is stored."""
        job = new_job(self.record, stored, program=self.order.program)
        # A simulator of our own reads and fits the circuits itself, in the same child that runs them.
        return replace(job, summary=self.accepted.summary, prepared=self.accepted.backend.runs_here)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What became of an entry.

    Attributes:
        job: As it was to be committed.
        stored: Where its request is.
        refusal: Why it was not committed: its id or its key was taken meanwhile.
    """

    job: Job
    stored: StoredRequest
    refusal: JobExistsError | None = None


@dataclass(frozen=True, slots=True)
class Registrar:
    """Makes jobs of entries. Thread-safe.

    Entries that come while others are being written share a request object and a commit with those that come too: each
    costs a wait for the disk, or a request to a store, however much is in it.

    Attributes:
        ledger, archive: Where jobs are.
        on_work: Called with jobs that somebody has to act on now.
    """

    ledger: Ledger
    archive: Archive
    on_work: Callable[[Sequence[Job]], None]
    _gathering: Gathering[Entry, Registered] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_gathering", Gathering(self._gathered))

    def register(self, entry: Entry) -> Registered:
        """Make a job, alone or with those of other callers.

        Raises:
            UnavailableError: Store or ledger do not answer; there is no job.
        """
        return self._gathering.run(entry)

    def register_alone(self, entry: Entry) -> Registered:
        """Make a job whose request has an object of its own, found by the job's id; a repeat adopts it.

        Raises:
            ConflictError: Another request is stored under this id.
            UnavailableError: Store or ledger do not answer; there is no job.
        """
        return self._added_alone(entry, self.archive.put_request(entry.record))

    def register_together(self, entries: Sequence[Entry]) -> list[Registered]:
        """Make jobs of one project with one request object and one commit; all or, if one is refused, none.

        Raises:
            JobExistsError: An id or a key was taken meanwhile; there are no jobs, and the request object is removed.
            UnavailableError: Store or ledger do not answer; there are no jobs.
        """
        stored = self.archive.put_requests(str(uuid6.uuid7()), [entry.record for entry in entries])
        try:
            return self._added_at_once(entries, stored)
        except QDepotError as error:
            self._discard(stored, error)
            raise

    def _gathered(self, entries: Sequence[Entry]) -> list[Registered | Exception]:
        """Make jobs of entries of several callers: an object and a commit for each folder of the archive."""
        places: dict[str, list[int]] = {}
        for place, entry in enumerate(entries):
            places.setdefault(folder(entry.record.project, entry.record.created_at), []).append(place)
        answers: dict[int, Registered | Exception] = {}
        for group in places.values():
            made = self._made([entries[place] for place in group])
            answers.update(zip(group, made, strict=True))
        return [answers[place] for place in range(len(entries))]

    def _made(self, entries: Sequence[Entry]) -> Sequence[Registered | Exception]:
        """Make jobs of entries of one folder; what is wrong with one of them is the trouble of its caller alone."""
        try:
            stored = self._stored(entries)
        except Exception as error:
            if len(entries) == 1 or isinstance(error, UnavailableError):
                return [error] * len(entries)
            return [answer for entry in entries for answer in self._made([entry])]
        return self._added(entries, stored)

    def _stored(self, entries: Sequence[Entry]) -> list[StoredRequest]:
        records = [entry.record for entry in entries]
        if len(records) == 1:
            return [self.archive.put_request(records[0])]
        return self.archive.put_requests(str(uuid6.uuid7()), records)

    def _added(self, entries: Sequence[Entry], stored: Sequence[StoredRequest]) -> Sequence[Registered | Exception]:
        """Commit all at once; if one of them is refused, each by itself."""
        try:
            return self._added_at_once(entries, stored)
        except UnavailableError as error:
            self._discard(stored, error)
            return [error] * len(entries)
        except Exception:
            answers = [self._tried(entry, place) for entry, place in zip(entries, stored, strict=True)]
        if stored[0].index is not None and all(map(_has_no_job, answers)):
            self._discard(stored, None)  # no job will ever take the shared object away
        elif stored[0].index is None and _was_refused(answers[0]):
            self._discard(stored, None)
        return answers

    def _tried(self, entry: Entry, stored: StoredRequest) -> Registered | Exception:
        """What is committed stays so, whatever becomes of the others: each has an answer of its own."""
        try:
            return self._added_alone(entry, stored)
        except Exception as error:
            return error

    def _discard(self, stored: Sequence[StoredRequest], error: QDepotError | None) -> None:
        """Remove the request of jobs that there are certainly none of, so that no rebuild finds it and runs it.

        Where that is not certain the request stays: a job without its request would be lost.
        """
        if error is not None and error.details.get("maybe_committed"):
            return
        try:
            self.archive.discard_request(stored[0].key)
        except QDepotError as trouble:
            _log.warning("request_not_discarded key=%s message=%s", stored[0].key, trouble.message)

    def _added_alone(self, entry: Entry, stored: StoredRequest) -> Registered:
        try:
            [registered] = self._added_at_once([entry], [stored])
        except JobExistsError as error:
            return Registered(job=entry.job(stored), stored=stored, refusal=error)
        return registered

    def _added_at_once(self, entries: Sequence[Entry], stored: Sequence[StoredRequest]) -> list[Registered]:
        jobs = [entry.job(place) for entry, place in zip(entries, stored, strict=True)]
        self.ledger.add([(job, first_event(job)) for job in jobs])
        self.on_work(jobs)
        return [Registered(job=job, stored=place) for job, place in zip(jobs, stored, strict=True)]


def _has_no_job(answer: Registered | Exception) -> bool:
    """True if there is certainly no row."""
    if isinstance(answer, Registered):
        return answer.refusal is not None
    return _was_refused(answer)


def _was_refused(answer: Registered | Exception) -> bool:
    """True of an error after which there is certainly no row."""
    return isinstance(answer, QDepotError) and not answer.details.get("maybe_committed")


def new_job(record: RequestRecord, stored: StoredRequest, *, program: Program) -> Job:
    """The job of a stored request, before anybody has done anything about it."""
    return Job(
        id=record.job_id,
        project=record.project,
        owner=record.owner,
        backend=record.backend,
        kind=program.kind.value,
        created_at=stored.created_at,
        num_circuits=len(program.circuits),
        shots=program.shots,
        name=record.name,
        tags=record.tags,
        options=record.options,
        priority=record.priority,
        timeout_s=record.timeout_s,
        request_sha256=record.request_sha256,
        idempotency_key_sha256=record.idempotency_key_sha256,
        request_key=stored.key,
        request_index=stored.index,
    )


def first_event(job: Job) -> JobEvent:
    """The first line in the history of a new job."""
    return JobEvent(
        job_id=job.id,
        at=job.created_at,
        from_status="",
        to_status=job.status.value,
        stage=job.stage.value,
        by="submit",
        why="accepted",
    )
