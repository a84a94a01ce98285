"""The OpenAPI document of the service."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema
from pydantic_core import to_json

from qdepot.server.answering import json_bytes
from qdepot.server.auth import Needs, need_of
from qdepot.server.v1.documented import SCHEMAS
from qdepot.server.v1.examples import EXAMPLES
from qdepot.server.v1.service import API_VERSION
from qdepot.wire.answers import Problem
from qdepot.wire.requests import BatchBody, JobBody, JobEditBody, ResolveBody, StatusesBody
from qdepot.wire.tokens import TokenBody

_BODIES = (JobBody, BatchBody, StatusesBody, JobEditBody, ResolveBody, TokenBody)
"""What is read to the letter, and so unknown to FastAPI."""

_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token, `qdp_...`; see `qdepot tokens create`. A service that listens on its own machine alone "
    "may do without.",
}

DESCRIPTION: dict[str, Any] = {
    "title": "qdepot",
    "version": API_VERSION,
    "summary": "Submit quantum circuits, come back later, and find the results in your own object store.",
    "description": (
        "A job is **submitted**, is on its way through `CREATED → QUEUED → RUNNING`, and ends as `COMPLETED`, `FAILED` "
        "or `CANCELLED`; while a requested cancel is not confirmed it is shown as `CANCELLING`. `COMPLETED` means that "
        "its result is stored.\n\n"
        "Bit 0 is the **rightmost** character of every bit string.\n\n"
        "Errors are problems as of RFC 9457: `code` is for programs, `detail` says what happened, `solution` what to "
        "do. After a 503 nothing was changed: try again after `Retry-After` seconds.\n\n"
        "Where the service asks for tokens, calls of `/v1` carry one: `Authorization: Bearer qdp_...`. A token belongs "
        "to a user in a project and has scopes; each call names the scope that it needs. What another project has "
        "is as what is not there.\n\n"
        "Fields may be added to answers at any time; those that are there stay."
    ),
    "openapi_tags": [
        {"name": "jobs", "description": "Submit, follow, retrieve."},
        {"name": "tokens", "description": "Who one is, and tokens for others to be somebody."},
        {"name": "backends", "description": "Where jobs can run."},
        {"name": "service", "description": "The service itself."},
    ],
    "license_info": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}


def install(app: FastAPI) -> None:
    """Let an application describe also what it reads to the letter, and its problems, at ``/openapi.json``."""

    @cache
    def document() -> dict[str, Any]:
        return _document(app)

    @cache
    def rendered() -> bytes:
        return to_json(document())

    def get_openapi_json() -> Response:  # no coroutine: the first answer takes long enough to hold up others
        return json_bytes(rendered())

    app.openapi = document  # type: ignore[method-assign]  # the documented way to change it
    app.get("/openapi.json", include_in_schema=False)(get_openapi_json)


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        tags=app.openapi_tags,
        license_info=app.license_info,
        routes=app.routes,
    )
    _, further = models_json_schema(
        [(model, "validation") for model in (*_BODIES, Problem)],
        ref_template=SCHEMAS + "{model}",
    )
    schemas = document["components"]["schemas"]
    schemas.update(further["$defs"])
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for name, example in EXAMPLES.items():
        schemas[name]["examples"] = [example]
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["components"]["securitySchemes"] = {"bearerAuth": _BEARER}
    for path in document["paths"].values():
        for operation in path.values():
            _tidy(operation)
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                _guard(document["paths"][route.path_format][method.lower()], need_of(route))
    return document


def _guard(operation: dict[str, Any], need: Needs | None) -> None:
    """Say whether a call needs a token, and one of which scope."""
    operation["security"] = [] if need is None else [{"bearerAuth": []}]
    if need is not None and need.scope is not None:
        told = f"Needs the scope `{need.scope}`."
        operation["description"] = "\n\n".join(text for text in (operation.get("description"), told) if text)


def _tidy(operation: dict[str, Any]) -> None:
    """Put the first sentence into the summary, answers in order, and leave out errors that cannot come.

    FastAPI adds a 422 of its own shape to whatever has a parameter, also where any text will do.
    """
    first, _, rest = operation.pop("description").partition("\n")
    operation["summary"] = first.removesuffix(".")
    if rest.strip():
        operation["description"] = rest.strip()
    answers = operation["responses"]
    if "application/json" in answers.get("422", {}).get("content", {}):
        del answers["422"]
    operation["responses"] = dict(sorted(answers.items()))
