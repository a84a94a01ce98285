"""Commands on backends and on the service itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from qdepot.cli.options import AsJson
from qdepot.cli.output import print_json, print_text
from qdepot.cli.session import connected
from qdepot.cli.tables import print_table

if TYPE_CHECKING:
    from qdepot.wire.answers import BackendAnswer


_OPTIONAL_COLUMNS = ("description", "runs")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (backends, version):
        app.command()(command)


def backends(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show everything about this backend.")] = None,
    search: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only backends with this text in their name or description.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Show the backends that jobs can be sent to."""
    with connected(context) as client:
        found = _matching(client.backends(), search) if name is None else [client.backend(name)]
    if json:
        print_json({"backends": found} if name is None else found[0])
    elif name is None:
        columns = ("backend", "qubits", "kind", "online", "paid", "queue", *_OPTIONAL_COLUMNS)
        print_table(columns, map(_row, found), empty=_none_found(search), optional=_OPTIONAL_COLUMNS)
    else:
        facts = found[0].model_dump(mode="json")
        print_table(("fact", "value"), ((key, _shown(value)) for key, value in facts.items()), empty="")


def version(
    context: typer.Context,
    json: AsJson = False,
) -> None:
    """Show what the service is: its version, the formats it reads, its limits."""
    with connected(context) as client:
        answer = client.version()
    if json:
        print_json(answer)
        return
    print_text(f"qdepot {answer.version}, API {answer.api_version}")
    if answer.qpy_versions:
        print_text(f"reads QPY versions {min(answer.qpy_versions)} to {max(answer.qpy_versions)}")
    for package, number in answer.packages.items():
        print_text(f"{package}: {number}")
    for name, limit in answer.limits.items():
        print_text(f"{name}: {'no limit' if limit is None else limit}")


def _matching(backends: Sequence[BackendAnswer], search: str | None) -> list[BackendAnswer]:
    wanted = (search or "").lower()
    return [one for one in backends if wanted in one.name.lower() or wanted in one.description.lower()]


def _none_found(search: str | None) -> str:
    return "There are no backends." if search is None else f"No backend has {search!r} in its name or description."


def _row(backend: BackendAnswer) -> tuple[str, ...]:
    return (
        backend.name,
        "any" if backend.num_qubits is None else str(backend.num_qubits),
        "simulator" if backend.simulator else "hardware",
        "yes" if backend.online else "no",
        "yes" if backend.paid else "no",
        "-" if backend.queue_length is None else str(backend.queue_length),
        backend.description,
        ", ".join(backend.kinds),
    )


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "-" if value is None else str(value)
