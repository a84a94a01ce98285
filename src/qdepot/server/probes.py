"""Is the service alive, and fit to work? For supervisors, load balancers and people."""

from __future__ import annotations

from fastapi import APIRouter, Response

from qdepot.server.answering import json_bytes, json_response
from qdepot.server.v1.documented import problems
from qdepot.services.health import Health
from qdepot.wire.answers import ReadyAnswer


class ProbeRoutes:
    """Routes for probes."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(tags=["service"])
        alive = {"application/json": {"example": {"status": "ok"}}}
        router.get("/healthz", operation_id="getHealth", responses={200: {"content": alive}, **problems()})(
            self.get_health
        )
        router.get(
            "/readyz",
            operation_id="getReadiness",
            response_model=ReadyAnswer,
            responses={
                503: {"model": ReadyAnswer, "description": "A part is not well; `checks` says which."},
                **problems(),
            },
        )(self.get_readiness)
        return router

    async def get_health(self) -> Response:
        """The process is alive. Looks at nothing else, so that a slow database does not get it killed."""
        return json_bytes(b'{"status":"ok"}')

    def get_readiness(self) -> Response:
        """Whether the service can take and run jobs, part by part."""
        checks = self._health.report()
        ready = all(outcome == "ok" for outcome in checks.values())
        return json_response(ReadyAnswer(ready=ready, checks=checks), status=200 if ready else 503)
