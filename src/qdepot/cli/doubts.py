"""Commands on jobs that wait: why, and what a person decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from qdepot.cli.job_ids import one_id
from qdepot.cli.options import AsJson, JobId, Last
from qdepot.cli.output import print_json, print_text
from qdepot.cli.session import connected

if TYPE_CHECKING:
    from qdepot.client.handle import Decision


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (why, resolve):
        app.command()(command)


def why(context: typer.Context, job_id: JobId = None, last: Last = False, json: AsJson = False) -> None:
    """Say in one sentence what a job waits for, since when, and when something is tried next; or how it ended."""
    with connected(context) as client:
        job = client.job(one_id(client, job_id, last=last)).details()
    if json:
        print_json({"id": job.id, "status": job.status, "stage": job.stage, "why": job.why})
    else:
        print_text(job.why)


def resolve(
    context: typer.Context,
    job_id: Annotated[str, typer.Argument(metavar="ID", help="The job's whole id.")],
    adopt: Annotated[
        str | None, typer.Option(metavar="VENDOR_ID", help="The backend has it, under this id: go on there.")
    ] = None,
    resubmit: Annotated[
        bool, typer.Option("--resubmit", help="Send it (again). In doubt, it may be paid twice.")
    ] = False,
    fail: Annotated[bool, typer.Option("--fail", help="Give it up.")] = False,
    json: AsJson = False,
) -> None:
    """Decide about a job at stage in_doubt or held, which goes on only after that."""
    wishes: dict[Decision, bool] = {"adopt": adopt is not None, "resubmit": resubmit, "fail": fail}
    wanted = [action for action, is_wanted in wishes.items() if is_wanted]
    if len(wanted) != 1:
        raise typer.BadParameter("say one of --adopt VENDOR_ID, --resubmit and --fail")
    with connected(context) as client:
        job = client.job(job_id).resolve(wanted[0], provider_job_id=adopt)
    if json:
        print_json({"id": job.id, "status": job.status, "stage": job.stage, "why": job.why})
    else:
        print_text(f"{job.id}  {job.status}  {job.why}")
