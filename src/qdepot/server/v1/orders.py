"""From the wire to the services."""

from __future__ import annotations

from qdepot.archive.long_values import lean_request
from qdepot.domain.job import CANCELLING, JobStatus, canonical_job_id
from qdepot.domain.program import Program
from qdepot.errors import InvalidRequestError
from qdepot.ports.ledger import JobFilter
from qdepot.server.bodies import validated
from qdepot.server.v1.queries import ListQuery
from qdepot.services.orders import JobOrder
from qdepot.wire.requests import JobBody


def order_of(raw: bytes) -> JobOrder:
    """What the job service takes.

    Args:
        raw: The request to the letter, valid JSON.

    Raises:
        InvalidProgramError: A QPY source is not base64.
        InvalidRequestError: It is no request for a job; says where.
    """
    lean = lean_request(raw)
    body = validated(JobBody, lean.text)
    return JobOrder(
        body=raw,
        backend=body.backend,
        name=body.name,
        tags=tuple(body.tags),
        program=Program.from_document(lean.complete(body.program.model_dump(mode="json"))),
        options=body.options.model_dump(mode="json", exclude_unset=True, exclude_none=True),
        priority=body.priority,
        timeout_s=body.timeout_s,
    )


def job_id_of(text: str) -> str:
    """A job's id that a client chose, in the form in which it is kept.

    Raises:
        InvalidRequestError: It is not a UUID.
    """
    job_id = canonical_job_id(text)
    if job_id is None or job_id != text.lower():
        raise InvalidRequestError(
            f"{text[:64]!r} is not a UUID", solution="Choose an id like 0192e0a4-7b3c-7def-8123-456789abcdef."
        )
    return job_id


def filter_of(query: ListQuery) -> JobFilter:
    """Which jobs a list shows.

    Raises:
        InvalidRequestError: CANCELLING was asked for together with other statuses.
    """
    wanted = set(query.status)
    if CANCELLING in wanted and len(wanted) > 1:
        raise InvalidRequestError("status: CANCELLING cannot be asked for together with others", solution="Ask twice.")
    stored = frozenset(JobStatus(status) for status in wanted - {CANCELLING})
    return JobFilter(
        status=stored or None,
        cancelling=(CANCELLING in wanted) if wanted else None,
        backend=query.backend,
        name=query.name,
        tag=query.tag,
        created_from=query.created_from,
        created_before=query.created_before,
    )
