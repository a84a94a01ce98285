"""The committed description of the REST API is the one that the service gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qdepot.server.describe import openapi_text
from qdepot.wire import answers, requests, tokens

COMMITTED = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"

OPERATIONS = {
    "submitJob": "POST /v1/jobs",
    "submitJobs": "POST /v1/jobs:batch",
    "putJob": "PUT /v1/jobs/{job_id}",
    "getJobStatus": "GET /v1/jobs/{job_id}/status",
    "getStatuses": "POST /v1/statuses",
    "retrieveJob": "GET /v1/jobs/{job_id}",
    "getJobResult": "GET /v1/jobs/{job_id}/result",
    "getJobProgram": "GET /v1/jobs/{job_id}/program",
    "getJobEvents": "GET /v1/jobs/{job_id}/events",
    "getJobObjects": "GET /v1/jobs/{job_id}/objects",
    "exportJob": "GET /v1/jobs/{job_id}/export",
    "downloadJob": "GET /v1/jobs/{job_id}/download",
    "listJobs": "GET /v1/jobs",
    "cancelJob": "POST /v1/jobs/{job_id}/cancel",
    "resolveJob": "POST /v1/jobs/{job_id}/resolve",
    "editJob": "PATCH /v1/jobs/{job_id}",
    "deleteJob": "DELETE /v1/jobs/{job_id}",
    "getMe": "GET /v1/me",
    "createToken": "POST /v1/tokens",
    "listTokens": "GET /v1/tokens",
    "revokeToken": "DELETE /v1/tokens/{token_id}",
    "listBackends": "GET /v1/backends",
    "getBackend": "GET /v1/backends/{name}",
    "getVersion": "GET /v1/version",
    "getHealth": "GET /healthz",
    "getReadiness": "GET /readyz",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return json.loads(openapi_text())


@pytest.fixture(scope="module")
def operations(document) -> dict[str, dict[str, Any]]:
    return {
        operation["operationId"]: {**operation, "at": f"{method.upper()} {path}"}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_committed_description_is_not_stale():
    assert COMMITTED.read_text(encoding="utf-8") == openapi_text(), (
        "raise API_VERSION if the change is not only in words, then run: "
        "python -m qdepot.server.describe docs/reference/openapi.json"
    )


def test_every_call_has_its_stable_name(operations):
    assert {name: operation["at"] for name, operation in operations.items()} == OPERATIONS


def test_every_reference_leads_somewhere(document):
    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            here = [node["$ref"]] if "$ref" in node else []
            return here + [found for value in node.values() for found in references(value)]
        return [found for value in node for found in references(value)] if isinstance(node, list) else []

    found = references(document)
    assert found
    assert set(found) <= {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}


def test_every_call_is_described_for_people(operations):
    for name, operation in operations.items():
        assert operation["summary"][0].isupper(), name
        assert not operation["summary"].endswith("."), name
        assert operation["tags"], name
        for parameter in operation.get("parameters", []):
            assert parameter["in"] == "path" or parameter["schema"], name


def test_every_call_of_the_api_names_the_problems_it_may_answer(operations):
    for name, operation in operations.items():
        if not operation["at"].split()[1].startswith("/v1"):
            continue
        problems = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
        assert {"403", "421", "500"} <= problems.keys(), name
        assert all(list(answer["content"]) == ["application/problem+json"] for answer in problems.values()), name


def test_every_call_says_whether_it_needs_a_token(operations):
    is_open = {name for name, operation in operations.items() if operation["security"] == []}
    assert is_open == {"getVersion", "getHealth", "getReadiness"}
    for name in operations.keys() - is_open:
        assert operations[name]["security"] == [{"bearerAuth": []}], name
        assert {"401", "403", "429"} <= operations[name]["responses"].keys(), name
        assert "Needs the scope" in operations[name].get("description", "") or name == "getMe"


def test_every_call_that_reads_a_body_describes_it(operations):
    for name, operation in operations.items():
        reads = operation["at"].split()[0] in {"POST", "PUT", "PATCH"} and name != "cancelJob"
        assert ("requestBody" in operation) == reads, name


def test_every_example_is_a_good_one(document):
    checked = 0
    for name, schema in document["components"]["schemas"].items():
        model = next(getattr(room, name) for room in (answers, requests, tokens) if hasattr(room, name))
        for example in schema.get("examples", []):
            model.model_validate(example)
            checked += 1
    assert checked > 8
