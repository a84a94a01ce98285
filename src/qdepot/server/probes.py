"""Is the service alive, and fit to work? For supervisors, load balancers and people."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fastapi import APIRouter, Response

from qdepot.server.answering import json_bytes, json_response
from qdepot.server.v1.documented import open_problems
from qdepot.services.health import Health
from qdepot.wire.answers import ReadyAnswer

logger = logging.getLogger(__name__)

_WELL = "ok"


class ProbeRoutes:
    """Routes for probes."""

    def __init__(self, health: Health, *, tells_why: bool) -> None:
        """Of a service.

        Args:
            health: Knows how its parts are.
            tells_why: Whoever asks may know what is wrong with a part; else it stands in the log alone.
        """
        self._health = health
        self._tells_why = tells_why
        self._unwell: frozenset[str] = frozenset()

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(tags=["service"])
        alive = {"application/json": {"example": {"status": "ok"}}}
        router.get("/healthz", operation_id="getHealth", responses={200: {"content": alive}, **open_problems()})(
            self.get_health
        )
        router.get(
            "/readyz",
            operation_id="getReadiness",
            response_model=ReadyAnswer,
            responses={
                503: {"model": ReadyAnswer, "description": "A part is not well; `checks` says which."},
                **open_problems(),
            },
        )(self.get_readiness)
        return router

    async def get_health(self) -> Response:
        """The process is alive. Looks at nothing else, so that a slow database does not get it killed."""
        return json_bytes(b'{"status":"ok"}')

    def get_readiness(self) -> Response:
        """Whether the service can take and run jobs, part by part."""
        checks = self._health.report()
        ready = all(outcome == _WELL for outcome in checks.values())
        self._note(checks)
        if not self._tells_why:
            checks = {name: _WELL if outcome == _WELL else "not ok" for name, outcome in checks.items()}
        return json_response(ReadyAnswer(ready=ready, checks=checks), status=200 if ready else 503)

    def _note(self, checks: Mapping[str, str]) -> None:
        """Log once which parts are unwell and why, until others are: probes ask every few seconds."""
        unwell = {name: outcome for name, outcome in checks.items() if outcome != _WELL}
        before, self._unwell = self._unwell, frozenset(unwell)
        if before == self._unwell:
            return
        if unwell:
            logger.warning("not_ready", extra={"checks": unwell})
        else:
            logger.info("ready_again")
