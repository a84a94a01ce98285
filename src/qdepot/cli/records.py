"""Commands that show what is kept of a job: program, history, objects."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from qdepot.cli.job_ids import one_id
from qdepot.cli.options import AsJson, JobId, Last
from qdepot.cli.output import note, print_json, print_text
from qdepot.cli.session import connected
from qdepot.cli.tables import print_table
from qdepot.client.files import write_whole
from qdepot.errors import InvalidRequestError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (program, events, objects):
        app.command()(command)


def program(
    context: typer.Context,
    job_id: JobId = None,
    last: Last = False,
    circuit: Annotated[int, typer.Option(min=0, help="Which circuit, counted from 0.")] = 0,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it to this file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the whole program as JSON.")] = False,
) -> None:
    """Show a circuit of a job as it was sent."""
    with connected(context) as client:
        document = client.job(one_id(client, job_id, last=last)).program()
    if json:
        print_json(document)
        return
    circuits = document.get("circuits", [])
    if circuit >= len(circuits):
        raise InvalidRequestError(
            f"there is no circuit {circuit}: the job has {len(circuits)}", solution="They are counted from 0."
        )
    if len(circuits) > 1:
        note(f"circuit {circuit} of {len(circuits)}")
    _give(circuits[circuit], output)


def events(context: typer.Context, job_id: JobId = None, last: Last = False, json: AsJson = False) -> None:
    """Show the history of a job."""
    with connected(context) as client:
        found = client.job(one_id(client, job_id, last=last)).events()
    if json:
        print_json({"events": found})
        return
    rows = (
        (
            one.at.astimezone().isoformat(sep=" ", timespec="milliseconds"),
            one.to_status,
            one.stage,
            str(one.attempt),
            one.by,
            one.why,
        )
        for one in found
    )
    print_table(("at", "status", "stage", "attempt", "by", "why"), rows, empty="No history.")


def objects(context: typer.Context, job_id: JobId = None, last: Last = False, json: AsJson = False) -> None:
    """Show the objects of a job in the object store, with sizes and checksums."""
    with connected(context) as client:
        found = client.job(one_id(client, job_id, last=last)).objects()
    if json:
        print_json({"objects": found})
        return
    rows: list[tuple[str, str, str, str]] = []
    for one in found:
        rows.append((one.area, one.key, str(one.size_bytes), one.sha256))
        rows.extend(
            ("", f"  {member.get('name')}", str(member.get("size_bytes")), str(member.get("sha256")))
            for member in one.members or []
        )
    print_table(("area", "key", "bytes", "sha256"), rows, empty="No objects.")


def _give(circuit: dict[str, Any], output: Path | None) -> None:
    if circuit["format"] != "qpy":
        if output is None:
            print_text(circuit["source"].rstrip("\n"))
        else:
            write_whole(output, circuit["source"].encode())
        return
    content = base64.b64decode(circuit["source"])
    if output is not None:
        write_whole(output, content)
    elif sys.stdout.isatty():
        raise InvalidRequestError("the circuit is a QPY file, which is not text", solution="Write it: -o circuit.qpy")
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
