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
            TokenRevokedError: Its parent is revoked, or not in the register. A token that is added while its parent is
                being revoked is refused, or revoked as a derived one.
        """
        ...

    def add_first(self, token: Token) -> bool:
        """Keep a token if there is none at all; False if there is one. Of several who try at once, one succeeds."""
        ...

    def get(self, token_id: str) -> Token | None:
        """One token, also one that is expired or revoked; None if there is none."""
        ...

    def list_all(self, *, project: str | None = None, user: str | None = None) -> list[Token]:
        """All tokens, or those of one project, or user; newest first (by ``created_at``, then id).

        A token with stored values that cannot be read is among them, with their names in :attr:`Token.damaged`.
        """
        ...

    def revoke(
        self, token_id: str, *, at: datetime, derived: bool = False, project: str | None = None
    ) -> frozenset[str]:
        """Make a token worthless from now on; the first time counts.

        Args:
            token_id: Which.
            at: Noted as its end.
            derived: Revoke also the tokens that were made with it, those that were made with these, and so on.
            project: Of the derived ones only those of this project; None: of all.

        Returns:
            The ids of the tokens that are worthless now, also those that were before; empty if there is no such token.
        """
        ...

    def note_used(self, token_id: str, *, at: datetime) -> None:
        """Note a use, if it is later than the one that is noted. An unknown token is passed over."""
        ...
