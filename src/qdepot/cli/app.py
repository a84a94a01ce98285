"""All commands under one roof."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from qdepot.cli.output import EXIT_CODES_HELP, ExitCode, exit_code, note, print_error
from qdepot.cli.session import Session
from qdepot.errors import QDepotError

_NOUNS = (
    "submit",
    "jobs",
    "results",
    "records",
    "doubts",
    "backends",
    "login",
    "tokens",
    "server",
    "health",
    "reconcile",
    "ledger",
    "archive",
)
"""Modules of this package that add commands: each has ``register(app)``."""


class Commands(TyperGroup):
    """Turns errors into words and exit codes, so that no command has to."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's own signature, which differs between its releases
        """Run a command."""
        try:
            return super().invoke(ctx)
        except QDepotError as error:
            _trace(ctx)
            print_error(error)
            raise typer.Exit(exit_code(error)) from error
        except KeyboardInterrupt as error:
            note("Interrupted.")
            raise typer.Exit(ExitCode.INTERRUPTED) from error
        except (typer.Exit, typer.Abort, OSError):
            raise
        except Exception as error:
            if hasattr(error, "exit_code"):  # wrong usage; typer explains it
                raise
            _trace(ctx)
            note(f"Internal error: {type(error).__name__}: {error}")
            note("What to do: run it again as `qdepot --debug ...` and report what it shows.")
            raise typer.Exit(ExitCode.INTERNAL) from error


def build_app() -> typer.Typer:
    """The command line with all its commands."""
    app = typer.Typer(
        cls=Commands,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        epilog=EXIT_CODES_HELP,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_before)
    for noun in _NOUNS:
        register: Callable[[typer.Typer], None] = import_module(f"qdepot.cli.{noun}").register
        register(app)
    return app


def _before(
    context: typer.Context,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The service; default: QDEPOT_URL, else that of the last log-in."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version.")
    ] = False,
) -> None:
    """Hand in circuits, get job ids at once, find the results for good in your own object store.

    `qdepot login` keeps where the service is and who you are. QDEPOT_URL and QDEPOT_TOKEN say it instead; QDEPOT_CA
    names a certificate to trust.
    """
    context.obj = replace(context.find_object(Session) or Session(), url=url, debug=debug)


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import version

    typer.echo(f"qdepot {version('qdepot')}")
    raise typer.Exit


def _trace(context: Any) -> None:  # noqa: ANN401 - as above
    session = context.find_object(Session)
    if session is not None and session.debug:
        note(traceback.format_exc())
