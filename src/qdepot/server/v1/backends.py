"""Backends: which there are, and what they can do."""

from __future__ import annotations

from fastapi import APIRouter, Response

from qdepot.server.answering import json_response
from qdepot.server.auth import Reader
from qdepot.server.v1 import documented
from qdepot.server.v1.answers import backend_answer
from qdepot.services.backends import Backends
from qdepot.wire.answers import BackendAnswer, BackendListAnswer


class BackendRoutes:
    """Routes for backends."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/v1/backends", tags=["backends"])
        router.get(
            "",
            operation_id="listBackends",
            response_model=BackendListAnswer,
            responses=documented.problems("unavailable"),
        )(self.list_backends)
        router.get(
            "/{name:path}",
            operation_id="getBackend",
            response_model=BackendAnswer,
            responses=documented.problems("not_found", "unavailable"),
        )(self.get_backend)
        return router

    def list_backends(self, _caller: Reader) -> Response:
        """All backends that jobs can be sent to, by name."""
        return json_response(BackendListAnswer(backends=[backend_answer(one) for one in self._backends.all()]))

    def get_backend(self, name: str, _caller: Reader) -> Response:
        """One backend. Names may contain slashes: `fake_devices/torino`."""
        return json_response(backend_answer(self._backends.get(name)))
