"""Every call of the v1 API: how it is asked and how its answer is read. No input or output here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from qdepot.client.exchange import Answer, Request, T
from qdepot.client.problems import invalid_fields
from qdepot.client.results import Result, result_from_json
from qdepot.wire.answers import (
    BackendAnswer,
    BackendListAnswer,
    BatchAnswer,
    EventAnswer,
    EventListAnswer,
    JobAnswer,
    JobListAnswer,
    ObjectAnswer,
    ObjectListAnswer,
    StatusAnswer,
    StatusesAnswer,
    VersionAnswer,
)
from qdepot.wire.requests import JobBody, JobEditBody, ResolveBody, StatusesBody

M = TypeVar("M", bound=BaseModel)

NPZ = "application/x-npz"
_JSON_BODY = {"content-type": "application/json"}


def submit_job(body: JobBody, *, idempotency_key: str) -> Request[JobAnswer]:
    """Submit one job. A repeat with the same key and body gives the same job."""
    return Request(
        method="POST",
        path="/v1/jobs",
        headers={**_JSON_BODY, "Idempotency-Key": idempotency_key},
        body=_sent(body),
        repeatable=True,
        parse=_as(JobAnswer),
    )


def submit_batch(bodies: Sequence[JobBody], *, atomic: bool, idempotency_key: str) -> Request[BatchAnswer]:
    """Submit up to 1,000 jobs. A repeat with the same key and body gives the same jobs."""
    jobs = b",".join(_sent(body) for body in bodies)
    return Request(
        method="POST",
        path="/v1/jobs:batch",
        headers={**_JSON_BODY, "Idempotency-Key": idempotency_key},
        body=b'{"atomic":%s,"jobs":[%s]}' % (b"true" if atomic else b"false", jobs),
        repeatable=True,
        read_timeout_s=300.0,
        parse=_as(BatchAnswer),
    )


def job_status(
    job_id: str, *, wait_s: float = 0.0, known: str | None = None, known_circuits: int | None = None
) -> Request[StatusAnswer]:
    """The status of a job; held open up to ``wait_s`` until it is final.

    Or until it is no longer ``known``, or results of more than ``known_circuits`` are stored.
    """
    params = [("wait", f"{wait_s:g}")] if wait_s > 0 else []
    if known is not None and wait_s > 0:
        params.append(("known", known))
    if known_circuits is not None and wait_s > 0:
        params.append(("known_circuits", str(known_circuits)))
    return Request(
        path=f"{_job(job_id)}/status",
        params=tuple(params),
        repeatable=True,
        read_timeout_s=wait_s + 20.0,
        parse=_as(StatusAnswer),
    )


def job_statuses(job_ids: Sequence[str]) -> Request[list[StatusAnswer]]:
    """The statuses of up to 1,000 jobs; unknown ones are missing."""
    return Request(
        method="POST",
        path="/v1/statuses",
        headers=_JSON_BODY,
        body=StatusesBody(ids=list(job_ids)).model_dump_json().encode(),
        repeatable=True,
        parse=lambda answer: StatusesAnswer.model_validate_json(answer.body).statuses,
    )


def job_details(job_id: str) -> Request[JobAnswer]:
    """All about a job."""
    return Request(path=_job(job_id), repeatable=True, parse=_as(JobAnswer))


def job_result(job_id: str, *, partial: bool = False) -> Request[Result]:
    """The result of a job that is COMPLETED; or, ``partial``, what there is of it, in any status."""
    return _fetched(job_id, accept="application/json", partial=partial, parse=_result)


def job_result_document(job_id: str, *, partial: bool = False) -> Request[dict[str, Any]]:
    """The same, as plain JSON data."""
    return _fetched(job_id, accept="application/json", partial=partial, parse=_json_object)


def job_arrays(job_id: str, *, partial: bool = False) -> Request[bytes]:
    """Per-shot outcomes as the bytes of an ``.npz`` file."""
    return _fetched(job_id, accept=NPZ, partial=partial, parse=_zip)


def job_program(job_id: str) -> Request[dict[str, Any]]:
    """The program as it was sent."""
    return Request(path=f"{_job(job_id)}/program", repeatable=True, parse=_json_object)


def job_events(job_id: str) -> Request[list[EventAnswer]]:
    """The history of a job."""
    return Request(
        path=f"{_job(job_id)}/events",
        repeatable=True,
        parse=lambda answer: EventListAnswer.model_validate_json(answer.body).events,
    )


def job_objects(job_id: str) -> Request[list[ObjectAnswer]]:
    """Where the job lies."""
    return Request(
        path=f"{_job(job_id)}/objects",
        repeatable=True,
        parse=lambda answer: ObjectListAnswer.model_validate_json(answer.body).objects,
    )


def job_export(job_id: str) -> Request[bytes]:
    """All that is kept of a final job, as the bytes of a zip file."""
    return Request(
        path=f"{_job(job_id)}/export",
        headers={"accept": "application/zip, application/problem+json"},
        repeatable=True,
        read_timeout_s=300.0,
        parse=_zip,
    )


def job_bundle(job_id: str) -> Request[bytes]:
    """The file that holds everything about a final job, from the service or from its store."""
    return Request(
        path=f"{_job(job_id)}/download",
        headers={"accept": "application/zip, application/problem+json"},
        repeatable=True,
        may_lead_elsewhere=True,
        read_timeout_s=300.0,
        parse=_zip,
    )


def cancel_job(job_id: str) -> Request[JobAnswer]:
    """Wish that a job ends; a repeat is the same wish."""
    return Request(method="POST", path=f"{_job(job_id)}/cancel", repeatable=True, parse=_as(JobAnswer))


def edit_job(job_id: str, *, name: str | None = None, tags: Sequence[str] | None = None) -> Request[JobAnswer]:
    """Change name or tags; None leaves them as they are. Never repeated on its own.

    Raises:
        InvalidRequestError: They are too long or too many.
    """
    changes: dict[str, object] = {} if name is None else {"name": name}
    if tags is not None:
        changes["tags"] = list(tags)
    try:
        body = JobEditBody.model_validate(changes)
    except ValidationError as error:
        raise invalid_fields(error, what="the change") from error
    return Request(method="PATCH", path=_job(job_id), headers=_JSON_BODY, body=_sent(body), parse=_as(JobAnswer))


def delete_job(job_id: str) -> Request[None]:
    """Delete a final job with its objects. Never repeated on its own."""
    return Request(method="DELETE", path=_job(job_id), parse=lambda _: None)


def resolve_job(job_id: str, *, action: str, provider_job_id: str | None = None) -> Request[JobAnswer]:
    """Decide about a job that is held or in doubt. Never repeated on its own.

    Raises:
        InvalidRequestError: There is no such action, or an id without or instead of ``adopt``.
    """
    try:
        body = ResolveBody.model_validate({"action": action, "provider_job_id": provider_job_id})
    except ValidationError as error:
        raise invalid_fields(error, what="the decision") from error
    return Request(
        method="POST", path=f"{_job(job_id)}/resolve", headers=_JSON_BODY, body=_sent(body), parse=_as(JobAnswer)
    )


def list_jobs(
    filters: Mapping[str, str | Sequence[str] | None], *, limit: int, cursor: str | None
) -> Request[JobListAnswer]:
    """A page of jobs, newest first."""
    params = [("limit", str(limit))]
    for name, wanted in filters.items():
        values = [wanted] if isinstance(wanted, str) else wanted or []
        params.extend((name, value) for value in values)
    if cursor is not None:
        params.append(("cursor", cursor))
    return Request(path="/v1/jobs", params=tuple(params), repeatable=True, parse=_as(JobListAnswer))


def list_backends() -> Request[list[BackendAnswer]]:
    """All backends."""
    return Request(
        path="/v1/backends",
        repeatable=True,
        parse=lambda answer: BackendListAnswer.model_validate_json(answer.body).backends,
    )


def one_backend(name: str) -> Request[BackendAnswer]:
    """One backend."""
    return Request(path=f"/v1/backends/{quote(name, safe='/')}", repeatable=True, parse=_as(BackendAnswer))


def version() -> Request[VersionAnswer]:
    """What the service is."""
    return Request(path="/v1/version", repeatable=True, parse=_as(VersionAnswer))


def _fetched(job_id: str, *, accept: str, partial: bool, parse: Callable[[Answer], T]) -> Request[T]:
    return Request(
        path=f"{_job(job_id)}/result",
        params=(("partial", "true"),) if partial else (),
        headers={"accept": accept},
        repeatable=True,
        read_timeout_s=300.0,
        parse=parse,
    )


def _job(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}"


def _sent(body: BaseModel) -> bytes:
    return body.model_dump_json(exclude_unset=True).encode()


def _as(model: type[M]) -> Callable[[Answer], M]:
    return lambda answer: model.model_validate_json(answer.body)


def _result(answer: Answer) -> Result:
    return result_from_json(answer.body)


def _json_object(answer: Answer) -> dict[str, Any]:
    document = json.loads(answer.body)
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    return document


def _zip(answer: Answer) -> bytes:
    if not answer.body.startswith(b"PK"):
        raise ValueError("not a zip file")
    return answer.body
