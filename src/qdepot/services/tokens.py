"""Tokens: make, list, revoke. Nobody gives more rights than they have, or for longer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from qdepot.archive.layout import checked_project
from qdepot.domain.caller import ALL_SCOPES, Caller, Role, Scope
from qdepot.domain.moments import in_utc
from qdepot.domain.token import Token, TokenText, TokenWish
from qdepot.errors import ConflictError, InvalidRequestError, NotFoundError, PermissionDeniedError, TokenRevokedError
from qdepot.ports.clock import Clock
from qdepot.ports.token_register import TokenRegister

DEFAULT_PROJECT = "default"
FIRST_USER = "admin"

USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")
"""What a user may be called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What can be asked of tokens.

    A member sees, makes and revokes its own; an admin those of the project; ``service:admin`` those of all projects. A
    project comes into being with its first token.

    Attributes:
        register, clock: Where tokens are.
        on_revoked: Called with the id of a token that is worth nothing any more.
    """

    register: TokenRegister
    clock: Clock
    on_revoked: Callable[[str], None]

    def create(self, wish: TokenWish, *, caller: Caller) -> tuple[Token, TokenText]:
        """Make a token. Its text is known only now: it is not kept.

        Raises:
            PermissionDeniedError: The caller may not give that to that user.
            InvalidRequestError: A name cannot be one, the role does not have a scope, the time is over, or it is later
                than the end of the token that the caller came with.
            TokenRevokedError: That token has been revoked.
        """
        now = self.clock.now()
        maker = self.of(caller)
        expires_at = _end(wish, maker, now)
        text = TokenText.new()
        user, project = checked_user(wish.user or caller.user), checked_project(wish.project or caller.project)
        role, scopes = _granted(wish, user=user, project=project, caller=caller)
        token = Token(
            id=text.id,
            project=project,
            user=user,
            role=role,
            scopes=scopes,
            name=wish.name,
            made_by=caller.user,
            parent=None if maker is None else maker.id,
            created_at=now,
            expires_at=expires_at,
            secret_sha256=text.sha256,
        )
        self.register.add(token)
        return token, text

    def of(self, caller: Caller) -> Token | None:
        """The token that the caller came with, as it is stored now; None if it came without.

        Raises:
            TokenRevokedError: It is not in the register.
        """
        if caller.token_id is None:
            return None
        token = self.register.get(caller.token_id)
        if token is None:
            raise TokenRevokedError(f"the token {caller.token_id} is not valid", solution="Use a token that is valid.")
        return token

    def list_all(self, *, caller: Caller, project: str | None = None) -> list[Token]:
        """The tokens that the caller may see, newest first, also those that are worth nothing any more.

        Raises:
            PermissionDeniedError: The project is not the caller's.
        """
        wanted = project or caller.project
        _check_project(wanted, caller)
        return self.register.list_all(project=wanted, user=None if caller.role is Role.ADMIN else caller.user)

    def revoke(self, token_id: str, *, caller: Caller, derived: bool | None = None) -> None:
        """Make a token worthless: here at once, in other processes within seconds. A repeat changes nothing.

        Args:
            token_id: Which.
            caller: Who asks.
            derived: Whether the tokens that were made with it, and with those, are revoked too, as far as they are in
                projects that the caller manages; None: if it is one that expires.

        Raises:
            NotFoundError: There is none that the caller may see.
        """
        token = self.register.get(token_id)
        if token is None or not _sees(caller, token):
            raise NotFoundError(f"there is no token {token_id[:64]}", solution="List them: qdepot tokens list.")
        project = None if caller.may(Scope.SERVICE_ADMIN) else caller.project
        with_derived = token.expires_at is not None if derived is None else derived
        revoked = self.register.revoke(token_id, at=self.clock.now(), derived=with_derived, project=project)
        for each in sorted(revoked):
            self.on_revoked(each)

    def create_first(self, text: TokenText) -> bool:
        """Make this the first token, of somebody who may do everything; False if there is any token already."""
        return self.register.add_first(self._of_admin(text, made_by="first start"))

    def adopt(self, text: TokenText) -> bool:
        """Let a token that was made elsewhere be valid; False if it was known, which it stays as it is."""
        try:
            self.register.add(self._of_admin(text, made_by="settings"))
        except ConflictError:
            return False
        return True

    def _of_admin(self, text: TokenText, *, made_by: str) -> Token:
        return Token(
            id=text.id,
            project=DEFAULT_PROJECT,
            user=FIRST_USER,
            role=Role.ADMIN,
            scopes=ALL_SCOPES,
            name=made_by,
            made_by=made_by,
            created_at=self.clock.now(),
            secret_sha256=text.sha256,
        )


def checked_user(user: str) -> str:
    """The name itself, if a user may be called so.

    Raises:
        InvalidRequestError: No.
    """
    if not USER.fullmatch(user):
        raise InvalidRequestError(
            f"{user[:100]!r} cannot be the name of a user",
            solution="Use 1 to 100 letters, digits and the characters . _ @ + -, the first a letter or digit.",
        )
    return user


def _end(wish: TokenWish, maker: Token | None, now: datetime) -> datetime | None:
    """When the new token expires: at the latest when the one that it is made with does.

    Raises:
        InvalidRequestError: The wish is not in the future, too far in it, or later than that.
    """
    latest = None if maker is None else maker.expires_at
    if wish.expires_at is None:
        return latest
    try:
        wanted = in_utc(wish.expires_at)
    except ValueError as error:
        raise InvalidRequestError(f"expires_at: {error}", solution="Choose another time, or none.") from error
    if wanted <= now:
        raise InvalidRequestError("expires_at: the token would have expired already", solution="Choose a later time.")
    if latest is not None and wanted > latest:
        raise InvalidRequestError(
            f"expires_at: the token would be valid for longer than yours, which expires at {latest.isoformat()}",
            solution="Choose a time up to that, or none, which means that; or use a token that is valid for longer.",
        )
    return wanted


def _granted(wish: TokenWish, *, user: str, project: str, caller: Caller) -> tuple[Role, frozenset[Scope]]:
    """Role and scopes of the new token.

    Raises:
        PermissionDeniedError: They would be more than the caller's, or for somebody else.
        InvalidRequestError: The role does not have a scope.
    """
    _check_project(project, caller)
    if user != caller.user and caller.role is not Role.ADMIN:
        raise PermissionDeniedError("only an admin makes tokens for other users", solution="Ask an admin.")
    role = wish.role or (Role.MEMBER if caller.role.covers(Role.MEMBER) else caller.role)
    if not caller.role.covers(role):
        raise PermissionDeniedError(f"the role {role} is above yours, {caller.role}", solution="Ask an admin.")
    possible = role.scopes | ({Scope.SERVICE_ADMIN} if role is Role.ADMIN else frozenset())
    if wish.scopes is None:
        return role, role.scopes & caller.scopes
    if not wish.scopes <= possible:
        raise InvalidRequestError(f"a {role} cannot have: {_listed(wish.scopes - possible)}", solution="Leave it out.")
    if not wish.scopes <= caller.scopes:
        raise PermissionDeniedError(f"you cannot give what you do not have: {_listed(wish.scopes - caller.scopes)}")
    return role, wish.scopes


def _check_project(project: str, caller: Caller) -> None:
    """The answer is the same whether or not there is such a project."""
    if project != caller.project and not caller.may(Scope.SERVICE_ADMIN):
        raise PermissionDeniedError(
            f"these tokens are managed within their project; yours is {caller.project}",
            solution="Ask somebody who has the scope service:admin.",
        )


def _sees(caller: Caller, token: Token) -> bool:
    if caller.may(Scope.SERVICE_ADMIN):
        return True
    is_own = token.user == caller.user or caller.role is Role.ADMIN
    return is_own and token.project == caller.project


def _listed(scopes: frozenset[Scope]) -> str:
    return ", ".join(sorted(scopes))
