"""Where tokens are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from qdepot.domain.token import Token


class TokenRegister(Protocol):
    """Tokens, in the database that the ledger is in. All methods block and are thread-safe.

    A token is never removed, so that a revoked one can be told from one that never was, and no id is given twice.

    A database that cannot be reached raises :class:`~qdepot.errors.UnavailableError`.
    """

    def add(self, token: Token) -> None:
        """Keep a new token.

        Raises:
            ConflictError: There is one with this id.
        """
        ...

    def add_first(self, token: Token) -> bool:
        """Keep a token if there is none at all; False if there is one. Of several who try at once, one succeeds."""
        ...

    def get(self, token_id: str) -> Token | None:
        """One token, also one that is expired or revoked; None if there is none."""
        ...

    def list_all(self, *, project: str | None = None, user: str | None = None) -> list[Token]:
        """All tokens, or those of one project, or user; newest first (by ``created_at``, then id)."""
        ...

    def revoke(self, token_id: str, *, at: datetime) -> bool:
        """Make a token worthless from now on; the first time counts. False if there is no such token."""
        ...

    def note_used(self, token_id: str, *, at: datetime) -> None:
        """Note a use, if it is later than the one that is noted. An unknown token is passed over."""
        ...
