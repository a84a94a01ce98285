"""Writes the parts of the documentation that the code decides: tools/generate_docs.py

A page holds such a part between two comment lines, ``<!-- generated: NAME -->`` and ``<!-- end -->``. The tests compare
pages and code, so that neither can change alone.
"""

from __future__ import annotations

import html
import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from qdepot.cli.app import build_app
from qdepot.config import Settings
from qdepot.domain.job import TRANSITIONS, JobStatus, Stage
from qdepot.errors import error_classes
from qdepot.quantum import wall_call_list
from qdepot.server.errors import status_of

DOCS = Path(__file__).parents[1] / "docs"
OPENAPI = DOCS / "reference" / "openapi.json"
DIAGRAM = DOCS / "explanation" / "job-states.svg"
REGION = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

# Where each status stands in the picture: the main line in the middle, the two other ends above and below.
PLACES = {
    "CREATED": (110, 150),
    "QUEUED": (310, 150),
    "RUNNING": (510, 150),
    "COMPLETED": (720, 150),
    "FAILED": (410, 40),
    "CANCELLED": (410, 270),
}
HALF_WIDTH, HALF_HEIGHT = 60, 20


def pages() -> dict[Path, str]:
    """Every page with a generated part, as it should be, and the picture of the states."""
    found = {DIAGRAM: state_diagram()}
    for page in sorted(DOCS.rglob("*.md")):
        text = page.read_text()
        if REGION.search(text):
            found[page] = REGION.sub(_filled, text)
    return found


def _filled(region: re.Match[str]) -> str:
    return f"{region[1]}\n{PARTS[region['name']]().strip()}\n\n{region[3]}"


# ---- States of a job -----------------------------------------------------------------------------------------------


def transition_table() -> str:
    rows = ["| from | to |", "|---|---|"]
    for source, targets in TRANSITIONS.items():
        rows.append(f"| `{source}` | {', '.join(f'`{target}`' for target in _in_order(targets)) or 'none: final'} |")
    return "\n".join(rows)


def members_of(enumeration: type[Enum]) -> str:
    """The members of an enumeration with the text that stands below each in the source."""
    source = inspect.getsource(enumeration)
    texts = re.findall(r'^    ([A-Z_]+) = [^\n]*\n    """(.*?)"""', source, re.DOTALL | re.MULTILINE)
    rows = [f"| `{enumeration[name].value}` | {' '.join(text.split())} |" for name, text in texts]
    return "\n".join(["| word | what it means |", "|---|---|", *rows]).replace("``", "`")


def _in_order(statuses: frozenset[JobStatus]) -> list[JobStatus]:
    return [status for status in JobStatus if status in statuses]


def state_diagram() -> str:
    arrows = [_arrow(source, target) for source, targets in TRANSITIONS.items() for target in _in_order(targets)]
    boxes = [_box(status, final=not targets) for status, targets in TRANSITIONS.items()]
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 310" role="img" font-family="sans-serif">',
            "<title>Every allowed change of a job's status</title>",
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
            'orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="#5c6bc0"/></marker></defs>',
            '<rect width="800" height="310" rx="8" fill="#ffffff"/>',
            '<g stroke="#5c6bc0" stroke-width="1.5" fill="none" marker-end="url(#tip)">',
            '<path d="M10 150H48"/>',
            *arrows,
            "</g>",
            *boxes,
            "</svg>\n",
        ]
    )


def _box(status: str, *, final: bool) -> str:
    x, y = PLACES[status]
    fill = "#e8eaf6" if final else "#ffffff"
    return (
        f'<rect x="{x - HALF_WIDTH}" y="{y - HALF_HEIGHT}" width="{2 * HALF_WIDTH}" height="{2 * HALF_HEIGHT}" rx="6" '
        f'fill="{fill}" stroke="#303f9f" stroke-width="{3 if final else 1.5}"/>'
        f'<text x="{x}" y="{y + 5}" text-anchor="middle" font-size="15" fill="#1a237e">{status}</text>'
    )


