"""Tokens as rows. A row is read field by field, so that one value that cannot be read hides no token."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Row, Text, bindparam, select

from qdepot.adapters.ledgers.sql.columns import UtcTime, in_microseconds, moment_of
from qdepot.adapters.ledgers.sql.tables import tokens
from qdepot.domain.caller import Role, Scope
from qdepot.domain.token import Token

T = TypeVar("T")

EVERY_TOKEN = select(
    *(in_microseconds(column) if isinstance(column.type, UtcTime) else column for column in tokens.columns)
)
"""Times are selected as numbers: a driver fails over a whole row with a time that Python cannot express."""
TOKEN_BY_ID = EVERY_TOKEN.where(tokens.c.id == bindparam("token_id", type_=Text))

_UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_SOME_TIME: datetime | None = _UNKNOWN_TIME
"""A token whose end cannot be read has ended."""


def row_of(token: Token) -> dict[str, Any]:
    """What is stored of a token."""
    return {
        "id": token.id,
        "project": token.project,
        "owner": token.user,
        "role": token.role.value,
        "scopes": " ".join(sorted(token.scopes)),
        "name": token.name,
        "made_by": token.made_by,
        "parent": token.parent,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "revoked_at": token.revoked_at,
        "secret_sha256": token.secret_sha256,
    }


def token_of(row: Row[Any]) -> Token:
    """The token that is stored in a row of :data:`EVERY_TOKEN`, whatever stands in it."""
    values = row._asdict()
    damaged: list[str] = []

    def read(field: str, reader: Callable[[Any], T], instead: T) -> T:
        try:
            return reader(values[field])
        except (ValueError, TypeError, OverflowError, AttributeError):
            damaged.append(field)
            return instead

    return Token(
        id=row.id,
        project=row.project,
        user=row.owner,
        role=read("role", Role, Role.VIEWER),
        scopes=read("scopes", lambda text: frozenset(map(Scope, text.split())), frozenset()),
        name=row.name,
        made_by=row.made_by,
        parent=row.parent,
        created_at=read("created_at", moment_of, _UNKNOWN_TIME),
        expires_at=read("expires_at", _perhaps, _SOME_TIME),
        last_used_at=read("last_used_at", _perhaps, None),
        revoked_at=read("revoked_at", _perhaps, _SOME_TIME),
        secret_sha256=row.secret_sha256,
        damaged=tuple(damaged),
    )


def _perhaps(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else moment_of(microseconds)
