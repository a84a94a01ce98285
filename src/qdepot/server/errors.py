"""From errors to HTTP: the only place that knows which status an error gets.

========================  ======  =====================================================================
error                     status  remark
========================  ======  =====================================================================
``InvalidRequestError``   422     also invalid JSON, a wrong field, a circuit that cannot be read
``NotFoundError``         404     also a path that is none, and other people's jobs
``MethodNotAllowed...``   405     with ``Allow``
``ConflictError``         409     ``NotFinishedError``: there is no result *yet*
``JobFailedError``        409     there will never be a result; ``details.failure`` says why
``GoneError``             410     deleted; a tombstone is left
``PayloadTooLargeError``  413
``UnsupportedMedia...``   415
``WrongHostError``        421     the request was meant for another server
``ResourceLimitError``    422     the program itself is too much, now and later
``QuotaExceededError``    429     with ``Retry-After``
``PermissionDenied...``   403
``NotAuthenticated...``   401     with ``WWW-Authenticate``
``UnavailableError``      503     with ``Retry-After``; nothing was changed
everything else           500     ours; the answer names a trace id that stands in the log, and no internals
========================  ======  =====================================================================
"""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qdepot import errors

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
MAX_LISTED_ERRORS = 20
MAX_INSTANCE = 300
DEFAULT_RETRY_AFTER_S = 5.0
QUOTA_RETRY_AFTER_S = 60.0


class MethodNotAllowedError(errors.InvalidRequestError):
    """This address does not know that method."""

    code = "method_not_allowed"


class UnsupportedMediaTypeError(errors.InvalidRequestError):
    """The body is not in a form that this address reads."""

    code = "unsupported_media_type"


class WrongHostError(errors.PermissionDeniedError):
    """The request was addressed to another host than this service."""

    code = "wrong_host"


class CrossSiteError(errors.PermissionDeniedError):
    """Another web page sent the request, not this service's own."""

    code = "cross_site"


STATUS: Mapping[type[errors.QDepotError], int] = MappingProxyType(
    {
        errors.QDepotError: 500,
        errors.InvalidRequestError: 422,
        errors.NotFoundError: 404,
        errors.GoneError: 410,
        errors.ConflictError: 409,
        errors.JobFailedError: 409,
        errors.TaskCancelledError: 409,
        errors.PayloadTooLargeError: 413,
        errors.QuotaExceededError: 429,
        errors.ResourceLimitError: 422,
        errors.UnavailableError: 503,
        errors.WaitTimeoutError: 504,
        errors.PermissionDeniedError: 403,
        errors.NotAuthenticatedError: 401,
        MethodNotAllowedError: 405,
        UnsupportedMediaTypeError: 415,
        WrongHostError: 421,
    }
)
"""The status of an error is that of its nearest class in this table."""


def status_of(error_class: type[errors.QDepotError]) -> int:
    """The HTTP status of an error class."""
    return next(STATUS[parent] for parent in error_class.__mro__ if parent in STATUS)


def title_of(error_class: type[errors.QDepotError]) -> str:
    """What the class means, in a sentence."""
    return (error_class.__doc__ or "").strip().splitlines()[0]


def problem_document(error: errors.QDepotError, *, instance: str | None = None) -> dict[str, Any]:
    """The RFC 9457 form of an error; ``details["errors"]`` (which fields are wrong) gets its own member."""
    details = dict(error.details)
    document: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": title_of(type(error)),
        "status": status_of(type(error)),
        "detail": error.message,
        "code": error.code,
        "solution": error.solution,
        "instance": instance[:MAX_INSTANCE] if instance else None,
        "errors": details.pop("errors", None),
        "details": details,
    }
    return {name: value for name, value in document.items() if value is not None}


