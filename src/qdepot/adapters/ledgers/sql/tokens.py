"""The register of tokens in a SQL database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from qdepot.adapters.ledgers.refusals import parent_checked, token_exists_already
from qdepot.adapters.ledgers.sql.connecting import Database
from qdepot.adapters.ledgers.sql.faults import database_errors_explained
from qdepot.adapters.ledgers.sql.tables import ledger_state, tokens
from qdepot.adapters.ledgers.sql.token_rows import EVERY_TOKEN, TOKEN_BY_ID, row_of, token_of
from qdepot.domain.token import Token

T = TypeVar("T")

_FIRST = "first_token"


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
        row = self._read(lambda connection: connection.execute(TOKEN_BY_ID, {"token_id": token_id}).first())
        return None if row is None else token_of(row)

    def list_all(self, *, project: str | None = None, user: str | None = None) -> list[Token]:
        """See the port."""
        wanted = EVERY_TOKEN.order_by(tokens.c.created_at.desc(), tokens.c.id.desc())
        if project is not None:
            wanted = wanted.where(tokens.c.project == project)
        if user is not None:
            wanted = wanted.where(tokens.c.owner == user)
        return self._read(lambda connection: [token_of(row) for row in connection.execute(wanted)])

    def revoke(
        self, token_id: str, *, at: datetime, derived: bool = False, project: str | None = None
    ) -> frozenset[str]:
        """See the port."""
        return self._write(lambda connection: _revoke(connection, token_id, at=at, derived=derived, project=project))

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
    if token.parent is not None:
        # The lock makes a revoking of the parent wait, which then finds this token.
        parent = connection.execute(TOKEN_BY_ID.with_for_update(read=True), {"token_id": token.parent}).first()
        parent_checked(token, None if parent is None else token_of(parent))
    connection.execute(insert(tokens).values(row_of(token)))


def _revoke(
    connection: Connection, token_id: str, *, at: datetime, derived: bool, project: str | None
) -> frozenset[str]:
    """Level by level, each locked before the next one is looked for: what is being made under it waits for this."""
    level = set(connection.scalars(select(tokens.c.id).where(tokens.c.id == token_id)))
    found: set[str] = set()
    while level:
        revoking = update(tokens).where(tokens.c.id.in_(level), tokens.c.revoked_at.is_(None)).values(revoked_at=at)
        connection.execute(revoking)
        found |= level
        made = select(tokens.c.id).where(tokens.c.parent.in_(level))
        if project is not None:
            made = made.where(tokens.c.project == project)
        level = set(connection.scalars(made)) - found if derived else set()
    return frozenset(found)


def _insert_first(connection: Connection, token: Token) -> bool:
    if connection.scalar(select(tokens.c.id).limit(1)) is not None:
        return False
    # Two transactions may both have found none; the name below is given once.
    connection.execute(insert(ledger_state).values(name=_FIRST, value=token.id))
    _insert(connection, token)
    return True
