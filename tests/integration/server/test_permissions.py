"""Every route, and everybody who may come: what each is answered."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute

from qdepot.domain.caller import Scope
from qdepot.domain.job import JobStatus
from qdepot.errors import UnavailableError
from qdepot.server.auth import need_of
from qdepot.services.health import Health
from support.people import PROJECT, bearer, people
from support.web import Bench, body, problem

OPEN = "open"
"""No token is asked for."""

UNKNOWN_ID = "0b5f8f6e-3c55-4bb0-9f0a-0f5a3c1d2e3f"


@dataclass(frozen=True)
class Case:
    """A route, asked about something of the project.

    Attributes:
        need: The scope that it needs; None: any token; OPEN: none.
        ok: What those are answered who may.
        foreign: What they are answered if they are of another project, where that differs.
        by_operator: What somebody is answered who may do everything for all projects, where that differs.
        sent: The body.
        at: The path, if it is not the route's own.
    """

    need: Scope | str | None
    ok: int = 200
    foreign: int | None = None
    by_operator: int | None = None
    sent: Any = None
    at: str | None = None


def of_job(need: Scope, ok: int = 200, **more: Any) -> Case:
    return Case(need, ok, foreign=404, **more)


READ, SUBMIT, MANAGE, TOKENS = Scope.JOBS_READ, Scope.JOBS_SUBMIT, Scope.JOBS_MANAGE, Scope.TOKENS_MANAGE
JOB = {"json": body()}
CASES: dict[str, Case] = {
    "POST /v1/jobs": Case(SUBMIT, 201, sent=JOB),
    "PUT /v1/jobs/{job_id}": Case(SUBMIT, 201, sent=JOB),
    "POST /v1/jobs:batch": Case(SUBMIT, 201, sent={"json": {"jobs": [body(), body()]}}),
    "GET /v1/jobs/{job_id}/status": of_job(READ),
    "POST /v1/statuses": Case(READ, sent={"json": {"ids": [UNKNOWN_ID]}}),
    "GET /v1/jobs/{job_id}": of_job(READ),
    "GET /v1/jobs/{job_id}/result": of_job(READ),
    "GET /v1/jobs/{job_id}/export": of_job(READ),
    "GET /v1/jobs/{job_id}/download": of_job(READ),
    "GET /v1/jobs": Case(READ),
    "GET /v1/jobs/{job_id}/program": of_job(READ),
    "GET /v1/jobs/{job_id}/events": of_job(READ),
    "GET /v1/jobs/{job_id}/objects": of_job(READ),
    "POST /v1/jobs/{job_id}/cancel": of_job(MANAGE, 409),
    "PATCH /v1/jobs/{job_id}": of_job(MANAGE, sent={"json": {"name": "new"}}),
    "DELETE /v1/jobs/{job_id}": of_job(MANAGE, 204),
    "POST /v1/jobs/{job_id}/resolve": of_job(MANAGE, 409, sent={"json": {"action": "fail"}}),
    "GET /v1/backends": Case(READ),
    "GET /v1/backends/{name:path}": Case(READ, at="/v1/backends/scripted_qpu"),
    "GET /v1/me": Case(None),
    "POST /v1/tokens": Case(TOKENS, 201, sent={"json": {"name": "x"}}),
    "GET /v1/tokens": Case(TOKENS),
    "DELETE /v1/tokens/{token_id}": Case(TOKENS, 204, foreign=404, by_operator=204),
    "GET /v1/version": Case(OPEN),
    "GET /healthz": Case(OPEN),
    "GET /readyz": Case(OPEN),
    "GET /openapi.json": Case(OPEN),
    "GET /": Case(OPEN, 307),
    "GET /docs": Case(OPEN),
    "GET /docs/start.js": Case(OPEN),
    "GET /problems": Case(OPEN),
    "GET /problems/{code}": Case(OPEN, at="/problems/not_found"),
    "MOUNT /docs/assets": Case(OPEN, at="/docs/assets/swagger-ui.css"),
}
CALLERS = (
    "nobody",
    "malformed",
    "basic",
    "unknown",
    "expired",
    "revoked",
    "other",
    "powerless",
    "viewer",
    "member",
    "admin",
    "operator",
)


def expected(case: Case, caller: Any) -> tuple[int, str]:
    """Status, and the code of the problem if it is one that the door answers."""
    if case.need == OPEN:
        return case.ok, ""
    if not caller.is_known:
        return 401, {"expired": "token_expired", "revoked": "token_revoked"}.get(caller.name, "not_authenticated")
    if not caller.may(case.need):
        return 403, "permission_denied"
    if caller.name == "operator" and case.by_operator is not None:
        return case.by_operator, ""
    if caller.token.project != PROJECT and case.foreign is not None:
        return case.foreign, ""
    return case.ok, ""


@dataclass
class Lab:
    """An application that asks for tokens, with people, and a job of the project that has ended."""

    bench: Bench
    people: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.people = people(self.bench)
        created = self.bench.post("/v1/jobs", json=body(), headers=self.people["member"].headers)
        self.job = self.bench.finish(self.bench.world.ledger.get(created.json()["id"]), JobStatus.COMPLETED)
        self.spare = bearer(self.bench, "member").token
        self.chosen_id = str(uuid4())

    def ask(self, name: str, caller: str, *, job_id: str | None = None, **more: Any) -> Any:
        case = CASES[name]
        method, _, path = name.partition(" ")
        job_id = self.chosen_id if method == "PUT" else job_id or self.job.id
        at = case.at or path.replace("{job_id}", job_id).replace("{token_id}", self.spare.id)
        sent = {**(case.sent or {}), **more}
        headers = {**self.people[caller].headers, **sent.pop("headers", {})}
        return self.bench.request(method.replace("MOUNT", "GET"), at, headers=headers, **sent)


@pytest.fixture
def lab(build) -> Lab:
    return Lab(build(authentication=True))


def test_the_table_names_every_route(bench: Bench):
    routes = set()
    for route in bench.app.routes:
        methods = sorted(route.methods) if isinstance(route, APIRoute) else ["MOUNT"]
        routes |= {f"{method} {route.path}" for method in methods}
    assert routes == CASES.keys()


def test_every_route_says_what_it_needs(bench: Bench):
    """A route that forgot to would be open to the world."""
    for route in bench.app.routes:
        if isinstance(route, APIRoute):
            for method in route.methods:
                need = need_of(route)
                case = CASES[f"{method} {route.path}"]
                assert (OPEN if need is None else need.scope) == case.need, route.path


@pytest.mark.parametrize("route", CASES)
def test_everybody_is_answered_as_the_table_says(build, route: str):
    """Those who are refused share an application, and change nothing in it; who may change something has its own."""
    shared = Lab(build(authentication=True))
    for caller in sorted(CALLERS, key=lambda name: expected(CASES[route], shared.people[name])[0] < 400):
        status, code = expected(CASES[route], shared.people[caller])
        lab = shared if status >= 400 or route.startswith("GET") else Lab(build(authentication=True))
        response = lab.ask(route, caller)
        assert response.status_code == status, f"{caller}: {response.text}"
        if code:
            problem(response, status, code)
        assert (response.headers.get("www-authenticate") == 'Bearer realm="qdepot"') == (status == 401), caller


@pytest.mark.parametrize("route", [name for name, case in CASES.items() if case.sent])
def test_nothing_is_read_from_those_who_may_not(lab: Lab, route: str):
    for caller in CALLERS:
        status, code = expected(CASES[route], lab.people[caller])
        if code:
            problem(lab.ask(route, caller, json=None, content=b"\xff", headers={"Content-Type": "x"}), status, code)


@pytest.mark.parametrize("route", [name for name, case in CASES.items() if case.need != OPEN])
def test_all_who_are_not_known_get_one_and_the_same_answer(lab: Lab, route: str):
    answers = {lab.ask(route, caller).text for caller in ("nobody", "malformed", "basic", "unknown")}
    assert len(answers) == 1


@pytest.mark.parametrize("route", [name for name, case in CASES.items() if case.foreign and "{job_id}" in name])
def test_anothers_job_looks_as_one_that_never_was(lab: Lab, route: str):
    for caller in ("other", "operator"):
        theirs, unknown = lab.ask(route, caller), lab.ask(route, caller, job_id=UNKNOWN_ID)
        assert (theirs.status_code, unknown.status_code) == (404, 404)
        assert theirs.text.replace(lab.job.id, "") == unknown.text.replace(UNKNOWN_ID, "")
        assert dict(theirs.headers) == dict(unknown.headers)


def test_two_authorization_headers_are_none(lab: Lab):
    good = lab.people["member"].headers["Authorization"]
    for second in (good, "Bearer x"):
        response = lab.bench.get("/v1/me", headers=[("Authorization", good), ("Authorization", second)])
        problem(response, 401, "not_authenticated")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(lab: Lab, scheme: str):
    text = lab.people["member"].headers["Authorization"].partition(" ")[2]
    assert lab.bench.get("/v1/me", headers={"Authorization": f"{scheme}  {text} "}).status_code == 200


def test_one_sees_who_one_is(lab: Lab):
    me = lab.ask("GET /v1/me", "viewer").json()
    assert (me["user"], me["project"], me["role"], me["scopes"]) == ("viewer", PROJECT, "viewer", ["jobs:read"])
    assert me["token"]["id"] == lab.people["viewer"].token.id
    assert "secret" not in json.dumps(me)
    assert me["limits"]["max_circuits"] == 10_000


def test_without_authentication_everybody_is_the_local_user(bench: Bench):
    me = bench.get("/v1/me", headers={"Authorization": "Bearer whatever"}).json()
    assert (me["user"], me["project"], me["token"]) == ("local", "default", None)
    assert len(me["scopes"]) == len(Scope)


def test_where_tokens_are_asked_for_readiness_says_no_details(build):
    def away():
        raise UnavailableError("cannot reach postgres at 10.0.0.7")

    lab = build(authentication=True, health=Health(checks={"ledger": away, "store": lambda: None}))
    response = lab.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"ready": False, "checks": {"ledger": "not ok", "store": "ok"}}
