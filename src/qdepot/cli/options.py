"""Options and arguments that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
JobId = Annotated[
    str | None, typer.Argument(metavar="ID", help="The job's id, a unique beginning or end of it, or its name.")
]
JobIds = Annotated[
    list[str] | None, typer.Argument(metavar="ID", help="Ids of jobs, unique beginnings or ends of ids, or names.")
]
Last = Annotated[bool, typer.Option("--last", help="The newest job.")]
