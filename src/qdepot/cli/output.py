"""What the commands print, and with which code they end.

Results go to standard output and nothing else does; progress and errors go to standard error. Where standard output is
no terminal there is no colour, and nothing is shortened.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
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

_STATUS_STYLES = {
    "COMPLETED": "green",
    "FAILED": "red",
    "CANCELLED": "yellow",
    "CANCELLING": "yellow",
    "RUNNING": "cyan",
}
_NEVER_CUT = frozenset({"id", "status", "created", "at", "sha256", "key", "fact"})
_WIDE_ENOUGH = 10_000


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


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """A table to standard output; if it has no row, ``empty`` to standard error."""
    filled = [list(row) for row in rows]
    if not filled:
        note(empty)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, no_wrap=column in _NEVER_CUT, overflow="ellipsis")
    for row in filled:
        table.add_row(*(Text(cell, style=_STATUS_STYLES.get(cell, "")) for cell in row))
    if sys.stdout.isatty():
        Console().print(table)
        return
    whole = Console(width=_WIDE_ENOUGH, file=io.StringIO())
    with whole.capture() as shown:
        whole.print(table)
    print_text("\n".join(line.rstrip() for line in shown.get().splitlines()))


def local_time(moment: datetime | None) -> str:
    """A time as people here read it, to the minute; a dash where there is none."""
    return "-" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M")


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
