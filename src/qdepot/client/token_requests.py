"""Calls of the API about callers and tokens: how they are asked and how their answers are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from pydantic import ValidationError

from qdepot.client.exchange import Request
from qdepot.client.problems import invalid_fields
from qdepot.wire.tokens import MeAnswer, NewTokenAnswer, TokenAnswer, TokenBody, TokenListAnswer

_PATH = "/v1/tokens"


def me() -> Request[MeAnswer]:
    """Who asks."""
    return Request(path="/v1/me", repeatable=True, parse=lambda answer: MeAnswer.model_validate_json(answer.body))


def create_token(
    name: str = "",
    *,
    user: str | None = None,
    project: str | None = None,
    role: str | None = None,
    scopes: Sequence[str] | None = None,
    expires_at: datetime | None = None,
) -> Request[NewTokenAnswer]:
    """Make a token. Never repeated on its own: a repeat makes another one.

    Raises:
        InvalidRequestError: A name or a word is none.
    """
    wish = {"name": name, "user": user, "project": project, "role": role, "scopes": scopes, "expires_at": expires_at}
    try:
        body = TokenBody.model_validate({key: value for key, value in wish.items() if value is not None})
    except ValidationError as error:
        raise invalid_fields(error, what="the token") from error
    return Request(
        method="POST",
        path=_PATH,
        headers={"content-type": "application/json"},
        body=body.model_dump_json(exclude_unset=True).encode(),
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


def revoke_token(token_id: str) -> Request[None]:
    """Make a token worthless; a repeat does no harm."""
    return Request(method="DELETE", path=f"{_PATH}/{quote(token_id, safe='')}", repeatable=True, parse=lambda _: None)
