"""What the OpenAPI document says about bodies and errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from qdepot.errors import QDepotError, error_classes
from qdepot.server.errors import MEDIA_TYPE, problem_document, status_of, title_of

SCHEMAS = "#/components/schemas/"


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The answers of a route that are problems, by status.

    Args:
        codes: Of the errors that this route's callers meet; those that all routes share are added.
    """
    return _problems((*codes, *_GUARDED_CODES, *_SHARED_CODES))


def open_problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The same, of a route that is open to the world."""
    return _problems((*codes, *_SHARED_CODES))


def _problems(codes: Sequence[str]) -> dict[int | str, dict[str, Any]]:
    classes = error_classes()
    by_status: dict[int, list[type[QDepotError]]] = {}
    for code in codes:
        by_status.setdefault(status_of(classes[code]), []).append(classes[code])
    return {status: _problem_answer(status, found) for status, found in by_status.items()}


def _problem_answer(status: int, found: Sequence[type[QDepotError]]) -> dict[str, Any]:
    texts = [f"`{error_class.code}`: {title_of(error_class)}" for error_class in found]
    content = {"schema": {"$ref": f"{SCHEMAS}Problem"}, "example": problem_document(found[0]())}
    answer: dict[str, Any] = {"description": "\n\n".join(texts), "content": {MEDIA_TYPE: content}}
    if status in {429, 503}:
        answer["headers"] = _header("Retry-After", "Seconds after which a repeat makes sense.", "integer")
    return answer


def accepted(description: str) -> dict[int | str, dict[str, Any]]:
    """The answer to a submission that made a job."""
    return {201: {"description": description, "headers": _header("Location", "Where the job is.", "string")}}


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """The body of a route that reads it to the letter."""
    content = {"schema": {"$ref": f"{SCHEMAS}{model.__name__}"}}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def answers(model: type[BaseModel], texts: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    """Further good answers of a route, by status."""
    return {status: {"model": model, "description": text} for status, text in texts.items()}


def or_file(media_type: str, description: str) -> dict[int | str, dict[str, Any]]:
    """A good answer that is a file if that is asked for."""
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {200: {"description": description, "content": content}}


def _header(name: str, description: str, kind: str) -> dict[str, Any]:
    return {name: {"description": description, "schema": {"type": kind}}}


_SHARED_CODES = ("wrong_host", "cross_site", "internal_error")
_GUARDED_CODES = (
    "not_authenticated",
    "token_expired",
    "token_revoked",
    "permission_denied",
    "too_many_requests",
    "unavailable",
)

BODY_CODES = ("invalid_request", "payload_too_large", "unsupported_media_type")
"""What goes wrong with bodies."""

SUBMIT_CODES = (
    *BODY_CODES,
    "not_found",
    "gone",
    "conflict",
    "invalid_program",
    "unsupported_program",
    "memory_limit_exceeded",
    "time_limit_exceeded",
    "quota_exceeded",
    "too_many_large_requests",
    "unavailable",
)
"""What goes wrong when jobs are submitted."""

JOB_CODES = ("not_found", "gone", "unavailable")
"""What goes wrong when a job is looked for."""