def problem_response(
    error: errors.QDepotError, *, instance: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with an error. What is our own fault is logged, and shown without its inside."""
    shown = _unexpected(error) if isinstance(error, errors.InternalError) else error
    document = problem_document(shown, instance=instance)
    if document["status"] >= 500:
        logger.warning("request_failed", extra={"code": shown.code, "instance": instance, "why": shown.message})
    return Response(
        to_json(document, inf_nan_mode="null", fallback=str),
        status_code=document["status"],
        media_type=MEDIA_TYPE,
        headers={**_retry_after(error), **_challenge(error), **(headers or {})},
    )


def invalid_fields(found: Sequence[Mapping[str, Any]], *, where: str) -> errors.InvalidRequestError:
    """An error that lists wrong fields, as pydantic found them, without repeating what was sent."""
    listed = [_field_error(item) for item in found[:MAX_LISTED_ERRORS]]
    first = listed[0]
    place = ".".join(str(part) for part in first["loc"]) or where
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return errors.InvalidRequestError(
        f"{place}: {first['message']}{more}",
        solution=f"Correct the {where}; /docs describes it.",
        details={"errors": listed},
    )


def from_validation(error: ValidationError, *, where: str = "body") -> errors.InvalidRequestError:
    """What pydantic found wrong with a document."""
    return invalid_fields(error.errors(include_url=False, include_context=False, include_input=False), where=where)


def register(app: FastAPI) -> None:
    """Let an application answer every known error with a problem."""
    app.add_exception_handler(errors.QDepotError, _answer_own)  # type: ignore[arg-type]  # narrower than Exception
    app.add_exception_handler(RequestValidationError, _answer_invalid)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _answer_http)  # type: ignore[arg-type]


class CatchAll:
    """Outermost layer: whatever nobody expected becomes a 500 that names a trace id; the traceback is in the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, whatever happens inside."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            logger.info("client_hung_up", extra={"path": scope["path"][:MAX_INSTANCE]})
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            await problem_response(_unexpected(error), instance=scope["path"])(scope, receive, send)


async def _answer_own(request: Request, error: errors.QDepotError) -> Response:
    return problem_response(error, instance=request.url.path)


async def _answer_invalid(request: Request, error: RequestValidationError) -> Response:
    return problem_response(invalid_fields(error.errors(), where="request"), instance=request.url.path)


async def _answer_http(request: Request, error: HTTPException) -> Response:
    path = request.url.path
    if error.status_code == 404:
        missing = errors.NotFoundError(f"there is nothing at {path[:200]}", solution="See /docs for what there is.")
        return problem_response(missing, instance=path)
    if error.status_code == 405:
        allowed = ", ".join(_methods_at(request))
        wrong = MethodNotAllowedError(f"{request.method} is not possible here", solution=f"Use {allowed}.")
        return problem_response(wrong, instance=path, headers={"Allow": allowed})
    return problem_response(errors.InvalidRequestError(str(error.detail)), instance=path)


def _methods_at(request: Request) -> list[str]:
    """All methods of all routes with this path (a route on its own knows only its own)."""
    found: set[str] = set()
    for route in request.app.routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            found |= getattr(route, "methods", None) or set()
    return sorted(found)


def _field_error(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"loc": list(item["loc"]), "message": str(item["msg"])[:300], "type": item["type"]}


def _retry_after(error: errors.QDepotError) -> dict[str, str]:
    if isinstance(error, errors.UnavailableError):
        usual_s = DEFAULT_RETRY_AFTER_S
    elif isinstance(error, errors.QuotaExceededError):
        usual_s = QUOTA_RETRY_AFTER_S
    else:
        return {}
    seconds = usual_s if error.retry_after_s is None else error.retry_after_s
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


def _challenge(error: errors.QDepotError) -> dict[str, str]:
    return {"WWW-Authenticate": 'Bearer realm="qdepot"'} if isinstance(error, errors.NotAuthenticatedError) else {}


def _unexpected(error: Exception) -> errors.InternalError:
    trace_id = secrets.token_hex(8)
    logger.error("unexpected_error", exc_info=error, extra={"trace_id": trace_id})
    return errors.InternalError(
        "qdepot made a mistake",
        solution=f"Try again; if it stays, tell the operator the trace id {trace_id}, which stands in the log.",
        details={"trace_id": trace_id},
    )
