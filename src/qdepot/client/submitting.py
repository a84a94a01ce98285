"""How jobs get to the service: one, or many at once."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from qdepot.client import requests
from qdepot.client.exchange import Flow
from qdepot.client.jobspec import JobSpec
from qdepot.client.problems import error_of_problem
from qdepot.client.repeating import Peer, answered
from qdepot.domain.job import JobStatus
from qdepot.errors import InternalError, InvalidRequestError, QDepotError
from qdepot.wire.answers import BatchItemAnswer, JobAnswer
from qdepot.wire.requests import JobBody

MOST_IN_BATCH = 1000
"""Jobs in one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A job of a batch that was accepted, with what is known of it.

    Attributes:
        id, status: As the service answered.
        name, backend, tags: As they were sent.
    """

    id: str
    status: str
    name: str
    backend: str
    tags: Sequence[str]


def submitted(peer: Peer, spec: JobSpec, *, idempotency_key: str | None = None) -> Flow[JobAnswer]:
    """Submit one job; the flow's value is the job as it was accepted."""
    versions = yield from _qpy_versions(peer, [spec])
    body = spec.body(qpy_versions=versions)
    key = idempotency_key or str(uuid.uuid4())
    return (yield from answered(peer, requests.submit_job(body, idempotency_key=key)))


def submitted_many(
    peer: Peer, specs: Sequence[JobSpec], *, atomic: bool, idempotency_key: str | None = None
) -> Flow[list[Accepted | QDepotError]]:
    """Submit jobs in as few requests as possible; the flow's value has, in order, each accepted job or its error.

    Raises:
        InvalidRequestError: ``atomic``, and there are too many jobs, or one of them is bad (``details["job"]``).
    """
    if atomic and len(specs) > MOST_IN_BATCH:
        raise InvalidRequestError(
            f"{len(specs)} jobs cannot be submitted all or none: one request holds {MOST_IN_BATCH}",
            solution=f"Submit at most {MOST_IN_BATCH} at a time, or with atomic=False.",
        )
    if len(specs) == 1:
        return [(yield from _submitted_alone(peer, specs[0], atomic=atomic, idempotency_key=idempotency_key))]
    versions = yield from _qpy_versions(peer, specs)
    bodies = [_body(spec, index, versions) for index, spec in enumerate(specs)]
    key = idempotency_key or str(uuid.uuid4())
    outcomes: list[Accepted | QDepotError] = []
    for begin in range(0, len(bodies), MOST_IN_BATCH):
        part = bodies[begin : begin + MOST_IN_BATCH]
        part_key = key if len(bodies) <= MOST_IN_BATCH else f"{key}-{begin // MOST_IN_BATCH}"
        request = requests.submit_batch(part, atomic=atomic, idempotency_key=part_key)
        answer = yield from answered(peer, request)
        outcomes.extend(_outcome(body, item) for body, item in zip(part, answer.jobs, strict=True))
    return outcomes


def _submitted_alone(
    peer: Peer, spec: JobSpec, *, atomic: bool, idempotency_key: str | None
) -> Flow[Accepted | QDepotError]:
    try:
        job = yield from submitted(peer, spec, idempotency_key=idempotency_key)
    except InvalidRequestError as error:
        error.details.setdefault("job", 0)
        if atomic:
            raise
        return error
    return Accepted(id=job.id, status=job.status, name=job.name, backend=job.backend, tags=job.tags)


def _body(spec: JobSpec, index: int, qpy_versions: tuple[int, int] | None) -> JobBody:
    try:
        return spec.body(qpy_versions=qpy_versions)
    except InvalidRequestError as error:
        error.details["job"] = index
        raise


def _outcome(body: JobBody, item: BatchItemAnswer) -> Accepted | QDepotError:
    if item.id is not None:
        return Accepted(
            id=item.id, status=item.status or JobStatus.CREATED, name=body.name, backend=body.backend, tags=body.tags
        )
    if item.error is not None:
        return error_of_problem(item.error)
    return InternalError("a job of the batch got neither an id nor an error", solution="Ask the service's operator.")


def _qpy_versions(peer: Peer, specs: Sequence[JobSpec]) -> Flow[tuple[int, int] | None]:
    if peer.qpy_versions is None and any(spec.needs_qpy for spec in specs):
        known = (yield from answered(peer, requests.version())).qpy_versions
        peer.qpy_versions = (min(known), max(known)) if known else None
    return peer.qpy_versions
