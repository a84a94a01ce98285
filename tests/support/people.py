"""Bearers of tokens of every kind, for an application that asks for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from qdepot.domain.caller import ALL_SCOPES, Role, Scope
from qdepot.domain.token import Token, TokenText
from support.web import Bench

PROJECT = "lab"


@dataclass(frozen=True)
class Person:
    """Who sends requests, and what each of them carries."""

    name: str
    headers: dict[str, str]
    token: Token | None = None

    @property
    def is_known(self) -> bool:
        return self.token is not None and self.name not in {"expired", "revoked"}

    def may(self, scope: Scope | None) -> bool:
        return self.token is not None and (scope is None or scope in self.token.scopes)


def people(bench: Bench) -> dict[str, Person]:
    """One of each kind; those with a token have it in the register."""
    strangers = {
        "nobody": {},
        "malformed": {"Authorization": "Bearer nonsense"},
        "basic": {"Authorization": f"Basic {TokenText.new().revealed}"},
        "unknown": {"Authorization": f"Bearer {TokenText.new().revealed}"},
    }
    now = bench.world.clock.now()
    bearers = [
        bearer(bench, "expired", expires_at=now),
        bearer(bench, "revoked", revoked_at=now),
        bearer(bench, "other", project="elsewhere"),
        bearer(bench, "powerless", scopes=frozenset()),
        bearer(bench, "viewer", role=Role.VIEWER, scopes=Role.VIEWER.scopes),
        bearer(bench, "member"),
        bearer(bench, "admin", role=Role.ADMIN, scopes=Role.ADMIN.scopes),
        bearer(bench, "operator", project="default", role=Role.ADMIN, scopes=ALL_SCOPES),
    ]
    return {person.name: person for person in [*(Person(*each) for each in strangers.items()), *bearers]}


def bearer(bench: Bench, name: str, **changes: object) -> Person:
    """Somebody with a token of his own: a member of the project, unless told otherwise."""
    text = TokenText.new()
    token = Token(
        id=text.id,
        project=PROJECT,
        user=name,
        role=Role.MEMBER,
        scopes=Role.MEMBER.scopes,
        created_at=bench.world.clock.now() - timedelta(days=1),
        secret_sha256=text.sha256,
    )
    token = replace(token, **changes)  # type: ignore[arg-type]  # tests name fields
    bench.register.add(token)
    return Person(name, {"Authorization": f"Bearer {text.revealed}"}, token)
