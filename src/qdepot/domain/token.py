"""A token: a text that says on whose behalf its bearer acts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass, field
from datetime import datetime

from qdepot.domain.caller import Caller, Role, Scope

PREFIX = "qdp"
"""What every token begins with, so that scanners of repositories and logs know one when they see it."""

_SECRET_BYTES = 32
_TEXT = re.compile(rf"{PREFIX}_(?P<id>[0-9a-f]{{16}})_(?P<rest>[A-Za-z0-9_-]{{48}})")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenText:
    """A token as its bearer holds it: ``qdp_<id>_<secret and checksum>``. Never shown by ``repr`` or ``str``.

    The secret has 256 bits. Four bytes of checksum (CRC-32) behind it tell a typing error, or a token that was cut off
    when it was copied, without asking any database. They are no secret and prove nothing.

    Attributes:
        id: Names the token; no secret.
        revealed: The whole text.
    """

    id: str
    revealed: str = field(repr=False)

    def __str__(self) -> str:
        return f"{PREFIX}_{self.id}_..."

    @classmethod
    def new(cls) -> TokenText:
        """A token that nobody has had before."""
        token_id, secret = secrets.token_hex(8), secrets.token_bytes(_SECRET_BYTES)
        rest = base64.urlsafe_b64encode(secret + _checksum(token_id, secret)).decode()
        return cls(id=token_id, revealed=f"{PREFIX}_{token_id}_{rest}")

    @classmethod
    def parse(cls, text: str) -> TokenText | None:
        """The token that a text is; None if it is none, or was copied wrongly."""
        match = _TEXT.fullmatch(text)
        if match is None:
            return None
        decoded = base64.urlsafe_b64decode(match["rest"])
        secret, checksum = decoded[:_SECRET_BYTES], decoded[_SECRET_BYTES:]
        return cls(id=match["id"], revealed=text) if checksum == _checksum(match["id"], secret) else None

    @property
    def sha256(self) -> str:
        """What is stored of it."""
        return hashlib.sha256(self.revealed.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is kept of a token. Its text is not: only a hash, from which nobody gets the text.

    Attributes:
        id: Its name, part of its text.
        project, user, role: On whose behalf its bearer acts.
        scopes: What its bearer may do; at most what the role may, and ``service:admin`` beside an admin.
        name: What it is for, in its owner's words.
        made_by: The user who made it.
        parent: The id of the token that it was made with; None if it was made without one.
        created_at: When it was made.
        expires_at: From then on it is worth nothing; None: never.
        last_used_at: About when it was last used; up to a minute behind.
        revoked_at: When it was revoked.
        secret_sha256: See :attr:`TokenText.sha256`.
        damaged: The fields whose stored value cannot be read, and that have a value without rights instead. Such a
            token is listed and can be revoked, and is worth nothing.
    """

    id: str
    project: str
    user: str
    role: Role
    scopes: frozenset[Scope]
    name: str = ""
    made_by: str = ""
    parent: str | None = None
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    secret_sha256: str = field(repr=False)
    damaged: tuple[str, ...] = ()

    def is_of(self, text: TokenText) -> bool:
        """True if this is the token's own text. Takes as long whatever the text is."""
        return hmac.compare_digest(self.secret_sha256, text.sha256)

    def has_expired(self, now: datetime) -> bool:
        """True from ``expires_at`` on."""
        return self.expires_at is not None and now >= self.expires_at

    @property
    def caller(self) -> Caller:
        """On whose behalf its bearer acts."""
        return Caller(user=self.user, project=self.project, role=self.role, scopes=self.scopes, token_id=self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenWish:
    """A token as somebody wants it; what is None is as far as possible as the caller has it.

    Attributes:
        name: What it is for.
        user: On whose behalf its bearer acts; None: the caller's.
        project: In which project; None: the caller's.
        role: What the user is there; None: a member, or what the caller is if that is less.
        scopes: What may be done with it; None: all that the role may and the caller has.
        expires_at: From then on it is worth nothing; None: when the token that makes it ends, else never.
    """

    name: str = ""
    user: str | None = None
    project: str | None = None
    role: Role | None = None
    scopes: frozenset[Scope] | None = None
    expires_at: datetime | None = None


def _checksum(token_id: str, secret: bytes) -> bytes:
    return zlib.crc32(token_id.encode() + secret).to_bytes(4, "big")
