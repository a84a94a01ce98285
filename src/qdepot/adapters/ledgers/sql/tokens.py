"""The register of tokens in a SQL database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Text, bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from qdepot.adapters.ledgers.refusals import token_exists_already
from qdepot.adapters.ledgers.sql.connecting import Database
from qdepot.adapters.ledgers.sql.faults import database_errors_explained
from qdepot.adapters.ledgers.sql.tables import ledger_state, tokens
from qdepot.domain.caller import Role, Scope
from qdepot.domain.token import Token

T = TypeVar("T")

_FIRST = "first_token"
_TOKEN_BY_ID = select(tokens).where(tokens.c.id == bindparam("token_id", type_=Text))


class SqlTokenRegister:
    """A :class:`~qdepot.ports.token_register.TokenRegister` beside a ledger, in its database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"SqlTokenRegister({self._database.place})"

    def add(self, token: Token) -> None:
        """See the port."""
        try:
            self._write(lambda connection: _insert(connection, token))
        except IntegrityError as error:
            raise token_exists_already(token.id) from error.orig

    def add_first(self, token: Token) -> bool:
        """See the port."""
        try:
            return self._write(lambda connection: _insert_first(connection, token))
        except IntegrityError:
            return False  # somebody else was faster

    def get(self, token_id: str) -> Token | None:
        """See the port."""
        row = self._read(lambda connection: connection.execute(_TOKEN_BY_ID, {"token_id": token_id}).first())
        return None if row is None else _token_of(row)

    def list_all(self, *, project: str | None = None, user: str | None = None) -> list[Token]:
        """See the port."""
        wanted = select(tokens).order_by(tokens.c.created_at.desc(), tokens.c.id.desc())
        if project is not None:
            wanted = wanted.where(tokens.c.project == project)
        if user is not None:
            wanted = wanted.where(tokens.c.owner == user)
        return self._read(lambda connection: [_token_of(row) for row in connection.execute(wanted)])

    def revoke(self, token_id: str, *, at: datetime) -> bool:
        """See the port."""
        revoking = update(tokens).where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None)).values(revoked_at=at)
        self._write(lambda connection: connection.execute(revoking))
        return self.get(token_id) is not None

    def note_used(self, token_id: str, *, at: datetime) -> None:
        """See the port."""
        is_later = or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at < at)
        noting = update(tokens).where(tokens.c.id == token_id, is_later).values(last_used_at=at)
        self._write(lambda connection: connection.execute(noting))

    def _read(self, query: Callable[[Connection], T]) -> T:
        with database_errors_explained():
            return self._database.read(query)

    def _write(self, unit: Callable[[Connection], T]) -> T:
        """Raises IntegrityError as it comes: who asked knows what it means."""
        with database_errors_explained():
            try:
                return self._database.transactions.run(unit)
            except IntegrityError as error:
                conflict = error
        raise conflict


def _insert(connection: Connection, token: Token) -> None:
    connection.execute(insert(tokens).values(_row(token)))


def _insert_first(connection: Connection, token: Token) -> bool:
    if connection.scalar(select(tokens.c.id).limit(1)) is not None:
        return False
    # Two transactions may both have found none; the name below is given once.
    connection.execute(insert(ledger_state).values(name=_FIRST, value=token.id))
    _insert(connection, token)
    return True


def _row(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "project": token.project,
        "owner": token.user,
        "role": token.role.value,
        "scopes": " ".join(sorted(token.scopes)),
        "name": token.name,
        "made_by": token.made_by,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "revoked_at": token.revoked_at,
        "secret_sha256": token.secret_sha256,
    }


def _token_of(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        project=row.project,
        user=row.owner,
        role=Role(row.role),
        scopes=frozenset(Scope(scope) for scope in row.scopes.split()),
        name=row.name,
        made_by=row.made_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
        secret_sha256=row.secret_sha256,
    )
