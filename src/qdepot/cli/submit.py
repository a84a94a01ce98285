"""The command that hands circuits in."""

from __future__ import annotations

import json as json_format
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qdepot.cli.options import AsJson
from qdepot.cli.output import ExitCode, exit_code, note, print_error, print_json, print_text
from qdepot.cli.session import connected
from qdepot.errors import InvalidRequestError, JobFailedError, QDepotError

if TYPE_CHECKING:
    from qdepot.client.client import Client
    from qdepot.client.handle import JobHandle
    from qdepot.client.jobspec import JobSpec

STDIN = "-"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(submit)


def submit(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="OpenQASM 2 or 3, or QPY; - reads from stdin.")],
    backend: Annotated[str, typer.Option("--backend", "-b", help="See `qdepot backends`.")] = "aer",
    shots: Annotated[int, typer.Option("--shots", "-s", help="Executions of each circuit.")] = 1024,
    name: Annotated[
        str | None, typer.Option(help="Name of the job; default: that of the file.", show_default=False)
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A word to find it by; may be repeated.")] = None,
    seed: Annotated[int | None, typer.Option(help="Makes a run on a simulator repeatable.")] = None,
    memory: Annotated[bool, typer.Option("--memory", help="Also keep the outcome of each shot.")] = False,
    optimization_level: Annotated[int | None, typer.Option("--optimization-level", "-O", help="0 to 3.")] = None,
    method: Annotated[str | None, typer.Option(help="Simulation method.")] = None,
    noise: Annotated[str | None, typer.Option(help="A fake device whose noise is simulated, e.g. fake_torino.")] = None,
    sampling: Annotated[
        str | None, typer.Option(help="`aer`: the simulator draws every shot, also where that is slower.")
    ] = None,
    text_format: Annotated[
        str | None,
        typer.Option("--format", help="Of OpenQASM without a version line: openqasm2 or openqasm3.", metavar="FORMAT"),
    ] = None,
    parameters: Annotated[
        str | None, typer.Option(help="Parameter values as JSON, e.g. '{\"theta\": [0.1, 0.2]}'.", metavar="JSON")
    ] = None,
    observables: Annotated[
        str | None,
        typer.Option(help='A Pauli string, or JSON, e.g. \'{"ZZ": 1, "XI": 0.5}\': estimate it.', metavar="PAULIS"),
    ] = None,
    precision: Annotated[float | None, typer.Option(help="Wanted standard error of estimates; 0: exact.")] = None,
    priority: Annotated[int, typer.Option(help="-10 to 10; higher goes first among your own.")] = 0,
    time_limit: Annotated[float | None, typer.Option(help="Longest run in seconds; then the job fails.")] = None,
    idempotency_key: Annotated[str | None, typer.Option(help="The same key twice is one job.")] = None,
    together: Annotated[bool, typer.Option("--together", help="One job of all files, not one job each.")] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Submit the good files even if others are refused.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait, and print the results.")] = False,
    timeout: Annotated[float | None, typer.Option(help="Longest wait in seconds.")] = None,
    json: AsJson = False,
) -> None:
    """Submit circuits: one job for each file, all or none. Prints the ids of the jobs.

    Examples:  qdepot submit bell.qasm --shots 1024 --wait  |  qdepot submit *.qasm --backend aer --tag sweep
    """
    options = {
        "backend": backend,
        "shots": shots,
        "tags": tag or [],
        "seed": seed,
        "memory": memory,
        "optimization_level": optimization_level,
        "method": method,
        "noise": noise,
        "sampling": sampling,
        "format": text_format,
        "parameter_values": _json_option("--parameters", parameters),
        "observables": _observables(observables),
        "precision": precision,
        "priority": priority,
        "timeout_s": time_limit,
    }
    specs = _specs(files, name, options, together=together)
    how = _How(keep_going=keep_going, key=idempotency_key, wait=wait, timeout_s=timeout, as_json=json)
    with connected(context) as client:
        code = _hand_in(client, specs, [", ".join(files)] if together else files, how)
    raise typer.Exit(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    keep_going: bool
    key: str | None
    wait: bool
    timeout_s: float | None
    as_json: bool


def _hand_in(client: Client, specs: list[JobSpec], labels: list[str], how: _How) -> ExitCode:
    from qdepot.cli.waiting import wait_for

    outcomes = _submitted(client, specs, labels, how)
    jobs = [(label, job) for label, job in zip(labels, outcomes, strict=True) if not isinstance(job, QDepotError)]
    refused = [error for error in outcomes if isinstance(error, QDepotError)]
    code = exit_code(refused[0]) if refused else ExitCode.OK
    documents = [_shown(label, job) for label, job in jobs]
    try:
        if not how.as_json:
            _announce(jobs)
        if how.wait and jobs:
            wait_for(client, [job for _, job in jobs], how.timeout_s)
            documents, ended = _results_as_json(jobs) if how.as_json else ([], _show_results(jobs))
            code = ended or code
    finally:
        if how.as_json:  # also if nobody waits any longer: the ids must not get lost
            print_json({"jobs": documents})
    return code


def _specs(files: list[str], name: str | None, options: dict[str, Any], *, together: bool) -> list[JobSpec]:
    from qdepot.client.jobspec import JobSpec

    if files.count(STDIN) > 1:
        raise InvalidRequestError("standard input can be read once only", solution="Give `-` once.")
    circuits = [sys.stdin.buffer.read() if file == STDIN else Path(file) for file in files]
    if together:
        return [JobSpec(circuits=circuits, name=name or "", **options)]
    names = [name if name is not None else "" if file == STDIN else Path(file).stem for file in files]
    return [JobSpec(circuits=one, name=named, **options) for one, named in zip(circuits, names, strict=True)]


def _submitted(client: Client, specs: list[JobSpec], labels: list[str], how: _How) -> list[JobHandle | QDepotError]:
    try:
        outcomes = client.submit_many(specs, atomic=not how.keep_going, idempotency_key=how.key)
    except QDepotError as error:
        index = error.details.pop("job", 0 if len(specs) == 1 else None)
        if isinstance(index, int) and 0 <= index < len(labels):
            error.details.setdefault("file", labels[index])
        if len(specs) > 1 and isinstance(error, InvalidRequestError):
            note("Nothing was submitted.")
        raise
    for label, outcome in zip(labels, outcomes, strict=True):
        if isinstance(outcome, QDepotError):
            outcome.details.pop("job", None)  # the file's name says it
            outcome.details.setdefault("file", label)
            print_error(outcome)
    return outcomes


def _announce(jobs: list[tuple[str, JobHandle]]) -> None:
    for _, job in jobs:
        print_text(job.id)


def _show_results(jobs: list[tuple[str, JobHandle]]) -> ExitCode:
    from qdepot.cli.showing import result_lines

    code = ExitCode.OK
    for label, job in jobs:
        if len(jobs) > 1:
            print_text(f"\n{label}  {job.id}")
        try:
            for line in result_lines(job.result()):
                print_text(line)
        except JobFailedError as error:
            error.details["file"] = label
            print_error(error)
            code = ExitCode.JOB_FAILED
    return code


def _results_as_json(jobs: list[tuple[str, JobHandle]]) -> tuple[list[dict[str, object]], ExitCode]:
    documents: list[dict[str, object]] = []
    code = ExitCode.OK
    for label, job in jobs:
        document = {**_shown(label, job), "result": None, "failure": None}
        try:
            document["result"] = job.result_document()
        except JobFailedError as error:
            document["failure"] = error.details.get("failure")
            code = ExitCode.JOB_FAILED
        documents.append(document)
    return documents, code


def _shown(label: str, job: JobHandle) -> dict[str, object]:
    return {"id": job.id, "name": job.name, "status": job.last_status, "backend": job.backend, "file": label}


def _observables(text: str | None) -> object:
    if text is None or set(text) <= set("IXYZ01+-rl"):
        return text
    return _json_option("--observables", text)


def _json_option(option: str, text: str | None) -> object:
    if text is None:
        return None
    try:
        return json_format.loads(text)
    except ValueError as error:
        raise InvalidRequestError(
            f"{option} is not JSON: {error}", solution="Quote it for the shell: '{\"theta\": [0.1, 0.2]}'."
        ) from error
