"""Every error that qdepot raises on purpose.

QDepotError
├── InvalidRequestError          the caller must change something
│   ├── NotFoundError            there is no such job, backend, object
│   ├── GoneError                it was there and was deleted
│   ├── ConflictError            it contradicts what is already there
│   │   └── NotFinishedError     there is no result yet
│   ├── InvalidProgramError      a circuit cannot be read, or is not a valid program
│   ├── UnsupportedProgramError  a valid program that this backend or qdepot cannot run
│   ├── PayloadTooLargeError     larger than this service accepts
│   └── QuotaExceededError       a limit of the project is reached
│       ├── TooManyRequestsError too many requests came too fast
│       └── TooManyLargeRequestsError  memory for large requests is taken
├── ResourceLimitError           the program used up what it was allowed
│   ├── TimeLimitExceededError
│   └── MemoryLimitExceededError
├── UnavailableError             try again later; nothing was changed
│   └── WorkerLostError          the process that did the work is gone, by no fault of the program
├── TaskCancelledError           the work was stopped because its owner wished so
├── JobFailedError               (client) the job has ended without a result
├── WaitTimeoutError             (client) the job was not final within the time given
├── PermissionDeniedError        whoever asks may not do that
│   └── NotAuthenticatedError    nobody knows who asks
│       ├── TokenExpiredError
│       └── TokenRevokedError
├── ArchiveDamagedError          stored bytes are not what they were when they were written
├── InternalError                our bug
└── InvalidTransitionError       our bug: a move that the transition table does not know

The first line of each docstring is the default message. ``code`` is stable: it stands in JSON answers, in the CLI's
output and in the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self


class QDepotError(Exception):
    """Something went wrong in qdepot.

    Attributes:
        code: Stable word for programs.
        message: What happened, to what.
        solution: What the reader can do about it; may be empty.
        details: Further plain data, e.g. ``{"line": 3, "column": 7, "circuit": 0}``.
        retry_after_s: Seconds after which a retry makes sense, where known.
    """

    code: ClassVar[str] = "error"

    def __init__(
        self,
        message: str = "",
        *,
        solution: str = "",
        details: Mapping[str, object] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        default = (type(self).__doc__ or "").strip().splitlines()[0]
        self.message = message or default
        self.solution = solution
        self.details: dict[str, object] = dict(details or {})
        self.retry_after_s = retry_after_s
        super().__init__(self.message)

    def __str__(self) -> str:
        """What happened, and what to do: a notebook shows only this."""
        return f"{self.message}\nWhat to do: {self.solution}" if self.solution else self.message

    def bare(self) -> Self:
        """The error as an answer among others: without the frames that it came by, and all that these hold."""
        self.__traceback__ = self.__cause__ = self.__context__ = None
        return self


class InvalidRequestError(QDepotError):
    """The request cannot be carried out as it stands."""

    code = "invalid_request"


class NotFoundError(InvalidRequestError):
    """There is no such thing."""

    code = "not_found"


class GoneError(InvalidRequestError):
    """It was deleted."""

    code = "gone"


class ConflictError(InvalidRequestError):
    """The request contradicts what is already stored."""

    code = "conflict"


class NotFinishedError(ConflictError):
    """The job has no result yet."""

    code = "not_finished"


class InvalidProgramError(InvalidRequestError):
    """The program cannot be read."""

    code = "invalid_program"


class UnsupportedProgramError(InvalidRequestError):
    """The program cannot be run as it was asked for."""

    code = "unsupported_program"


class PayloadTooLargeError(InvalidRequestError):
    """The request is larger than this service accepts."""

    code = "payload_too_large"


class QuotaExceededError(InvalidRequestError):
    """A limit of this project is reached."""

    code = "quota_exceeded"


class TooManyRequestsError(QuotaExceededError):
    """This project sends requests faster than it may."""

    code = "too_many_requests"


class TooManyLargeRequestsError(QuotaExceededError):
    """The service has no memory left for large requests now."""

    code = "too_many_large_requests"


class ResourceLimitError(QDepotError):
    """The program used up what it was allowed."""

    code = "resource_limit"


class TimeLimitExceededError(ResourceLimitError):
    """The program ran longer than it may."""

    code = "time_limit_exceeded"


class MemoryLimitExceededError(ResourceLimitError):
    """The program needed more memory than it may use."""

    code = "memory_limit_exceeded"


class UnavailableError(QDepotError):
    """A part that is needed does not answer; try again later. Nothing was changed."""

    code = "unavailable"


class WorkerLostError(UnavailableError):
    """The process that did the work was lost."""

    code = "worker_lost"


class TaskCancelledError(QDepotError):
    """The work was cancelled."""

    code = "cancelled"


class JobFailedError(QDepotError):
    """The job ended without a result."""

    code = "job_failed"


class WaitTimeoutError(QDepotError, TimeoutError):
    """The job was not final within the time given; it goes on."""

    code = "wait_timeout"


class PermissionDeniedError(QDepotError):
    """This account may not do that."""

    code = "permission_denied"


class NotAuthenticatedError(PermissionDeniedError):
    """The request needs a token that is valid."""

    code = "not_authenticated"


class TokenExpiredError(NotAuthenticatedError):
    """The token has expired."""

    code = "token_expired"


class TokenRevokedError(NotAuthenticatedError):
    """The token was revoked."""

    code = "token_revoked"


class ArchiveDamagedError(QDepotError):
    """Stored bytes differ from what was written."""

    code = "archive_damaged"


class InternalError(QDepotError):
    """qdepot made a mistake."""

    code = "internal_error"


class InvalidTransitionError(InternalError):
    """A job was moved in a way that the transition table does not know."""

    code = "invalid_transition"


def error_classes() -> dict[str, type[QDepotError]]:
    """All error classes by their code."""
    found: dict[str, type[QDepotError]] = {}
    waiting: list[type[QDepotError]] = [QDepotError]
    while waiting:
        error_class = waiting.pop()
        found[error_class.code] = error_class
        waiting.extend(error_class.__subclasses__())
    return found
