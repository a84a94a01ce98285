"""Whether archive and ledger tell the same story."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from qdepot.archive import Archive, layout
from qdepot.archive.bundle import RESULT, Bundle
from qdepot.domain.job import Job, JobStatus
from qdepot.errors import QDepotError
from qdepot.ports.ledger import JobFilter, Ledger
from qdepot.ports.object_store import ObjectStore


def validate_archive(archive: Archive, ledger: Ledger) -> None:
    """Check every rule that binds rows and objects; call it while nothing is under way.

    Raises:
        AssertionError: Some are broken; the message lists them.
    """
    problems = archive_problems(archive, ledger)
    assert not problems, "archive and ledger contradict each other:\n" + "\n".join(problems)


def archive_problems(archive: Archive, ledger: Ledger) -> list[str]:
    """One line for each broken rule.

    - The request of a job that has not ended is in the pending archive, to the letter, and so are its parts: as many as
      the row says, each behind the one before, up to the circuits that are done.
    - A final job has a bundle with the right checksums that says the same as its row; a COMPLETED one has a result.
    - Of a job whose pending copies are noted as removed there is nothing in the pending archive.
    - Every object belongs to a row, or is the tombstone of a job that has none.
    - A name or tags other than those of the request were noted as an edit.
    """
    jobs = list(_all_jobs(ledger))
    keys = _Keys(pending=_all_keys(archive.pending), completed=_all_keys(archive.completed))
    return [
        *(problem for job in jobs for problem in _problems_of_job(archive, job, keys)),
        *_problems_of_pending(jobs, keys),
        *_problems_of_completed(jobs, keys),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keys:
    pending: set[str] = field(default_factory=set)
    completed: set[str] = field(default_factory=set)


def _all_jobs(ledger: Ledger) -> Iterator[Job]:
    cursor = None
    while True:
        page = ledger.page(JobFilter(), limit=500, cursor=cursor)
        yield from page.jobs
        cursor = page.next_cursor
        if cursor is None:
            return


def _all_keys(store: ObjectStore) -> set[str]:
    return {info.key for info in store.scan()}


def _problems_of_job(archive: Archive, job: Job, keys: _Keys) -> Iterator[str]:
    try:
        archive.verify(job)
        yield from _problems_of_bundle(archive, job)
        yield from _problems_of_edits(archive, job)
    except QDepotError as error:
        yield f"job {job.id} ({job.status}): {error.message}"
    if not job.is_final and job.request_key not in keys.pending:
        yield f"job {job.id} ({job.status}): its request is no longer in the pending archive"


def _problems_of_bundle(archive: Archive, job: Job) -> Iterator[str]:
    if not job.is_final:
        return
    if job.result_key != layout.bundle_key(job):
        yield f"job {job.id}: its row says that its bundle is {job.result_key}"
        return
    result = Bundle.open(archive.completed, job.result_key).manifest.get(RESULT)
    if job.status is JobStatus.COMPLETED and result is None:
        yield f"job {job.id}: it is COMPLETED and has no result"
    if job.result_size_bytes != (result.size_bytes if result else None):
        yield f"job {job.id}: its row says that its result has {job.result_size_bytes} bytes"


def _problems_of_edits(archive: Archive, job: Job) -> Iterator[str]:
    request = archive.read_request(job)
    edits = archive.read_edits(job)
    if job.name not in {request.name, *(edit.name for edit in edits)}:
        yield f"job {job.id}: its name was edited without a note"
    if job.tags not in {request.tags, *(edit.tags for edit in edits)}:
        yield f"job {job.id}: its tags were edited without a note"


def _problems_of_pending(jobs: list[Job], keys: _Keys) -> Iterator[str]:
    needed = {job.request_key for job in jobs if not job.pending_removed}
    alive = {job.id for job in jobs if not job.pending_removed}
    for key in sorted(keys.pending - needed):
        if layout.is_batch(key):
            yield f"pending {key}: no job needs it any more"
        elif layout.id_of(key) not in alive:
            yield f"pending {key}: it belongs to no job, or to one whose pending copies are noted as removed"


def _problems_of_completed(jobs: list[Job], keys: _Keys) -> Iterator[str]:
    known = {job.id for job in jobs}
    deleted = {layout.id_of(key) for key in keys.completed if key.endswith(layout.TOMBSTONE)}
    for key in sorted(keys.completed):
        job_id, is_tombstone = layout.id_of(key), key.endswith(layout.TOMBSTONE)
        if is_tombstone and job_id in known:
            yield f"completed {key}: the job still has a row"
        elif not is_tombstone and job_id in deleted:
            yield f"completed {key}: the job was deleted"
        elif not is_tombstone and job_id not in known:
            yield f"completed {key}: it belongs to no job"