def _arrow(source: str, target: str) -> str:
    (x1, y1), (x2, y2) = PLACES[source], PLACES[target]
    if y1 != y2:  # to one of the other ends
        way = 1 if y2 > y1 else -1
        lean = (x2 - x1) * 3 // 20
        return f'<path d="M{x1 + lean} {y1 + way * HALF_HEIGHT}L{x2 - lean} {y2 - way * (HALF_HEIGHT + 3)}"/>'
    if 0 < x2 - x1 <= 210:  # the next one
        return f'<path d="M{x1 + HALF_WIDTH} {y1}H{x2 - HALF_WIDTH - 3}"/>'
    way = -1 if x2 > x1 else 1  # forward above the line, back below it
    bend = y1 + way * (55 if abs(x2 - x1) <= 210 else 85)
    x1, x2, edge = x1 - 25 * way, x2 - 15, HALF_HEIGHT * way
    return f'<path d="M{x1} {y1 + edge}C{x1 - 30 * way} {bend} {x2 + 30 * way} {bend} {x2} {y2 + edge + 3 * way}"/>'


# ---- Settings, errors, commands ------------------------------------------------------------------------------------


def settings() -> str:
    rows = ["| setting, environment variable | default | what it does |", "|---|---|---|"]
    return "\n".join([*rows, *_setting_rows(Settings, ())])


def _setting_rows(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        place = (*path, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _setting_rows(field.annotation, place)
            continue
        default = field.get_default(call_default_factory=True)
        shown = "" if default in (None, PydanticUndefined, {}) else f"`{default}`"
        variable = "__".join(place).upper()
        yield f"| `{'.'.join(place)}`<br>`QDEPOT_{variable}` | {shown} | {field.description} |"


def errors() -> str:
    for room in ("client", "server", "ports", "services", "adapters", "quantum", "cli"):
        _import_all(f"qdepot.{room}")
    rows = ["| code | HTTP status | what it says | class |", "|---|---|---|---|"]
    for code, error_class in sorted(error_classes().items()):
        says = (error_class.__doc__ or "").strip().splitlines()[0]
        rows.append(f"| [`{code}`](#{code}) | {status_of(error_class)} | {says} | `{error_class.__name__}` |")
    return "\n".join(rows)


def _import_all(package: str) -> None:
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        importlib.import_module(module.name)


def routes() -> str:
    rows = ["| call | what it does | operation |", "|---|---|---|"]
    for path, methods in json.loads(OPENAPI.read_text())["paths"].items():
        for method, operation in methods.items():
            call, name = f"{method.upper()} {path}", operation["operationId"]
            rows.append(f"| `{call}` | {operation['summary']} | `{name}` |")
    return "\n".join(rows)


def commands() -> str:
    return _command_page(typer.main.get_command(build_app()), ["qdepot"])


def _command_page(command: Any, path: list[str]) -> str:  # noqa: ANN401 - typer's own copy of click, not public
    context = typer.Context(command, info_name=path[-1])
    parts = [f"{'#' * (len(path) + 1)} {' '.join(path)}", escaped((command.help or "").strip())]
    records = [record for parameter in command.params if (record := parameter.get_help_record(context))]
    if records:
        rows = [f"| `{cell(usage)}` | {escaped(cell(text))} |" for usage, text in records]
        parts.append("\n".join(["| argument or option | what it does |", "|---|---|", *rows]))
    if command.epilog:
        parts.append(command.epilog)
    if hasattr(command, "list_commands"):
        names = command.list_commands(context)
        parts += [_command_page(command.get_command(context, name), [*path, name]) for name in names]
    return "\n\n".join(part for part in parts if part)


def cell(text: str) -> str:
    """Text for a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def escaped(text: str) -> str:
    return html.escape(text, quote=False).replace("*.", "\\*.")


PARTS: Mapping[str, Callable[[], str]] = {
    "transitions": transition_table,
    "stages": lambda: members_of(Stage),
    "statuses": lambda: members_of(JobStatus),
    "settings": settings,
    "errors": errors,
    "routes": routes,
    "commands": commands,
    "calls": wall_call_list.table,
}


def main() -> None:
    for page, text in pages().items():
        if not page.exists() or page.read_text() != text:
            page.write_text(text)
            print(f"wrote {page.relative_to(DOCS.parent)}")


if __name__ == "__main__":
    main()
