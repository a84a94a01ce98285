"""A register of tokens in this process's memory."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime

from qdepot.adapters.ledgers.refusals import parent_checked, token_exists_already
from qdepot.domain.token import Token


class MemoryTokenRegister:
    """A :class:`~qdepot.ports.token_register.TokenRegister` that ends with its process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[str, Token] = {}

    def add(self, token: Token) -> None:
        """See the port."""
        with self._lock:
            if token.id in self._tokens:
                raise token_exists_already(token.id)
            if token.parent is not None:
                parent_checked(token, self._tokens.get(token.parent))
            self._tokens[token.id] = token

    def add_first(self, token: Token) -> bool:
        """See the port."""
        with self._lock:
            if self._tokens:
                return False
            self._tokens[token.id] = token
            return True

    def get(self, token_id: str) -> Token | None:
        """See the port."""
        return self._tokens.get(token_id)

    def list_all(self, *, project: str | None = None, user: str | None = None) -> list[Token]:
        """See the port."""
        with self._lock:
            found = [
                token
                for token in self._tokens.values()
                if project in {None, token.project} and user in {None, token.user}
            ]
        return sorted(found, key=lambda token: (token.created_at, token.id), reverse=True)

    def revoke(
        self, token_id: str, *, at: datetime, derived: bool = False, project: str | None = None
    ) -> frozenset[str]:
        """See the port."""
        with self._lock:
            found = {token_id} & self._tokens.keys()
            made = found
            while derived and made:
                made = {
                    each.id for each in self._tokens.values() if each.parent in made and project in {None, each.project}
                }
                made -= found
                found |= made
            for each in found:
                if self._tokens[each].revoked_at is None:
                    self._tokens[each] = replace(self._tokens[each], revoked_at=at)
            return frozenset(found)

    def note_used(self, token_id: str, *, at: datetime) -> None:
        """See the port."""
        with self._lock:
            token = self._tokens.get(token_id)
            if token is not None and (token.last_used_at is None or token.last_used_at < at):
                self._tokens[token_id] = replace(token, last_used_at=at)
