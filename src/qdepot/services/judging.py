"""Judging: is an object one that the ledger wants to be there? Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from qdepot.archive.places import Kind, Place
from qdepot.domain.job import Job
from qdepot.services.verify_report import Flaw, Suspect

_REBUILD = "`qdepot ledger rebuild --merge` brings it back"
_PROOFS = {Kind.PREPARED, Kind.RECEIPT, Kind.PART}
"""Objects that are only written for a job with a row."""
_NOBODYS = {Kind.CHECK, Kind.OTHER}


def judged_completed(place: Place, row: Job | None, *, deleted: bool) -> Suspect | None:
    """What is wrong with an object of the completed store, but for its bytes.

    Args:
        place: The object.
        row: The job that it belongs to, if the ledger knows it.
        deleted: There is a tombstone of this job.
    """
    if place.kind in _NOBODYS:
        return _judged_nobodys(place, "completed")
    if place.kind is Kind.TOMBSTONE:
        message = f"job {place.id} was being deleted; delete it again"
        return None if row is None else _suspect(Flaw.HALF_DELETED, "completed", place, message)
    if row is not None:
        return None
    if deleted:
        return _suspect(Flaw.LEFT_OVER, "completed", place, f"job {place.id} was deleted")
    return _suspect(Flaw.UNLISTED, "completed", place, f"the ledger does not know job {place.id}; {_REBUILD}")


def judged_pending(place: Place, row: Job | None, *, deleted: bool) -> Suspect | None:
    """What is wrong with an object of the pending store that is no batch, but for its bytes. As the other."""
    if place.kind in _NOBODYS:
        return _judged_nobodys(place, "pending")
    return _judged_without_row(place, deleted=deleted) if row is None else _judged_with_row(place, row)


def _judged_nobodys(place: Place, area: str) -> Suspect:
    if place.kind is Kind.CHECK:
        return _suspect(Flaw.LEFT_OVER, area, place, "a check of the store was interrupted")
    return _suspect(Flaw.FOREIGN, area, place, "it is none of ours")


def _judged_with_row(place: Place, row: Job) -> Suspect | None:
    if _is_done_with(row):
        return _suspect(Flaw.LEFT_OVER, "pending", place, f"job {place.id} has ended, and its bundle is stored")
    if place.kind is Kind.REQUEST and row.request_key != place.key:
        return _orphan(place, f"the request of job {place.id} is {row.request_key}")
    return None


def _judged_without_row(place: Place, *, deleted: bool) -> Suspect:
    if deleted:
        return _suspect(Flaw.LEFT_OVER, "pending", place, f"job {place.id} was deleted")
    if place.kind in _PROOFS:
        return _suspect(Flaw.UNLISTED, "pending", place, f"the ledger does not know job {place.id}; {_REBUILD}")
    return _orphan(place, f"nobody was told that job {place.id} is accepted, or the ledger has lost it")


def judged_batch(
    place: Place, job_ids: Sequence[str], rows: Mapping[str, Job], *, deleted: Collection[str]
) -> Suspect | None:
    """What is wrong with a batch of requests for these jobs, but for its bytes."""
    lost = [job_id for job_id in job_ids if job_id not in rows and job_id not in deleted]
    if lost:
        many = f"{len(lost)} of its {len(job_ids)} jobs"
        return _orphan(place, f"nobody was told that {many} are accepted, or the ledger has lost them")
    if all(_is_done_with(rows[job_id]) for job_id in job_ids if job_id in rows):
        return _suspect(Flaw.LEFT_OVER, "pending", place, "all its jobs have ended or were deleted")
    return None


def _is_done_with(row: Job) -> bool:
    """True if the pending objects of a job are noted as removed."""
    return row.is_final and row.pending_removed


def _orphan(place: Place, message: str) -> Suspect:
    return _suspect(Flaw.ORPHAN, "pending", place, message)


def _suspect(flaw: Flaw, area: str, place: Place, message: str) -> Suspect:
    return Suspect(flaw=flaw, area=area, key=place.key, message=message)
