"""Calls of the API about callers and tokens: how they are asked and how their answers are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import quote

from pydantic import ValidationError

from qdepot.client.exchange import Request
from qdepot.client.problems import invalid_fields
from qdepot.wire.tokens import MeAnswer, NewTokenAnswer, TokenAnswer, TokenBody, TokenListAnswer

if TYPE_CHECKING:
    from typing import Unpack

_PATH = "/v1/tokens"


def me() -> Request[MeAnswer]:
    """Who asks."""
    return Request(path="/v1/me", repeatable=True, parse=lambda answer: MeAnswer.model_validate_json(answer.body))


class TokenOptions(TypedDict, total=False):
    """What a token can be beside its name; what is left out or None is as far as possible as you have it.

    Attributes:
        user: On whose behalf its bearer acts; else on yours. Others' are made by admins.
        project: In which project; else in yours.
        role: ``viewer``, ``member`` or ``admin``; else a member. At most what you are.
        scopes: What may be done with it; else all that the role may.
        expires_at: From then on it is worth nothing, at most the end of your own token; else that end, or never.
    """

    user: str | None
    project: str | None
    role: str | None
    scopes: Sequence[str] | None
    expires_at: datetime | None


def token_body(name: str = "", **options: Unpack[TokenOptions]) -> TokenBody:
    """A token as it is asked for.

    Raises:
        InvalidRequestError: A name or a word is none.
    """
    wanted = {"name": name, **options}
    try:
        return TokenBody.model_validate({key: value for key, value in wanted.items() if value is not None})
    except ValidationError as error:
        raise invalid_fields(error, what="the token") from error


def create_token(name: str = "", **options: Unpack[TokenOptions]) -> Request[NewTokenAnswer]:
    """Make a token. Never repeated on its own: a repeat makes another one.

    Raises:
        InvalidRequestError: A name or a word is none.
    """
    return Request(
        method="POST",
        path=_PATH,
        headers={"content-type": "application/json"},
        body=token_body(name, **options).model_dump_json(exclude_unset=True).encode(),
        parse=lambda answer: NewTokenAnswer.model_validate_json(answer.body),
    )


def list_tokens(project: str | None = None) -> Request[list[TokenAnswer]]:
    """The tokens that the caller may see."""
    return Request(
        path=_PATH,
        params=() if project is None else (("project", project),),
        repeatable=True,
        parse=lambda answer: TokenListAnswer.model_validate_json(answer.body).tokens,
    )


def revoke_token(token_id: str, *, derived: bool | None = None) -> Request[None]:
    """Make a token worthless, and with ``derived`` what was made with it; a repeat does no harm."""
    return Request(
        method="DELETE",
        path=f"{_PATH}/{quote(token_id, safe='')}",
        params=() if derived is None else (("derived", str(derived).lower()),),
        repeatable=True,
        parse=lambda _: None,
    )
