"""Authentication: on whose behalf the bearer of a token acts."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from qdepot.domain.caller import Caller
from qdepot.domain.token import Token, TokenText
from qdepot.errors import NotAuthenticatedError, QDepotError, TokenExpiredError, TokenRevokedError
from qdepot.ports.clock import Clock
from qdepot.ports.token_register import TokenRegister

logger = logging.getLogger(__name__)

FRESH_S = 5.0
"""How long what the register said of a token is believed: so long may a token work that another process revoked."""

_NOTE_EVERY = timedelta(minutes=1)
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Seen:
    """A token that was valid when the register was asked."""

    token: Token
    caller: Caller
    believed_until: float


class Authentication:
    """Knows tokens, and asks the register only every few seconds. Thread-safe.

    Texts of tokens are remembered as hashes alone.
    """

    def __init__(
        self, register: TokenRegister, clock: Clock, *, run_later: Callable[[Callable[[], None]], object]
    ) -> None:
        """Nothing is read yet.

        Args:
            register: Where tokens are.
            clock: Judges what has expired.
            run_later: Runs something soon, on another thread; returns at once.
        """
        self._register = register
        self._clock = clock
        self._run_later = run_later
        self._lock = threading.Lock()
        self._seen: dict[bytes, _Seen] = {}
        self._noted: dict[str, datetime] = {}
        self._forgotten = 0

    def known(self, text: str) -> Caller | None:
        """On whose behalf the bearer acts, if that is known without asking anybody. Quick; never blocks."""
        seen = self._seen.get(_digest(text))
        if seen is None or self._clock.monotonic() >= seen.believed_until:
            return None
        now = self._clock.now()
        if seen.token.has_expired(now):
            return None
        self._note_use(seen.token, now)
        return seen.caller

    def caller_of(self, text: str) -> Caller:
        """On whose behalf the bearer acts; asks the register. Blocks.

        Raises:
            TokenExpiredError, TokenRevokedError: It was good once. Only who has the whole token learns that.
            NotAuthenticatedError: It is none of ours, for whatever reason.
            UnavailableError: The register does not answer.
        """
        parsed = TokenText.parse(text)
        if parsed is None:
            raise not_authenticated()
        forgotten = self._forgotten
        token = self._register.get(parsed.id)
        if token is None or token.damaged or not token.is_of(parsed):
            raise not_authenticated()
        now = self._clock.now()
        _check_valid(token, now)
        self._remember(text, token, forgotten)
        self._note_use(token, now)
        return token.caller

    def forget(self, token_id: str) -> None:
        """Ask the register anew about this token from now on."""
        with self._lock:
            self._forgotten += 1
            self._seen = {key: seen for key, seen in self._seen.items() if seen.token.id != token_id}

    def _remember(self, text: str, token: Token, forgotten: int) -> None:
        seen = _Seen(token, token.caller, self._clock.monotonic() + FRESH_S)
        with self._lock:
            # What was revoked while the register was asked must not be remembered as good.
            if forgotten == self._forgotten:
                if len(self._seen) >= _MOST_REMEMBERED:
                    self._seen.clear()
                self._seen[_digest(text)] = seen

    def _note_use(self, token: Token, now: datetime) -> None:
        noted = self._noted.get(token.id)
        if noted is not None and now - noted < _NOTE_EVERY:
            return
        if len(self._noted) >= _MOST_REMEMBERED:
            self._noted.clear()
        self._noted[token.id] = now
        self._run_later(partial(self._write_note, token.id, now))

    def _write_note(self, token_id: str, at: datetime) -> None:
        try:
            self._register.note_used(token_id, at=at)
        except QDepotError as error:
            logger.warning("token_use_not_noted", extra={"token_id": token_id, "why": error.message})


def not_authenticated() -> NotAuthenticatedError:
    """The same answer whatever is wrong with a token, or if there is none."""
    return NotAuthenticatedError(
        "this needs a token, and the request has none that is valid",
        solution="Log in with `qdepot login URL`, or give a token in QDEPOT_TOKEN or as the argument `token`.",
    )


def _check_valid(token: Token, now: datetime) -> None:
    if token.revoked_at is not None:
        raise TokenRevokedError(
            f"the token {token.id} was revoked at {token.revoked_at:%Y-%m-%d %H:%M} UTC",
            solution="Ask an admin of your project for a new one.",
        )
    if token.has_expired(now):
        raise TokenExpiredError(
            f"the token {token.id} expired at {token.expires_at:%Y-%m-%d %H:%M} UTC",
            solution="Ask an admin of your project for a new one.",
        )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
