"""qdepot ledger: an operator's commands on the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from qdepot.cli.extras import needs_server
from qdepot.cli.options import AsJson
from qdepot.cli.output import ExitCode, note, print_json
from qdepot.cli.server import Data, read_settings
from qdepot.cli.tables import print_table

if TYPE_CHECKING:
    from qdepot.services.rebuild_report import RebuildReport


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    ledger = typer.Typer(no_args_is_help=True)
    ledger.callback()(_about)
    ledger.command()(rebuild)
    app.add_typer(ledger, name="ledger")


def _about() -> None:
    """Look after the database; on the machine of the service."""


@needs_server
def rebuild(
    data: Data = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Add what a ledger misses, and move on what is behind in it.")
    ] = False,
    run_pending: Annotated[
        bool,
        typer.Option(
            "--run-pending",
            help="Run pending jobs on simulators, although nothing proves they were acknowledged.",
        ),
    ] = False,
    json: AsJson = False,
) -> None:
    """Rebuild a lost ledger from the archive. Stop all services and reconcilers first.

    Jobs that have ended come back with their results and histories; deleted jobs stay deleted. Jobs that were sent to a
    backend continue. Jobs that were not sent are held, because the archive does not prove that their submission was
    acknowledged; --run-pending runs those on simulators. Tokens and roles are not in the archive. If an object is
    damaged, the command names and skips it, and the exit code is 7.
    """
    from qdepot.wiring import build_rebuilding, working_alone

    with working_alone(read_settings(data=data)) as parts:
        report = build_rebuilding(parts).run(merge=merge, run_pending=run_pending)
    _print(report, as_json=json)
    raise typer.Exit(ExitCode.OK if report.is_whole else ExitCode.DAMAGED)


def _print(report: RebuildReport, *, as_json: bool) -> None:
    if as_json:
        damaged = [{"key": error.details.get("key"), "what": error.message} for error in report.damaged]
        lists = {"damaged": damaged, "left_out": report.left_out, "remarks": report.remarks}
        print_json({"found": {finding.value: count for finding, count in report.counts.items()}, **lists})
        return
    rows = [(finding.value, str(count), finding.meaning) for finding, count in report.counts.items()]
    print_table(("found", "count", "meaning"), rows, empty="The archive holds no jobs.")
    for line in (*(error.message for error in report.damaged), *report.left_out, *report.remarks):
        note(line)
