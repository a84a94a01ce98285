"""What the commands print, and with which code they end.

Results go to standard output and nothing else does; progress and errors go to standard error. Where standard output is
no terminal there is no colour, and nothing is shortened.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum

from pydantic import BaseModel

from qdepot.errors import (
    ArchiveDamagedError,
    GoneError,
    InvalidRequestError,
    JobFailedError,
    NotFinishedError,
    NotFoundError,
    PermissionDeniedError,
    QDepotError,
    ResourceLimitError,
    TaskCancelledError,
    UnavailableError,
    WaitTimeoutError,
)


class ExitCode(IntEnum):
    """How a command ended; stable, for scripts."""

    OK = 0
    JOB_FAILED = 1
    """A job failed or was cancelled."""
    INVALID = 2
    """The command, or what was handed in, is wrong."""
    NOT_FOUND = 3
    """There is no such job or backend, or no longer."""
    UNAVAILABLE = 4
    """The service does not answer; try again."""
    NOT_FINISHED = 5
    """The job is not final yet, or was not within the time given."""
    NOT_ALLOWED = 6
    """The token is missing, wrong, or may not do that."""
    DAMAGED = 7
    """Stored objects are damaged or missing."""
    INTERNAL = 70
    """A mistake of qdepot's own."""
    INTERRUPTED = 130
    """By Ctrl-C."""


EXIT_CODES_HELP = (
    "Exit codes: 0 done; 1 a job failed or was cancelled; 2 wrong usage or invalid request; 3 not found; "
    "4 the service does not answer; 5 not finished (in time); 6 not allowed; 7 stored objects are damaged or missing; "
    "70 internal error; 130 interrupted."
)

_EXIT_CODES: tuple[tuple[tuple[type[QDepotError], ...], ExitCode], ...] = (
    ((JobFailedError, ResourceLimitError, TaskCancelledError), ExitCode.JOB_FAILED),
    ((NotFoundError, GoneError), ExitCode.NOT_FOUND),
    ((NotFinishedError, WaitTimeoutError), ExitCode.NOT_FINISHED),
    ((UnavailableError,), ExitCode.UNAVAILABLE),
    ((PermissionDeniedError,), ExitCode.NOT_ALLOWED),
    ((ArchiveDamagedError,), ExitCode.DAMAGED),
    ((InvalidRequestError,), ExitCode.INVALID),
)


def exit_code(error: QDepotError) -> ExitCode:
    """The code that a command ends with after this error."""
    return next((code for classes, code in _EXIT_CODES if isinstance(error, classes)), ExitCode.INTERNAL)


def print_error(error: QDepotError) -> None:
    """What happened, where, and what to do: to standard error."""
    lines = [f"Error: {error.message}"]
    where = _place(error.details)
    if where:
        lines.append(f"Where: {where}")
    problems = error.details.get("errors")
    if isinstance(problems, list):
        shown = [_problem(one) for one in problems[:10]]
        lines.extend(f"  - {one}" for one in shown if one != error.message)
    if error.solution:
        lines.append(f"What to do: {error.solution}")
    note("\n".join(lines))


def note(text: str) -> None:
    """A line for people: to standard error."""
    print(text, file=sys.stderr, flush=True)


def print_text(text: str) -> None:
    """A result as text: to standard output."""
    print(text, flush=True)


def print_json(document: object) -> None:
    """A result as JSON on one line: to standard output."""
    print(json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=_plain), flush=True)


def local_time(moment: datetime | None) -> str:
    """A time in the local time zone, to the minute; a dash if the time is unknown."""
    return "-" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M")


def time_zone() -> str:
    """The local time zone as a label, e.g. ``UTC`` or ``CET``."""
    return datetime.now().astimezone().tzname() or "local time"


def shows_blocks() -> bool:
    """True if standard output can show block elements."""
    try:
        "█▏".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _place(details: Mapping[str, object]) -> str:
    parts = [str(details["file"])] if "file" in details else []
    parts += [f"{name} {details[name]}" for name in ("job", "circuit", "line", "column") if name in details]
    return ", ".join(parts)


def _problem(problem: object) -> str:
    if not isinstance(problem, Mapping):
        return str(problem)
    place = problem.get("loc", problem.get("field", ""))
    shown = ".".join(str(part) for part in place) if isinstance(place, (list, tuple)) else str(place)
    text = problem.get("msg", problem.get("message", problem.get("detail", "")))
    return f"{shown}: {text}" if shown else str(text)


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} has no JSON form")
