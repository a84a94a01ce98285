"""Tokens on the machine of the service: the first one, and those of operators who are locked out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from qdepot.cli.extras import needs_server
from qdepot.cli.server import read_settings
from qdepot.client.token_requests import token_body
from qdepot.domain.caller import Caller
from qdepot.domain.token import TokenText
from qdepot.errors import InvalidRequestError
from qdepot.wire.tokens import NewTokenAnswer, TokenAnswer

if TYPE_CHECKING:
    from typing import Unpack

    from qdepot.client.token_requests import TokenOptions
    from qdepot.config import Settings
    from qdepot.services.tokens import Tokens

_OPERATOR = Caller(user="operator")
"""Whoever can open the database may do everything anyway."""


@dataclass(frozen=True, slots=True)
class LocalDesk:
    """Makes tokens as a client does, right in the database."""

    tokens_service: Tokens

    def create_token(self, name: str = "", **options: Unpack[TokenOptions]) -> NewTokenAnswer:
        """Make one."""
        wish = token_body(name, **options).wish()
        return NewTokenAnswer.made(*self.tokens_service.create(wish, caller=_OPERATOR))

    def tokens(self, *, project: str | None = None) -> list[TokenAnswer]:
        """List those of a project, or all."""
        found = self.tokens_service.register.list_all(project=project)
        return [TokenAnswer.of(token) for token in found]

    def revoke_token(self, token_id: str, *, derived: bool | None = None) -> None:
        """Revoke one."""
        self.tokens_service.revoke(token_id, caller=_OPERATOR, derived=derived)


@needs_server
def _settings(data: object) -> Settings:
    return read_settings(data=data)


@contextmanager
def local_desk(*, data: object) -> Iterator[LocalDesk]:
    """The tokens in the database of the settings."""
    settings = _settings(data)
    from qdepot.wiring import local_tokens

    with local_tokens(settings) as tokens:
        yield LocalDesk(tokens)


def ensure_first_token(tokens: Tokens, settings: Settings) -> None:
    """See to it that somebody can use a service that asks for tokens.

    The token of the settings becomes valid. Without one, if there are no tokens at all, one is made: it is written into
    the file that the settings name, or else printed. Of several services that start at once, one makes it.

    Raises:
        InvalidRequestError: The token of the settings is none, or the file cannot be written.
    """
    if settings.auth != "tokens":
        return
    if settings.admin_token is not None:
        tokens.adopt(_given(settings.admin_token.get_secret_value()))
        return
    text = TokenText.new()
    if settings.admin_token_file is not None:
        _create_into(settings.admin_token_file, text, tokens)
    elif tokens.create_first(text):
        typer.echo(f"The first admin token, shown only now: {text.revealed}\nLog in with it: qdepot login URL")


def _given(text: str) -> TokenText:
    parsed = TokenText.parse(text.strip())
    if parsed is None:
        raise InvalidRequestError("admin_token: this is no token", solution="Make one: qdepot tokens generate.")
    return parsed


def _create_into(path: Path, text: TokenText, tokens: Tokens) -> None:
    """The file is there, as a draft, before the token is: nobody is locked out if the service dies in between."""
    from qdepot.client.logins import private_draft

    try:
        with private_draft(path, f"{text.revealed}\n") as draft:
            if tokens.create_first(text):
                draft.replace(path)
                typer.echo(f"The first admin token is in {path}.")
    except OSError as error:
        raise InvalidRequestError(
            f"admin_token_file: {path} cannot be written: {error.strerror or error}",
            solution="Name a file in a folder that this user may write.",
        ) from error
