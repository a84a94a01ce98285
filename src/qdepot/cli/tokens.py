"""qdepot tokens: make, list and revoke, over the network or right in the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from qdepot.cli.options import AsJson
from qdepot.cli.output import local_time, note, print_json, print_text
from qdepot.cli.server import Data
from qdepot.cli.session import connected
from qdepot.cli.tables import print_table
from qdepot.domain.caller import Role, Scope

if TYPE_CHECKING:
    from typing import Unpack

    from qdepot.client.token_requests import TokenOptions
    from qdepot.wire.tokens import NewTokenAnswer, TokenAnswer

Local = Annotated[
    bool, typer.Option("--local", help="Right in the database, on the machine of the service: for lock-outs.")
]
Project = Annotated[str | None, typer.Option(help="Another project, for service:admin.")]

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
_USUAL_LIFE = timedelta(days=90)


class Desk(Protocol):
    """Where tokens are made: :class:`~qdepot.client.client.Client`, or the database."""

    def create_token(self, name: str = "", **options: Unpack[TokenOptions]) -> NewTokenAnswer:
        """Make one."""
        ...

    def tokens(self, *, project: str | None = None) -> list[TokenAnswer]:
        """List them."""
        ...

    def revoke_token(self, token_id: str, *, derived: bool | None = None) -> None:
        """Revoke one."""
        ...


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    tokens = typer.Typer(no_args_is_help=True)
    tokens.callback()(_about)
    tokens.command()(create)
    tokens.command("list")(list_)
    tokens.command()(revoke)
    tokens.command()(generate)
    app.add_typer(tokens, name="tokens")


def _about() -> None:
    """Tokens: who may do what."""


def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is for.")] = "",
    user: Annotated[str | None, typer.Option(help="On whose behalf its bearer acts; default: you.")] = None,
    project: Project = None,
    role: Annotated[Role | None, typer.Option(help="What the user is in the project.  [default: member]")] = None,
    scope: Annotated[
        list[Scope] | None, typer.Option(help="May be repeated. What may be done; default: all that the role may.")
    ] = None,
    service_admin: Annotated[
        bool, typer.Option("--service-admin", help="All that an admin may, and that for every project.")
    ] = False,
    expires: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Such as 12h, 90d, or never; at most when your own token expires.  [default: 90d, or that]",
        ),
    ] = None,
    local: Local = False,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Make a token and print it: it is shown once, and kept by nobody."""
    expires_at = _usual_end(None if local else _own_end(context)) if expires is None else _moment(expires)
    scopes = [each.value for each in scope] if scope else None
    if service_admin:
        role, scopes = Role.ADMIN, sorted({*Role.ADMIN.scopes, Scope.SERVICE_ADMIN, *(scope or [])})
    with _desk(context, local=local, data=data) as desk:
        made = desk.create_token(
            name, user=user, project=project, role=role and role.value, scopes=scopes, expires_at=expires_at
        )
    if json:
        print_json(made)
        return
    ends = f"until {local_time(made.expires_at)}" if made.expires_at else "for ever"
    note(f"Token {made.id}: {made.user}, {made.role} of project {made.project}, {ends}. It is shown only now:")
    if expires == "never" and made.expires_at:
        note("It expires with the token that it was made with.")
    print_text(made.token)


def list_(
    context: typer.Context, project: Project = None, local: Local = False, data: Data = None, json: AsJson = False
) -> None:
    """List your tokens or, as an admin, those of the project."""
    with _desk(context, local=local, data=data) as desk:
        tokens = desk.tokens(project=project)
    if json:
        print_json(tokens)
        return
    columns = ("id", "state", "project", "user", "role", "name", "created", "expires", "last used")
    print_table(columns, [_row(token) for token in tokens], empty="There are no tokens.")


def revoke(
    context: typer.Context,
    token_ids: Annotated[list[str], typer.Argument(metavar="ID", help="As `qdepot tokens list` shows them.")],
    derived: Annotated[
        bool | None,
        typer.Option(
            "--derived/--no-derived",
            help="Also the tokens that were made with it, and with those.  [default: if it is a token that expires]",
            show_default=False,
        ),
    ] = None,
    local: Local = False,
    data: Data = None,
) -> None:
    """Make tokens worthless: at once, or within seconds where several processes serve."""
    with _desk(context, local=local, data=data) as desk:
        for token_id in token_ids:
            desk.revoke_token(token_id, derived=derived)
            note(f"Token {token_id} is revoked.")


def generate() -> None:
    """Print a new token that no service knows yet: for the setting admin_token of one."""
    from qdepot.domain.token import TokenText

    print_text(TokenText.new().revealed)


@contextmanager
def _desk(context: typer.Context, *, local: bool, data: object) -> Iterator[Desk]:
    if local:
        from qdepot.cli.local_tokens import local_desk

        with local_desk(data=data) as desk:
            yield desk
        return
    if data is not None:
        raise typer.BadParameter("--data goes with --local")
    with connected(context) as client:
        yield client


def _own_end(context: typer.Context) -> datetime | None:
    """When the token expires that commands are sent with."""
    with connected(context) as client:
        own = client.me().token
    return None if own is None else own.expires_at


def _usual_end(latest: datetime | None) -> datetime | None:
    """When a token expires of which nothing else is said; None leaves it to the service, which takes ``latest``."""
    usual = datetime.now(UTC) + _USUAL_LIFE
    return None if latest is not None and latest < usual else usual


def _moment(text: str) -> datetime | None:
    if text == "never":
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})([hd])", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is no time: say 12h, 90d or never", param_hint="--expires")
    return datetime.now(UTC) + int(match[1]) * _UNITS[match[2]]


def _row(token: TokenAnswer) -> tuple[str, ...]:
    return (
        token.id,
        _state(token),
        token.project,
        token.user,
        token.role,
        token.name,
        local_time(token.created_at),
        local_time(token.expires_at),
        local_time(token.last_used_at),
    )


def _state(token: TokenAnswer) -> str:
    if token.damaged:
        return "damaged"
    if token.revoked_at is not None:
        return "revoked"
    has_expired = token.expires_at is not None and token.expires_at <= datetime.now(UTC)
    return "expired" if has_expired else "valid"
