"""What this service is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict

from fastapi import APIRouter, Response

from qdepot.domain.program import ProgramFormat
from qdepot.server.answering import json_response
from qdepot.server.v1 import documented
from qdepot.server.v1.queries import MAX_PAGE, MAX_WAIT_S
from qdepot.services.orders import SubmitLimits
from qdepot.wire.answers import VersionAnswer

API_VERSION = "1.3"
"""Of the REST API: the first number changes when something is taken away, the second when something is added."""


class ServiceRoutes:
    """Routes about the service itself."""

    def __init__(self, *, version: str, limits: SubmitLimits, describe: Callable[[], Mapping[str, object]]) -> None:
        self._version = version
        self._limits = limits
        self._describe = describe

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/v1", tags=["service"])
        router.get(
            "/version", operation_id="getVersion", response_model=VersionAnswer, responses=documented.open_problems()
        )(self.get_version)
        return router

    def get_version(self) -> Response:
        """Versions, formats that are read, and limits that requests must keep."""
        facts = self._describe()
        answer = VersionAnswer.model_validate(
            {
                "version": self._version,
                "api_version": API_VERSION,
                "formats": [program_format.value for program_format in ProgramFormat],
                "qpy_versions": facts.get("qpy_versions"),
                "packages": facts.get("packages", {}),
                "sandbox": facts.get("sandbox", {}),
                "limits": {**asdict(self._limits), "max_wait_s": MAX_WAIT_S, "max_page": MAX_PAGE},
            }
        )
        return json_response(answer)
