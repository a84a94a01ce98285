"""One run of a rebuild: what is found where, and which rows come of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from qdepot.archive import layout
from qdepot.archive.archive import Archive
from qdepot.archive.going_through import groups, places, read_each
from qdepot.archive.places import Kind, Place
from qdepot.archive.recovery import (
    AskedJob,
    Burial,
    KnownJob,
    read_bundle,
    read_requests,
    read_tombstone,
    with_edits,
)
from qdepot.archive.traces import Traces
from qdepot.archive.trails import Trails
from qdepot.domain.job import Job, JobChange
from qdepot.errors import ArchiveDamagedError, ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from qdepot.ports.ledger import JobExistsError, Ledger, Tombstone
from qdepot.services.backends import Backends
from qdepot.services.choosing import Choice
from qdepot.services.rebuild_report import Finding, RebuildReport
from qdepot.services.rebuilt_jobs import (
    asked_job,
    deleted_on,
    edited_on,
    ended_on,
    followed,
    found,
    held,
    is_behind,
    linked,
    sent_on,
)

T = TypeVar("T")

_AT_ONCE = 200
"""Jobs that are restored in one transaction."""

_UNPROVEN = "nothing in the archive proves that its submission was acknowledged"


@dataclass(slots=True, kw_only=True)
class RebuildRun:
    """The three steps of a rebuild, in their order; after them the report is complete.

    What was deleted, and what has ended, comes first: whatever else is found of such a job is no new job. Objects are
    read as they are needed; of all of them together only keys and ids are kept.

    Attributes:
        ledger, archive, backends: What it works with.
        traces: What the keys tell.
        at: Now.
        run_pending: Whether pending jobs on repeatable backends are run, although nothing proves that they were
            acknowledged.
        report: What was found.
    """

    ledger: Ledger
    archive: Archive
    backends: Backends
    traces: Traces
    at: datetime
    run_pending: bool
    report: RebuildReport = field(default_factory=RebuildReport)
    _damaged_jobs: set[str] = field(default_factory=set)
    _reasons: dict[str, str] = field(default_factory=dict)
    _deleted_keys: dict[tuple[str, str, str | None], datetime] = field(default_factory=dict)

    @property
    def _trails(self) -> Trails:
        archive = self.archive
        return Trails(
            pending=archive.pending, completed=archive.completed, traces=self.traces, damaged=self.report.damaged
        )

    def bury(self) -> None:
        """Leave a tombstone for each deleted job; the row of one goes, if it came back with a backup."""
        tombstones = (Place(key=key, kind=Kind.TOMBSTONE, id=it) for it, key in self.traces.tombstones.items())
        told = read_each(tombstones, partial(read_tombstone, self.archive.completed))
        for some in groups(told, size=_AT_ONCE):
            # A job whose tombstone cannot be read stays deleted, too.
            deleted = {place.id: self._tombstone(place, self._sound(it)) for place, it in some}
            for row in self.ledger.get_many(list(deleted)).values():
                at = deleted[row.id].deleted_at
                self.ledger.delete(self._saved(row, deleted_on(row, at=at)), at=at)
            self.ledger.bury(list(deleted.values()))
            self.report.counts[Finding.DELETED] += len(deleted)

    def restore_ended(self) -> None:
        """Restore the jobs that have a bundle."""
        store = self.archive.completed
        bundles = (it for it in places(store, Kind.BUNDLE) if it.id not in self.traces.tombstones)
        for some in groups(read_each(bundles, partial(read_bundle, store)), size=_AT_ONCE):
            self._damaged_jobs |= {place.id for place, told in some if isinstance(told, ArchiveDamagedError)}
            known = [self._ended(ended) for _, told in some if (ended := self._sound(told)) is not None]
            rows = self.ledger.get_many([it.job.id for it in known])
            self._restore([it for it in known if it.job.id not in rows], Finding.ENDED)
            for it in known:
                if it.job.id in rows:
                    row = rows[it.job.id]
                    advance = edited_on if row.is_final else ended_on
                    self._catch_up(row, advance(row, it.job, at=self.at))

    def restore_pending(self) -> None:
        """Restore the jobs that have a request and have not ended."""
        choice = Choice()
        for asked in self._asked(self.report.damaged):
            if asked.record.job_id not in self.traces.tombstones:
                choice.note(asked, rank=self._rank(asked))
        for some in groups(self._asked_for(), size=_AT_ONCE):
            rows = self.ledger.get_many([it.job.id for it in some])
            fresh: dict[Finding, list[KnownJob]] = defaultdict(list)
            for known in some:
                if self._is_new(known.job, rows.get(known.job.id), choice):
                    finding, change = self._first_step(known.job)
                    fresh[finding].append(followed(known, change))
            for finding, jobs in fresh.items():
                self._restore(jobs, finding)

    def _ended(self, known: KnownJob) -> KnownJob:
        stem = layout.stem(known.job)
        parts = self.traces.parts.get(stem, 0)
        # What is left of its way to a backend, and of its parts, is the cleaner's.
        job = replace(known.job, parts=parts, pending_removed=not parts and stem not in self.traces.sent)
        return with_edits(replace(known, job=job), self._trails.edits(stem))

    def _asked_for(self) -> Iterator[KnownJob]:
        """The jobs that were asked for; their programs are let go of one by one."""
        for asked in self._asked([]):
            try:
                known = asked_job(asked, self._trails.edits(asked.stem))
            except ArchiveDamagedError as error:
                self.report.damaged.append(error)
                continue
            if asked.stem in self.traces.parts:
                parts, circuits_done = self.archive.stored_parts(known.job)
                known = replace(known, job=replace(known.job, parts=parts, circuits_done=circuits_done))
            yield known

    def _asked(self, damaged: list[ArchiveDamagedError]) -> Iterator[AskedJob]:
        """All that was asked for and lies in the pending archive; what is damaged is added to the list."""
        store = self.archive.pending
        for _, told in read_each(places(store, Kind.REQUEST, Kind.BATCH), partial(read_requests, store)):
            for asked in [told] if isinstance(told, ArchiveDamagedError) else told:
                if isinstance(asked, ArchiveDamagedError):
                    damaged.append(asked)
                else:
                    yield asked

    def _is_new(self, job: Job, row: Job | None, choice: Choice) -> bool:
        """False if a request makes no job; then it is counted, and the row that is there is seen to."""
        if row is not None and row.is_final:
            self._saved(row, linked(row, job))
            return False
        if job.id in self.traces.tombstones or job.id in self._damaged_jobs:
            self.report.counts[Finding.LEFT_OVER] += 1
        elif self._is_try_of_deleted(job):
            self.report.counts[Finding.ORPHAN] += 1
            self.report.remarks.append(f"not run, since its job was deleted under another id: {job.request_key}")
        elif not choice.takes(job) or self._has_other(job):
            self.report.counts[Finding.REPEAT] += 1
        elif row is not None:
            self._catch_up(row, self._steps_on(row, job))
        else:
            return True
        return False

    def _is_try_of_deleted(self, job: Job) -> bool:
        """True if a job with the same idempotency key was deleted after this was asked for.

        Then this was a try that was never accepted, since the key led to the other job. A request that came after the
        deletion is a job of its own.
        """
        deleted_at = self._deleted_keys.get((job.project, job.owner, job.idempotency_key_sha256))
        return deleted_at is not None and job.created_at < deleted_at

    def _tombstone(self, place: Place, burial: Burial | None) -> Tombstone:
        project, deleted_at = layout.project_of(place.key), self.at if burial is None else burial.deleted_at
        if burial is not None and burial.idempotency_key_sha256 is not None:
            key = (project, burial.owner, burial.idempotency_key_sha256)
            self._deleted_keys[key] = max(deleted_at, self._deleted_keys.get(key, deleted_at))
        return Tombstone(job_id=place.id, project=project, deleted_at=deleted_at)

    def _steps_on(self, row: Job, job: Job) -> list[JobChange]:
        """From a row that has not ended to what the archive tells."""
        steps = edited_on(row, job, at=self.at)
        row = steps[-1].after if steps else row
        sent = self._trails.sent(job)
        if sent is not None and is_behind(row, sent, self.ledger.events(row.id)):
            steps.append(sent_on(row, sent, at=self.at))
        return steps

    def _has_other(self, job: Job) -> bool:
        """True if the job's idempotency key is that of another job."""
        if job.idempotency_key_sha256 is None:
            return False
        other = self.ledger.find_by_idempotency_key(
            project=job.project, owner=job.owner, key_sha256=job.idempotency_key_sha256
        )
        return other is not None and other.id != job.id

    def _first_step(self, job: Job) -> tuple[Finding, JobChange]:
        """What becomes of a job that has not ended."""
        sent = self._trails.sent(job)
        if sent is not None:
            finding = Finding.MAYBE_SENT if sent.provider_job_id is None else Finding.AT_BACKEND
            return finding, sent_on(job, sent, at=self.at)
        if job.backend not in self._reasons:
            self._reasons[job.backend] = _reason_to_hold(self.backends, job.backend)
        reason = self._reasons[job.backend]
        if not reason and not self.run_pending and not job.edits:
            reason = _UNPROVEN  # an edit is stored for jobs with a row only
        if reason:
            return Finding.HELD, held(job, reason, at=self.at)
        return Finding.TO_RUN, found(job, at=self.at)

    def _rank(self, asked: AskedJob) -> int:
        if asked.record.job_id in self._damaged_jobs:
            return 3
        sent = self.traces.sent.get(asked.stem)
        return 0 if sent is None else 2 if sent.received else 1

    def _sound(self, told: T | ArchiveDamagedError) -> T | None:
        """What was read; None if it is damaged, which is noted."""
        if isinstance(told, ArchiveDamagedError):
            self.report.damaged.append(told)
            return None
        return told

    def _catch_up(self, row: Job, steps: Sequence[JobChange]) -> None:
        self._saved(row, steps)
        self.report.counts[Finding.CAUGHT_UP if steps else Finding.THERE] += 1

    def _saved(self, row: Job, steps: Sequence[JobChange]) -> Job:
        """The row after these steps.

        Raises:
            ConflictError: Somebody else changed it.
        """
        if not steps:
            return row
        if not all(self.ledger.save(steps)):
            raise ConflictError(
                f"job {row.id} was changed by another process just now",
                solution="Stop all services and reconcilers of this ledger, then repeat the command with --merge.",
            )
        return steps[-1].after

    def _restore(self, known: Sequence[KnownJob], finding: Finding) -> None:
        """Insert rows; one that the ledger does not take is told of and keeps out no other."""
        if not known:
            return
        try:
            self.ledger.restore([(it.job, it.events) for it in known])
        except InvalidRequestError:
            for it in known:
                self._restore_one(it, finding)
            return
        self.report.counts[finding] += len(known)

    def _restore_one(self, known: KnownJob, finding: Finding) -> None:
        job = known.job
        try:
            self.ledger.restore([(job, known.events)])
        except JobExistsError as error:
            if error.details.get("job_id") == job.id or job.idempotency_key_sha256 is None:
                self.report.left_out.append(f"job {job.id} was found twice: {job.result_key or job.request_key}")
                return
            self.report.remarks.append(f"job {job.id} has lost its idempotency key: {error.message}")
            self._restore_one(replace(known, job=replace(job, idempotency_key_sha256=None)), finding)
        except InvalidRequestError as error:
            self.report.left_out.append(f"the ledger does not take job {job.id}: {error.message}")
        else:
            self.report.counts[finding] += 1


def _reason_to_hold(backends: Backends, name: str) -> str:
    """Why a job for this backend may not be run without a person's consent; empty if it may."""
    try:
        backend = backends.get(name)
    except NotFoundError:
        return f"there is no backend {name} now"
    except UnavailableError as error:
        return f"nobody can tell what a run costs ({error.message})"
    return "" if backend.repeatable and not backend.paid else f"a run at {name} may cost money"
