"""The HTTP application, put together from its parts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio.to_thread
from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from qdepot.server import errors, openapi, problem_pages, swagger
from qdepot.server.auth import Door
from qdepot.server.body_room import BodyRoom
from qdepot.server.errors import CatchAll
from qdepot.server.forwarded import Forwarded
from qdepot.server.gate import Gate
from qdepot.server.headers import SecureHeaders
from qdepot.server.parts import ServerParts
from qdepot.server.probes import ProbeRoutes
from qdepot.server.rates import Rates
from qdepot.server.v1.backends import BackendRoutes
from qdepot.server.v1.batch import BatchRoutes
from qdepot.server.v1.doubts import DoubtRoutes
from qdepot.server.v1.downloads import DownloadRoutes
from qdepot.server.v1.jobs import JobRoutes
from qdepot.server.v1.results import ResultRoutes
from qdepot.server.v1.service import ServiceRoutes
from qdepot.server.v1.status import StatusRoutes
from qdepot.server.v1.submitting import SubmitRoutes
from qdepot.server.v1.tokens import TokenRoutes
from qdepot.server.waiting import Waiters

__all__ = ["ServerParts", "build_app"]


def build_app(parts: ServerParts) -> FastAPI:
    """The application over these parts. Nothing runs until it is served.

    ``app.state.close_waits`` ends all waiting requests; call it on the event loop's thread when the service stops.
    """
    waiters = Waiters(parts.jobs.get_many)
    parts.subscribe(waiters.wake)
    app = FastAPI(
        **openapi.DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_with_threads(parts.threads),
        middleware=[
            Middleware(SecureHeaders),
            Middleware(CatchAll),
            Middleware(Forwarded, proxies=parts.trusted_proxies),
            Middleware(Gate, allowed_hosts=parts.allowed_hosts, public_url=parts.public_url),
        ],
    )
    app.state.limits = limits = parts.project_limits
    app.state.body_room = BodyRoom(parts.body_memory_bytes)
    app.state.door = Door(parts.authentication, Rates(limits.of))
    app.state.close_waits = waiters.close
    errors.register(app)
    for router in _routers(parts, waiters):
        # Routes side by side with the others: an included router is searched twice for each request.
        app.router.routes.extend(router.routes)
    app.mount("/docs/assets", swagger.assets())
    openapi.install(app)
    return app


def _routers(parts: ServerParts, waiters: Waiters) -> list[APIRouter]:
    return [
        SubmitRoutes(parts.jobs).router(),
        BatchRoutes(parts.jobs).router(),
        StatusRoutes(parts.jobs, waiters).router(),
        ResultRoutes(parts.jobs, parts.limits).router(),
        DownloadRoutes(parts.jobs, links_for=parts.download_links_for).router(),
        JobRoutes(parts.jobs).router(),
        DoubtRoutes(parts.doubts).router(),
        BackendRoutes(parts.backends).router(),
        ServiceRoutes(version=parts.version, limits=parts.limits, describe=parts.describe).router(),
        TokenRoutes(parts.tokens, parts.project_limits.of).router(),
        ProbeRoutes(parts.health, tells_why=parts.authentication is None).router(),
        problem_pages.router(),
        swagger.router(),
    ]


def _with_threads(count: int) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = count
        yield

    return lifespan
