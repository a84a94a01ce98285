"""What every ledger says when it refuses, in the same words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from qdepot.domain.job import Job, JobChange
from qdepot.domain.token import Token
from qdepot.errors import (
    ConflictError,
    GoneError,
    InvalidRequestError,
    InvalidTransitionError,
    NotFoundError,
    TokenRevokedError,
)
from qdepot.ports.ledger import JobExistsError

IDENTITY = frozenset(
    {"id", "project", "owner", "backend", "kind", "created_at", "request_sha256", "idempotency_key_sha256"}
)
"""Fields of a job that never change."""


def identity_checked(change: JobChange) -> None:
    """A change leaves what makes a job this job.

    Raises:
        InvalidTransitionError: It does not.
    """
    touched = sorted(name for name in IDENTITY if getattr(change.before, name) != getattr(change.after, name))
    if touched:
        raise InvalidTransitionError(f"job {change.before.id}: {', '.join(touched)} never changes")


def batch_checked(new: Iterable[Job]) -> None:
    """No two jobs of a batch want the same id, or the same idempotency key.

    Raises:
        JobExistsError: Two do.
    """
    ids: set[str] = set()
    keys: dict[tuple[str, str, str], str] = {}
    for job in new:
        if job.id in ids:
            raise exists_already(job.id, what="id")
        ids.add(job.id)
        if (key := key_of(job)) is not None and keys.setdefault(key, job.id) != job.id:
            raise exists_already(keys[key], what="idempotency key")


def key_of(job: Job) -> tuple[str, str, str] | None:
    """What no other job may have: the caller's key, within project and owner."""
    key = job.idempotency_key_sha256
    return None if key is None else (job.project, job.owner, key)


def exists_already(job_id: str, *, what: str) -> JobExistsError:
    """Somebody has this ``what`` (id, idempotency key) already: the job that is named."""
    return JobExistsError(f"There is a job with this {what} already: {job_id}.", details={"job_id": job_id})


def not_found(job_id: str) -> NotFoundError:
    """No such job."""
    return NotFoundError(f"There is no job {job_id}.", details={"job_id": job_id})


def gone(job_id: str, *, at: datetime) -> GoneError:
    """There is a tombstone."""
    return GoneError(f"Job {job_id} was deleted at {at.isoformat()}.", details={"job_id": job_id})


def not_final(job: Job) -> ConflictError:
    """Only what has ended can be deleted."""
    return ConflictError(
        f"Job {job.id} is {job.shown_status}; only a job that has ended can be deleted.",
        solution="Cancel it first, or wait until it has ended.",
        details={"job_id": job.id, "status": job.shown_status},
    )


def page_limit_checked(limit: int) -> None:
    """A page has room for a job."""
    if limit < 1:
        raise InvalidRequestError(f"A page of {limit} jobs cannot be shown.", solution="Ask for at least one.")


def token_exists_already(token_id: str) -> ConflictError:
    """No id of a token is given twice."""
    return ConflictError(f"There is a token {token_id} already.", details={"token_id": token_id})


def parent_checked(token: Token, parent: Token | None) -> None:
    """The token that a new one was made with is still worth something.

    Raises:
        TokenRevokedError: It is not.
    """
    if parent is None or parent.revoked_at is not None:
        raise TokenRevokedError(
            f"the token {token.parent}, with which another one was to be made, is revoked",
            solution="Use a token that is valid.",
        )
