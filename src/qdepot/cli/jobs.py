"""Commands on jobs: look, wait, cancel, edit, delete."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from qdepot.cli.job_ids import all_ids, one_id
from qdepot.cli.options import AsJson, JobIds, Last
from qdepot.cli.output import ExitCode, exit_code, local_time, print_error, print_json, print_text, time_zone
from qdepot.cli.session import connected
from qdepot.cli.tables import print_table
from qdepot.errors import NotFoundError, QDepotError

if TYPE_CHECKING:
    from qdepot.client.client import Client
    from qdepot.wire.answers import JobAnswer, StatusAnswer


_OPTIONAL_COLUMNS = ("name", "backend", "duration", "shots", "qubits", "tags")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (status, wait, jobs, cancel, rename, tag, delete):
        app.command()(command)


def status(context: typer.Context, ids: JobIds = None, last: Last = False, json: AsJson = False) -> None:
    """Show the status of jobs."""
    with connected(context) as client:
        known, missing = _known(client, all_ids(client, ids, last=last))
        if json:
            print_json({"statuses": known})
        else:
            print_table(("id", "status", "stage", "why"), map(_status_row, known), empty="")
        if missing is not None:
            raise missing


def wait(
    context: typer.Context,
    ids: JobIds = None,
    last: Last = False,
    timeout: Annotated[float | None, typer.Option(help="Longest wait in seconds.")] = None,
    json: AsJson = False,
) -> None:
    """Wait until jobs are final; the exit code says whether all of them completed."""
    from qdepot.cli.waiting import wait_for

    with connected(context) as client:
        known = [client.job(job_id) for job_id in all_ids(client, ids, last=last)]
        ends = wait_for(client, known, timeout)
        _print_words([(job.id, job.last_status) for job in known], as_json=json)
    raise typer.Exit(ExitCode.OK if set(ends) == {"COMPLETED"} else ExitCode.JOB_FAILED)


def jobs(
    context: typer.Context,
    status: Annotated[list[str] | None, typer.Option(help="Only with this status; may be repeated.")] = None,
    backend: Annotated[str | None, typer.Option("--backend", "-b", help="Only of this backend.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only with this tag.")] = None,
    name: Annotated[str | None, typer.Option(help="Only of this name.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(metavar="TIME", help="Only created at or after this local time, 2030-01-31 or 2030-01-31T12:00."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(metavar="TIME", help="Only created before this local time, written alike.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="Maximum number of jobs to list; 0 for all.")] = 50,
    json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    with connected(context) as client:
        found = client.job_answers(
            limit=limit or None,
            status=[word.upper() for word in status or []],
            backend=backend,
            tag=tag,
            name=name,
            created_from=_aware(since),
            created_before=_aware(until),
        )
        if json:
            print_json({"jobs": list(found)})
            return
        columns = ("id", "status", f"created ({time_zone()})", *_OPTIONAL_COLUMNS)
        print_table(columns, map(_job_row, found), empty="No jobs found.", optional=_OPTIONAL_COLUMNS[1:])


def cancel(context: typer.Context, ids: JobIds = None, last: Last = False, json: AsJson = False) -> None:
    """Request cancellation of jobs."""
    with connected(context) as client:
        words, code = _each(all_ids(client, ids, last=last), lambda job_id: client.job(job_id).cancel())
    _print_words(words, as_json=json)
    raise typer.Exit(code)


def rename(
    context: typer.Context,
    job_id: Annotated[str, typer.Argument(metavar="ID")],
    name: Annotated[str, typer.Argument(metavar="NAME")],
    json: AsJson = False,
) -> None:
    """Give a job another name."""
    with connected(context) as client:
        job = client.job(one_id(client, job_id, last=False)).edit(name=name)
    _print_edited(job, as_json=json)


def tag(
    context: typer.Context,
    job_id: Annotated[str, typer.Argument(metavar="ID")],
    tags: Annotated[list[str] | None, typer.Argument(metavar="TAG", help="To be added.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="To be taken away; may be repeated.")] = None,
    json: AsJson = False,
) -> None:
    """Add tags to a job, or take some away."""
    with connected(context) as client:
        handle = client.job(one_id(client, job_id, last=False))
        kept = [one for one in handle.tags if one not in (remove or [])]
        job = handle.edit(tags=list(dict.fromkeys([*kept, *(tags or [])])))
    _print_edited(job, as_json=json)


def delete(
    context: typer.Context,
    ids: Annotated[list[str], typer.Argument(metavar="ID", help="Whole ids of jobs.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: AsJson = False,
) -> None:
    """Delete final jobs permanently, with their circuits and results."""
    if not yes:
        if not sys.stdin.isatty():
            raise typer.BadParameter("the command cannot ask, as its input is not a terminal: repeat it with --yes")
        typer.confirm(f"Delete {len(ids)} job(s) with all their objects? This cannot be undone.", abort=True, err=True)
    with connected(context) as client:

        def remove(job_id: str) -> str:
            client.job(job_id).delete()
            return "DELETED"

        words, code = _each(ids, remove)
    _print_words(words, as_json=json)
    raise typer.Exit(code)


def _known(client: Client, ids: list[str]) -> tuple[list[StatusAnswer], NotFoundError | None]:
    try:
        return list(client.statuses(ids).values()), None
    except NotFoundError as error:
        missing = error.details.get("ids")
        left = [one for one in ids if isinstance(missing, list) and one not in missing]
        return (list(client.statuses(left).values()) if left else []), error


def _job_row(job: JobAnswer) -> tuple[str, ...]:
    return (
        job.id,
        job.status,
        local_time(job.created_at),
        job.name,
        job.backend,
        _duration(job),
        "-" if job.shots is None else str(job.shots),
        str((job.summary or {}).get("num_qubits", "-")),
        " ".join(job.tags),
    )


def _duration(job: JobAnswer) -> str:
    """How long the job ran, until its result was stored."""
    if job.running_at is None or job.ended_at is None:
        return "-"
    seconds = (job.ended_at - job.running_at).total_seconds()
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _status_row(answer: StatusAnswer) -> tuple[str, str, str, str]:
    return answer.id, answer.status, answer.stage, answer.why


def _each(ids: Iterable[str], action: Callable[[str], str]) -> tuple[list[tuple[str, str]], ExitCode]:
    """Do it to all, say what went wrong with which; what came of the others, and the first error's code."""
    words: list[tuple[str, str]] = []
    code = ExitCode.OK
    for job_id in ids:
        try:
            words.append((job_id, action(job_id)))
        except QDepotError as error:
            print_error(error)
            code = code or exit_code(error)
    return words, code


def _print_words(words: list[tuple[str, str]], *, as_json: bool) -> None:
    if as_json:
        print_json({"jobs": [{"id": job_id, "status": word} for job_id, word in words]})
        return
    for job_id, word in words:
        print_text(f"{job_id}  {word}")


def _aware(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)


def _print_edited(job: JobAnswer, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": job.id, "name": job.name, "tags": job.tags})
    else:
        print_text(f"{job.id}  {job.name}  {' '.join(job.tags)}".rstrip())
