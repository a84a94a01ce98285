"""From what came back, or did not, to an error that says what to do."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pydantic import ValidationError

from qdepot.client.exchange import Answer, NoAnswer, Request
from qdepot.errors import (
    ConflictError,
    GoneError,
    InternalError,
    InvalidRequestError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    QDepotError,
    QuotaExceededError,
    UnavailableError,
    error_classes,
)
from qdepot.wire.answers import Problem

_BY_HTTP_STATUS: dict[int, type[QDepotError]] = {
    401: PermissionDeniedError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    413: PayloadTooLargeError,
    429: QuotaExceededError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}
_CHECK_ADDRESS = "Check the address (--url, QDEPOT_URL): is it that of a qdepot service, or of something before it?"


def error_of(answer: Answer, *, url: str) -> QDepotError:
    """The error that the service raised, as its class and with its words; a sensible one if it was not the service."""
    problem = _problem(answer)
    if problem is None:
        return strange_answer(answer, url=url)
    error = error_of_problem(problem)
    error.retry_after_s = retry_after_s(answer)
    return error


def error_of_problem(problem: Problem) -> QDepotError:
    """The error that a problem document tells of."""
    details: dict[str, object] = dict(problem.details)
    if problem.errors:
        details["errors"] = problem.errors
    error_class = error_classes().get(problem.code) or _class_by_status(problem.status)
    return error_class(problem.detail or problem.title, solution=problem.solution, details=details)


def error_without_answer(no_answer: NoAnswer, *, request: Request[object], url: str) -> UnavailableError:
    """The error for a service that cannot be reached, or fell silent."""
    if no_answer.solution:
        return UnavailableError(f"no connection to {url}: {no_answer.reason}", solution=no_answer.solution)
    if no_answer.refused:
        return UnavailableError(
            f"no service answers at {url}: {no_answer.reason}",
            solution="Start one with `qdepot serve`, or say where it is: the argument `url`, --url or QDEPOT_URL.",
        )
    message = f"the connection to {url} was lost during {request.method} {request.path}: {no_answer.reason}"
    key = request.headers.get("Idempotency-Key")
    if key:
        solution = f"Whether it was accepted is not known. A repeat with the idempotency key {key} does no harm."
        return UnavailableError(message, solution=solution, details={"idempotency_key": key})
    if request.repeatable:
        return UnavailableError(message, solution="Try again; nothing was changed.")
    return UnavailableError(message, solution="Whether it was carried out is not known: look before you repeat it.")


def invalid_fields(error: ValidationError, *, what: str) -> InvalidRequestError:
    """The error for something that cannot be sent, because fields of it are wrong."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    texts = [f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}" for problem in problems]
    more = f" (and {len(texts) - 3} more)" if len(texts) > 3 else ""
    return InvalidRequestError(
        f"{what} cannot be sent: {'; '.join(texts[:3])}{more}", solution="Change what is named, and try again."
    )


def strange_answer(answer: Answer, *, url: str) -> QDepotError:
    """The error for an answer that no qdepot service gives."""
    kind = answer.headers.get("content-type", "no content type")
    beginning = answer.body[:120].decode("utf-8", errors="replace").replace("\n", " ").strip()
    message = f"{url} gave an answer that cannot be understood: HTTP {answer.status}, {kind}"
    if beginning:
        message += f", beginning {beginning!r}"
    if 300 <= answer.status < 400 and "location" in answer.headers:
        message += f", redirecting to {answer.headers['location']}"
    return _class_by_status(answer.status)(message, solution=_CHECK_ADDRESS, retry_after_s=retry_after_s(answer))


def retry_after_s(answer: Answer) -> float | None:
    """Seconds that the answer asks to wait, from either form of ``Retry-After``; None where it names none."""
    text = answer.headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text).astimezone(UTC) - datetime.now(UTC)).total_seconds())
    except ValueError:
        return None


def _problem(answer: Answer) -> Problem | None:
    try:
        return Problem.model_validate_json(answer.body)
    except ValidationError:
        return None


def _class_by_status(status: int) -> type[QDepotError]:
    if status in _BY_HTTP_STATUS:
        return _BY_HTTP_STATUS[status]
    return InternalError if status >= 500 else InvalidRequestError
