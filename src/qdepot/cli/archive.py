"""qdepot archive: commands on what is kept."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qdepot.cli.extras import needs_server
from qdepot.cli.options import AsJson
from qdepot.cli.output import ExitCode, print_json, print_text
from qdepot.cli.reconcile import seconds
from qdepot.cli.server import Data, read_settings
from qdepot.cli.session import connected
from qdepot.cli.tables import print_table
from qdepot.client.files import written_export
from qdepot.errors import InvalidRequestError

if TYPE_CHECKING:
    from qdepot.services.verify_report import VerifyReport

_SHORTEST_AGE = timedelta(hours=1)
"""No submit takes longer between the archive and the ledger."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    archive = typer.Typer(no_args_is_help=True)
    archive.callback()(_about)
    archive.command()(verify)
    archive.command()(export)
    app.add_typer(archive, name="archive")


def _about() -> None:
    """Look after what is kept of jobs."""


@needs_server
def verify(
    data: Data = None,
    project: Annotated[str | None, typer.Option(help="Only of this project.")] = None,
    remove_left_over: Annotated[
        bool, typer.Option("--remove-left-over", help="Remove objects that provably nobody needs any more.")
    ] = False,
    remove_orphans: Annotated[
        str | None,
        typer.Option(
            "--remove-orphans", metavar="AGE", help="Remove requests that became no job and are older, e.g. 7d."
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Read everything, compare it with its checksums, and archive and ledger with each other.

    On the machine of the service, which may run meanwhile. The exit code is 7 if an object is missing or damaged, or
    the ledger does not know a job; then no orphans are removed, as it may have lost their jobs, too.
    """
    from qdepot.services.verifying import Verification
    from qdepot.wiring import records

    oldest = None if remove_orphans is None else _age(remove_orphans)
    with records(read_settings(data=data)) as (ledger, archive):
        report = Verification(ledger=ledger, archive=archive).run(
            at=datetime.now(UTC),
            project=project,
            remove_left_over=remove_left_over,
            remove_orphans_older_than=oldest,
        )
    _print(report, as_json=json)
    raise typer.Exit(ExitCode.OK if report.is_sound else ExitCode.DAMAGED)


def export(
    context: typer.Context,
    job_id: Annotated[str, typer.Argument(metavar="ID")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it to this file.  [default: qdepot-ID.zip]")
    ] = None,
    as_stored: Annotated[
        bool, typer.Option("--as-stored", help="The bundle as it lies in the archive, with nothing laid out.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="Read it from this data folder, without a service.", show_default=False)
    ] = None,
    json: AsJson = False,
) -> None:
    """Write all that is kept of a final job to a zip file, for a colleague without qdepot.

    A text editor, a spreadsheet and NumPy open what is in it; its README says how.
    """
    target = output or Path()
    if data is not None:
        path = _exported_here(job_id, target, data, as_stored=as_stored)
    else:
        with connected(context) as client:
            job = client.job(job_id)
            path = job.download(target) if as_stored else job.export(target)
    if json:
        print_json({"id": job_id, "file": str(path)})
    else:
        print_text(str(path))


@needs_server
def _exported_here(job_id: str, target: Path, data: Path, *, as_stored: bool) -> Path:
    from qdepot.domain.job import canonical_job_id
    from qdepot.errors import NotFinishedError
    from qdepot.wiring import records

    with records(read_settings(data=data)) as (ledger, archive):
        job = ledger.get(canonical_job_id(job_id) or job_id)
        if not job.is_final:
            raise NotFinishedError(f"job {job.id} is {job.shown_status}", solution="Wait until it has ended.")
        content = archive.open_bundle(job) if as_stored else archive.open_export(job)
        return written_export(target, job.id, content)


def _age(text: str) -> timedelta:
    age = timedelta(seconds=seconds(text))
    if age < _SHORTEST_AGE:
        raise InvalidRequestError(
            f"orphans younger than {text} may be jobs that are being accepted",
            solution=f"Give an age of at least {_SHORTEST_AGE}.",
        )
    return age


def _print(report: VerifyReport, *, as_json: bool) -> None:
    objects = {kind.value: count for kind, count in report.objects.items()}
    if as_json:
        figures = {"jobs": report.rows, "objects": objects, "drafts": report.drafts, "removed": report.removed}
        flaws = [flaw.document() for flaw in report.flaws]
        print_json({"sound": report.is_sound, **figures, "flaws": flaws})
        return
    if report.flaws:
        rows = ((it.flaw.value, it.area, it.key, it.message) for it in report.flaws)
        print_table(("flaw", "area", "key", "what"), rows, empty="")
    found = Counter(flaw.flaw.value for flaw in report.flaws)
    words = ", ".join(f"{count} {flaw}" for flaw, count in found.items()) or "no flaw"
    drafts = f"; {report.drafts} being written" if report.drafts else ""
    removed = f"; {report.removed} removed" if report.removed else ""
    print_text(f"{report.rows} jobs, {sum(objects.values())} objects: {words}{drafts}{removed}")
