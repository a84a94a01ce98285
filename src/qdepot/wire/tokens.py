"""Tokens and callers on the wire."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from qdepot.domain.caller import Role, Scope
from qdepot.domain.token import Token, TokenText, TokenWish
from qdepot.wire.moments import Moment
from qdepot.wire.requests import Name

WireRole = Literal["viewer", "member", "admin"]
WireScope = Literal["jobs:read", "jobs:submit", "jobs:manage", "tokens:manage", "service:admin"]

UserName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}$")]
ProjectName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class TokenBody(BaseModel):
    """A token that somebody wants. What is left out is as the caller has it."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(default="", description="What it is for.")
    user: UserName | None = Field(default=None, description="On whose behalf its bearer acts; default: yourself.")
    project: ProjectName | None = Field(default=None, description="In which project; default: yours.")
    role: WireRole | None = Field(default=None, description="What the user is there; default: member.")
    scopes: list[WireScope] | None = Field(
        default=None, max_length=5, description="What may be done with it; default: all that the role may."
    )
    expires_at: Moment | None = Field(
        default=None,
        description="From then on it is worth nothing; with time zone, at most when the token that you make it with "
        "expires. Default: then, or never if that one never does.",
    )

    def wish(self) -> TokenWish:
        """What is wanted, in the program's own words."""
        return TokenWish(
            name=self.name,
            user=self.user,
            project=self.project,
            role=None if self.role is None else Role(self.role),
            scopes=None if self.scopes is None else frozenset(map(Scope, self.scopes)),
            expires_at=self.expires_at,
        )


class TokenAnswer(BaseModel):
    """All about a token but its text."""

    model_config = ConfigDict(extra="ignore")

    id: str = Field(description="Part of its text; no secret.")
    project: str
    user: str
    role: WireRole
    scopes: list[WireScope]
    name: str = ""
    made_by: str = ""
    parent: str | None = Field(default=None, description="The id of the token that it was made with; null: none.")
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    last_used_at: AwareDatetime | None = Field(default=None, description="Up to a minute behind.")
    revoked_at: AwareDatetime | None = None
    damaged: list[str] = Field(
        default_factory=list,
        description="Fields whose stored value cannot be read; what they show instead means nothing. Such a token is "
        "worth nothing, and can be revoked.",
    )

    @classmethod
    def of(cls, token: Token) -> TokenAnswer:
        """What is told of a token."""
        told = {name: getattr(token, name) for name in TokenAnswer.model_fields}
        return TokenAnswer.model_validate({**told, "scopes": sorted(token.scopes), "damaged": list(token.damaged)})


class NewTokenAnswer(TokenAnswer):
    """A new token with its text."""

    token: str = Field(repr=False, description="The token itself. It is shown only here and now, and kept by nobody.")

    @classmethod
    def made(cls, token: Token, text: TokenText) -> Self:
        """What is told of a token that was made just now."""
        return cls(**TokenAnswer.of(token).model_dump(), token=text.revealed)


class TokenListAnswer(BaseModel):
    """Tokens, newest first."""

    model_config = ConfigDict(extra="ignore")

    tokens: list[TokenAnswer]


class MeAnswer(BaseModel):
    """Who asks, and what that may be."""

    model_config = ConfigDict(extra="ignore")

    user: str
    project: str
    role: WireRole
    scopes: list[WireScope]
    token: TokenAnswer | None = Field(description="The token that says so; null where none is needed.")
    limits: dict[str, JsonValue] = Field(description="What the project may; null: as much as it likes.")
