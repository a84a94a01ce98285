"""The command that fetches results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from qdepot.cli.job_ids import one_id
from qdepot.cli.options import JobId, Last
from qdepot.cli.output import note, print_json, print_text
from qdepot.cli.session import connected
from qdepot.client.files import write_whole
from qdepot.errors import InvalidRequestError, NotFinishedError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(result)


def result(
    context: typer.Context,
    job_id: JobId = None,
    last: Last = False,
    circuit: Annotated[int | None, typer.Option(min=0, help="Only this circuit, counted from 0.")] = None,
    npz: Annotated[Path | None, typer.Option(help="Write per-shot outcomes to this NumPy .npz file.")] = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait until the job is final.")] = False,
    partial: Annotated[bool, typer.Option("--partial", help="What there is by now, of a job in any status.")] = False,
    timeout: Annotated[float | None, typer.Option(help="Longest wait in seconds.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Show the result of a job."""
    from qdepot.cli.showing import result_lines
    from qdepot.cli.waiting import wait_for
    from qdepot.client.waiting import is_final

    with connected(context) as client:
        job = client.job(one_id(client, job_id, last=last))
        if wait:
            wait_for(client, [job], timeout)
        elif not partial and not is_final(job.last_status):
            raise NotFinishedError(
                f"job {job.id} is {job.last_status}: it has no result yet",
                solution="Wait for it: add --wait. Or add --partial: what is done by now.",
            )
        if npz is not None:
            write_whole(npz, job.npz(partial=partial))
            note(f"wrote {npz}")
        if json:
            print_json(_chosen(job.result_document(partial=partial), circuit))
            return
        shown = job.result(partial=partial)
        if shown.partial:
            note(f"{len(shown)} of {shown.num_circuits} circuits are done; the job is {job.last_status}")
        if circuit is not None and circuit >= len(shown):
            raise _no_circuit(circuit, len(shown))
        for line in result_lines(shown, circuit=circuit):
            print_text(line)


def _chosen(document: dict[str, Any], circuit: int | None) -> dict[str, Any]:
    if circuit is None:
        return document
    results = document.get("results", [])
    if circuit >= len(results):
        raise _no_circuit(circuit, len(results))
    return {**document, "results": [results[circuit]]}


def _no_circuit(circuit: int, of: int) -> InvalidRequestError:
    return InvalidRequestError(f"there is no circuit {circuit}: the job has {of}", solution="They are counted from 0.")
