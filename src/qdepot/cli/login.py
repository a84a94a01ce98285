"""qdepot login, logout, whoami."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qdepot.cli.options import AsJson
from qdepot.cli.output import local_time, note, print_json, print_text
from qdepot.cli.session import Session, connected
from qdepot.errors import InvalidRequestError, NotAuthenticatedError, NotFoundError

if TYPE_CHECKING:
    from qdepot.wire.tokens import MeAnswer


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (login, logout, whoami):
        app.command()(command)


def login(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="The service.")],
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read the token from standard input instead of asking.")
    ] = False,
    ca: Annotated[
        Path | None, typer.Option(help="A certificate (PEM) to trust beside the usual ones; kept with the log-in.")
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option("--insecure", help="Send the token without encryption, where whoever is on the way reads it."),
    ] = False,
) -> None:
    """Keep a token for a service: from then on commands and notebooks of this user find both by themselves.

    The token is tried, and kept in a file that nobody else can read: qdepot/logins.json among the user's settings.
    """
    from qdepot.client.client import Client
    from qdepot.client.logins import Login, read_logins, write_logins
    from qdepot.client.settings import ExposedTokenWarning, checked_url, is_exposed

    root = checked_url(url)
    if is_exposed(root) and not insecure:
        raise InvalidRequestError(
            f"a token sent to {root} can be read by whoever is on the way",
            solution="Use https://. If you trust that network all the same: --insecure.",
        )
    kept = Login(token=_asked(token_stdin), ca=str(ca.expanduser().absolute()) if ca else None, insecure=insecure)
    transport = (context.find_object(Session) or Session()).transport
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExposedTokenWarning)  # the user has agreed
        client = Client(root, kept.token, ca=kept.ca, transport=transport)
    with client:
        me = client.me()
    write_logins(read_logins().with_login(root, kept))
    note(f"Logged in to {root}: {_described(me)}.")


def logout(
    url: Annotated[str | None, typer.Argument(metavar="URL", help="The service; default: the last log-in.")] = None,
) -> None:
    """Forget the token for a service. The token stays valid: `qdepot tokens revoke` ends that."""
    from qdepot.client.logins import read_logins, write_logins
    from qdepot.client.settings import checked_url

    logins = read_logins()
    root = checked_url(url) if url else logins.last
    if root is None or root not in logins.by_url:
        known = f"There are: {', '.join(sorted(logins.by_url))}." if logins.by_url else "There is none to forget."
        raise NotFoundError(f"there is no log-in for {root or 'any service'}", solution=known)
    write_logins(logins.without(root))
    note(f"Logged out of {root}. Its token is forgotten here, and still valid.")


def whoami(context: typer.Context, json: AsJson = False) -> None:
    """Show who you are to the service, in which project, and what you may do."""
    with connected(context) as client:
        me, url = client.me(), client.url
    if json:
        print_json({"url": url, **me.model_dump(mode="json")})
        return
    limits = ", ".join(f"{name} {value}" for name, value in me.limits.items() if value is not None)
    print_text(f"{url}: {_described(me)}\nmay: {', '.join(me.scopes)}\nlimits: {limits}")


def _described(me: MeAnswer) -> str:
    who = f"{me.user}, {me.role} of project {me.project}"
    if me.token is None:
        return f"{who} (the service asks for no token)"
    ends = f"expires {local_time(me.token.expires_at)}" if me.token.expires_at else "does not expire"
    return f"{who} (token {me.token.id} {ends})"


def _asked(from_stdin: bool) -> str:
    """The token, from where nobody sees it.

    Raises:
        InvalidRequestError: It is none, or there is nobody to ask.
    """
    from qdepot.domain.token import TokenText

    if not from_stdin and not sys.stdin.isatty():
        raise InvalidRequestError(
            "there is no terminal to ask for the token", solution="Hand it in: qdepot login URL --token-stdin < FILE."
        )
    text = sys.stdin.readline() if from_stdin else typer.prompt("Token", hide_input=True)
    parsed = TokenText.parse(text.strip())
    if parsed is None:
        raise NotAuthenticatedError(
            "this is no token, or not a whole one", solution="Copy it again from its beginning, qdp_, to its end."
        )
    return parsed.revealed
