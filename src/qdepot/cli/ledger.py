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
    json: AsJson = False,
) -> None:
    """Make a lost ledger anew from the archive. Stop all services and reconcilers before.

    Jobs that have ended come back with results and history, deleted ones stay deleted. Jobs that had not ended go on,
    but for those that would have to be sent anew to a backend that costs money: they are held. Tokens and roles are
    not in the archive. The exit code is 7 if an object is damaged: it is told of, and skipped.
    """
    from qdepot.wiring import build_rebuilding, working_alone

    with working_alone(read_settings(data=data)) as parts:
        report = build_rebuilding(parts).run(merge=merge)
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
