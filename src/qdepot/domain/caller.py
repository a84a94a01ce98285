"""Who asks, and what he may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """A kind of thing that somebody may do."""

    JOBS_READ = "jobs:read"
    """See the project's jobs, their results, and the backends."""
    JOBS_SUBMIT = "jobs:submit"
    """Submit jobs."""
    JOBS_MANAGE = "jobs:manage"
    """Cancel, edit and delete the project's jobs, and end doubts about them."""
    TOKENS_MANAGE = "tokens:manage"
    """Create, list and revoke tokens: one's own; as an admin, all of the project."""
    SERVICE_ADMIN = "service:admin"
    """Do so for every project. Part of no role."""


class Role(StrEnum):
    """What somebody is in a project. Each may do what those before it may."""

    VIEWER = "viewer"
    """Sees."""
    MEMBER = "member"
    """Sees, submits, manages jobs and its own tokens."""
    ADMIN = "admin"
    """As a member, and manages everybody's tokens."""

    @property
    def scopes(self) -> frozenset[Scope]:
        """All that the role may do."""
        return _SCOPES[self]

    def covers(self, other: Role) -> bool:
        """True if this role is the other one or above it."""
        return _LADDER.index(self) >= _LADDER.index(other)


_LADDER = tuple(Role)
_MEMBER = frozenset({Scope.JOBS_READ, Scope.JOBS_SUBMIT, Scope.JOBS_MANAGE, Scope.TOKENS_MANAGE})
_SCOPES = {Role.VIEWER: frozenset({Scope.JOBS_READ}), Role.MEMBER: _MEMBER, Role.ADMIN: _MEMBER}

ALL_SCOPES = frozenset(Scope)
"""What whoever runs the service may do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """On whose behalf a service acts; without authentication the local user, who may do everything.

    Attributes:
        user: The user.
        project: The project whose jobs are seen and made.
        role: What the user is in the project.
        scopes: What may be done on this occasion: all that the role may, or less.
        token_id: Of the token that says so; None where none was needed.
    """

    user: str = "local"
    project: str = "default"
    role: Role = Role.ADMIN
    scopes: frozenset[Scope] = ALL_SCOPES
    token_id: str | None = None

    def may(self, scope: Scope) -> bool:
        """True if it may be done on this occasion."""
        return scope in self.scopes
