"""Which error a task ends with, from what its child said or how it died."""

from __future__ import annotations

import logging
import signal
from collections.abc import Mapping

from qdepot.errors import (
    InternalError,
    InvalidRequestError,
    MemoryLimitExceededError,
    QDepotError,
    ResourceLimitError,
    TimeLimitExceededError,
    UnavailableError,
    WorkerLostError,
    error_classes,
)
from qdepot.ports.compute_pool import Limits

_log = logging.getLogger(__name__)

_SAYABLE = (InvalidRequestError, ResourceLimitError, UnavailableError)
_MAX_TEXT = 4000
_CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE})


def said_by_child(meta: Mapping[str, object], limits: Limits) -> QDepotError:
    """The error that a child reports. It is believed only if its code is one that an operation may raise."""
    error_class = error_classes().get(_text(meta.get("code")), InternalError)
    message = _text(meta.get("message"))
    if error_class is MemoryLimitExceededError and not meta.get("details"):
        return out_of_memory(limits)
    if not issubclass(error_class, _SAYABLE) or issubclass(error_class, WorkerLostError):
        _log.debug("pool_operation_failed", extra={"failure": message, "trace": meta.get("trace")})
        return InternalError(message or "the operation failed", solution="This is a bug of qdepot; please report it.")
    details = meta.get("details")
    return error_class(
        message, solution=_text(meta.get("solution")), details=details if isinstance(details, dict) else None
    )


def out_of_memory(limits: Limits) -> MemoryLimitExceededError:
    """It needed more memory than it may use."""
    return MemoryLimitExceededError(
        f"it needed more memory than its limit of {limits.memory_bytes / 1024**2:,.0f} MiB",
        solution="Use fewer qubits or another simulation method, or ask for a higher limit.",
        details={"memory_bytes": limits.memory_bytes},
    )


def out_of_time(limits: Limits) -> TimeLimitExceededError:
    """It ran longer than it may."""
    return TimeLimitExceededError(
        f"it ran longer than its limit of {limits.time_s:g} s and was stopped",
        solution="Use fewer circuits or shots, or ask for a higher limit.",
        details={"time_s": limits.time_s},
    )


def out_of_cpu_time(limits: Limits) -> TimeLimitExceededError:
    """It computed longer than it may."""
    if limits.cpu_time_s is None:
        return out_of_time(limits)
    return TimeLimitExceededError(
        f"it used more CPU time than its limit of {limits.cpu_time_s:g} s and was stopped",
        solution="Use fewer circuits or shots, or ask for a higher limit.",
        details={"cpu_time_s": limits.cpu_time_s},
    )


def lost(how: str, **details: object) -> WorkerLostError:
    """Its child, or the supervisor, is gone."""
    return WorkerLostError(
        f"the process that worked on it {how}", solution="It may be handed in again.", details=details
    )


def death(meta: Mapping[str, object], limits: Limits) -> QDepotError:
    """The error of a task whose child died without an answer, from the supervisor's report.

    A crash of native code is a WorkerLostError with ``{"crashed": True}`` in its details: it may well be the input's
    fault, so it should not be tried again for ever.
    """
    number, status = meta.get("signal"), meta.get("exit")
    if meta.get("out_of_memory"):
        return out_of_memory(limits)
    if number == signal.SIGXCPU:
        return out_of_cpu_time(limits)
    if isinstance(number, int):
        return lost(f"was ended by {_signal_name(number)}", signal=_signal_name(number), crashed=number in _CRASHES)
    if isinstance(status, int):
        return lost(f"ended by itself with status {status}", exit_status=status, crashed=False)
    return lost("could not be started", reason=_text(meta.get("failed")))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _text(value: object) -> str:
    return value[:_MAX_TEXT] if isinstance(value, str) else ""
