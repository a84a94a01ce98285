"""On whose behalf a request acts, and whether that may be."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute

from qdepot.domain.caller import Caller, Scope
from qdepot.errors import PermissionDeniedError
from qdepot.server.rates import Rates
from qdepot.services.authentication import Authentication, not_authenticated

_LOCAL = Caller()


class Door:
    """Lets callers in: knows who they are, and how fast they may come."""

    def __init__(self, authentication: Authentication | None, rates: Rates) -> None:
        """Guard an application.

        Args:
            authentication: Knows tokens; without, whoever comes is the local user.
            rates: How fast projects may come.
        """
        self._authentication = authentication
        self._rates = rates

    async def caller_of(self, request: Request) -> Caller:
        """On whose behalf the request acts.

        Raises:
            NotAuthenticatedError: It has no token that is valid.
            TooManyRequestsError: Its project comes too fast.
            UnavailableError: The tokens cannot be read.
        """
        caller = await self._identified(request)
        self._rates.admit(caller.project)
        return caller

    async def _identified(self, request: Request) -> Caller:
        if self._authentication is None:
            return _LOCAL
        text = _bearer(request)
        known = self._authentication.known(text)
        return known if known is not None else await run_in_threadpool(self._authentication.caller_of, text)


class Needs:
    """A parameter of a route: the caller, who may do this kind of thing.

    It stands before the body, so that nothing is read from somebody who may not.
    """

    def __init__(self, scope: Scope | None) -> None:
        """Of a route.

        Args:
            scope: What the caller must be allowed to do; None: whoever is known may.
        """
        self.scope = scope

    async def __call__(self, request: Request) -> Caller:
        """The caller.

        Raises:
            PermissionDeniedError: It may not.
        """
        door: Door = request.app.state.door
        caller = await door.caller_of(request)
        if self.scope is not None and not caller.may(self.scope):
            raise PermissionDeniedError(
                f"this needs the scope {self.scope}, which your token does not have",
                solution="Use a token of a higher role or with more scopes; `qdepot whoami` shows what yours may do.",
                details={"scope": self.scope.value},
            )
        request.state.caller = caller
        return caller


Anybody = Annotated[Caller, Depends(Needs(None))]
"""Somebody who is known."""
Reader = Annotated[Caller, Depends(Needs(Scope.JOBS_READ))]
Submitter = Annotated[Caller, Depends(Needs(Scope.JOBS_SUBMIT))]
JobManager = Annotated[Caller, Depends(Needs(Scope.JOBS_MANAGE))]
TokenManager = Annotated[Caller, Depends(Needs(Scope.TOKENS_MANAGE))]


def need_of(route: BaseRoute) -> Needs | None:
    """What a route needs of its caller; None if it is open to the world."""
    if not isinstance(route, APIRoute):
        return None
    return next((found for it in route.dependant.dependencies if isinstance(found := it.call, Needs)), None)


def _bearer(request: Request) -> str:
    """The token that a request carries."""
    headers = request.headers.getlist("authorization")
    scheme, _, text = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not text:
        raise not_authenticated()
    return text.strip(" ")
