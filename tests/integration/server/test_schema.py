"""Whatever is sent to the API, the answer is one that its description tells of.

Requests are made up by Schemathesis from the description itself, as it tells and against what it tells, and sent with a
token through a real socket; half of those about a job are about one that is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core import NOT_SET

from qdepot.domain.caller import ALL_SCOPES, Role
from qdepot.domain.job import Failure, JobStatus
from qdepot.server.describe import openapi_text
from support.people import bearer
from support.serving import served
from support.web import Bench, body

DOCUMENT = json.loads(openapi_text())
OPERATIONS = [
    (method, path) for path, methods in DOCUMENT["paths"].items() for method in methods if path not in {"/healthz"}
]
FEW = 10
MANY = 200
"""Requests of each kind for each operation; of two kinds for each of them some 10,000 in all."""

REFUSALS = [207, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422]
"""What a request may be answered that is not as described; 207 tells it of each job of a batch."""

load_all_checks()
ASKED = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "unsupported_method",
        "ignored_auth",
    ]
)
REFUSED = CHECKS.get_by_names(["negative_data_rejection"])
"""Only of bodies: in a query, a list of one text and the text itself are written alike."""

SETTINGS = {"negative_data_rejection": {"expected-statuses": REFUSALS}}


@dataclass
class Api:
    """The API behind a socket, as somebody sees it who may do everything."""

    schema: Any
    session: requests.Session
    jobs: list[str]

    def operation(self, method: str, path: str) -> Any:
        return self.schema[path][method.upper()]

    def ask(self, case: Any, job_id: str | None) -> None:
        """Send a request; with a job, about this one."""
        if job_id is not None and "job_id" in (case.path_parameters or {}):
            case.path_parameters["job_id"] = job_id
        if "wait" in (case.query or {}):
            case.query["wait"] = 0
        case.call_and_validate(
            session=self.session,
            headers=dict(self.session.headers),
            checks=ASKED if case.body is NOT_SET else [*ASKED, *REFUSED],
        )


@pytest.fixture
def api(build) -> Iterator[Api]:
    bench: Bench = build(authentication=True)
    me = bearer(bench, "ada", role=Role.ADMIN, scopes=ALL_SCOPES)
    jobs = [bench.post("/v1/jobs", json=body(), headers=me.headers).json()["id"] for _ in range(6)]
    rows = [bench.world.ledger.get(job_id) for job_id in jobs]
    bench.finish(rows[0])
    bench.finish(rows[1], JobStatus.FAILED, failure=Failure(code="backend_failed", message="the cooler is warm"))
    bench.finish(rows[2], JobStatus.CANCELLED)
    bench.post(f"/v1/jobs/{jobs[3]}/cancel", headers=me.headers)
    bench.finish(rows[4])
    bench.request("DELETE", f"/v1/jobs/{jobs[4]}", headers=me.headers)
    with served(bench.app) as server, requests.Session() as session:
        session.headers.update(me.headers)
        config = schemathesis.Config.from_dict({"base-url": server.url, "checks": SETTINGS})
        yield Api(schemathesis.openapi.from_dict(DOCUMENT, config=config), session, jobs)


def hold(api: Api, method: str, path: str, *, cases: int) -> None:
    """Send so many requests of each kind to an operation, and hold the answers against the description."""
    operation = api.operation(method, path)
    takes_something = bool(operation.definition.raw.keys() & {"parameters", "requestBody"})
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if takes_something else (GenerationMode.POSITIVE,):

        @settings(
            max_examples=cases,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), job_id=st.none() | st.sampled_from(api.jobs))
        def ask(case: Any, job_id: str | None) -> None:
            api.ask(case, job_id)

        ask()


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_as_the_description_says(api: Api, method: str, path: str):
    hold(api, method, path, cases=FEW)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_so_is_every_one_of_many(api: Api, method: str, path: str):
    hold(api, method, path, cases=MANY)
