"""What the service says of itself, and how it answers whatever goes wrong."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from hashlib import sha256

import pytest

from qdepot import errors
from qdepot.errors import UnavailableError
from qdepot.server.headers import SECURE_HEADERS
from qdepot.services.health import Health
from support.web import Bench, Broken, body, problem

AN_ID = "0b5f8f6e-3c55-4bb0-9f0a-0f5a3c1d2e3f"
CALLS = [
    ("POST", "/v1/jobs", body()),
    ("PUT", f"/v1/jobs/{AN_ID}", body()),
    ("POST", "/v1/jobs:batch", {"jobs": [body()]}),
    ("GET", f"/v1/jobs/{AN_ID}/status", None),
    ("GET", f"/v1/jobs/{AN_ID}/status?wait=0.01", None),
    ("POST", "/v1/statuses", {"ids": [AN_ID]}),
    ("GET", f"/v1/jobs/{AN_ID}", None),
    ("GET", f"/v1/jobs/{AN_ID}/result", None),
    ("GET", f"/v1/jobs/{AN_ID}/result?format=npz", None),
    ("GET", f"/v1/jobs/{AN_ID}/program", None),
    ("GET", f"/v1/jobs/{AN_ID}/events", None),
    ("GET", f"/v1/jobs/{AN_ID}/objects", None),
    ("GET", "/v1/jobs", None),
    ("POST", f"/v1/jobs/{AN_ID}/cancel", None),
    ("PATCH", f"/v1/jobs/{AN_ID}", {"name": "x"}),
    ("DELETE", f"/v1/jobs/{AN_ID}", None),
    ("GET", "/v1/backends", None),
    ("GET", "/v1/backends/aer", None),
]


def broken(build, error: Exception) -> Bench:
    return build(jobs=Broken(error), backends=Broken(error))


@pytest.mark.parametrize(("method", "path", "content"), CALLS)
def test_every_call_says_when_to_come_back_while_a_part_is_away(build, method, path, content):
    bench = broken(build, UnavailableError("the ledger does not answer", retry_after_s=7))
    response = bench.request(method, path, json=content)
    assert problem(response, 503, "unavailable")["detail"] == "the ledger does not answer"
    assert response.headers["retry-after"] == "7"


@pytest.mark.parametrize(("method", "path", "content"), CALLS)
def test_no_call_shows_what_it_did_not_expect(build, method, path, content, caplog):
    bench = broken(build, RuntimeError("secret of row 12"))
    with caplog.at_level(logging.ERROR):
        response = bench.request(method, path, json=content)
    trace_id = problem(response, 500, "internal_error")["details"]["trace_id"]
    assert "secret" not in response.text
    assert trace_id in {getattr(record, "trace_id", None) for record in caplog.records}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.QuotaExceededError("too many jobs"), 429),
        (errors.PermissionDeniedError("not yours"), 403),
        (errors.GoneError("deleted"), 410),
        (errors.MemoryLimitExceededError("too much"), 422),
        (errors.ArchiveDamagedError("a bit fell over"), 500),
    ],
)
def test_an_error_reaches_the_caller_with_its_words(build, error, status):
    found = broken(build, error).post("/v1/jobs", json=body())
    assert problem(found, status, error.code)["detail"] == error.message


def test_the_service_says_what_it_is(build):
    facts = {"packages": {"qiskit": "2.6.2"}, "qpy_versions": [13, 18], "fake_devices": {"fake_torino": 133}}
    answer = build(describe=lambda: facts).get("/v1/version").json()
    assert (answer["version"], answer["api_version"]) == ("1.2.3", "1.3")
    assert (answer["packages"], answer["qpy_versions"]) == ({"qiskit": "2.6.2"}, [13, 18])
    assert answer["formats"] == ["openqasm2", "openqasm3", "qpy"]
    assert answer["limits"]["max_body_bytes"] == 32 * 1024**2


def test_what_is_not_known_yet_is_left_open(bench: Bench):
    answer = bench.get("/v1/version").json()
    assert (answer["packages"], answer["qpy_versions"]) == ({}, None)


def test_backends_are_listed_and_found_by_name(bench: Bench):
    [backend] = bench.get("/v1/backends").json()["backends"]
    assert backend["name"] == "scripted_qpu"
    assert bench.get("/v1/backends/scripted_qpu").json() == backend


@pytest.mark.parametrize("name", ["nowhere", "fake_devices/nowhere", "a%2Fb", "%00", "a//b"])
def test_a_backend_that_is_none_is_not_found(bench: Bench, name):
    found = problem(bench.get(f"/v1/backends/{name}"), 404, "not_found")
    assert "scripted_qpu" in found["solution"]


def test_a_backends_name_may_have_slashes(bench: Bench):
    bench.world.cloud.name = "fake_devices/fake"
    assert bench.get("/v1/backends/fake_devices/fake_qpu").json()["name"] == "fake_devices/fake_qpu"


def test_alive_is_not_ready(build):
    def away():
        raise UnavailableError("the store does not answer")

    bench = build(health=Health(checks={"ledger": lambda: None, "store": away}))
    response = bench.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"ready": False, "checks": {"ledger": "ok", "store": "the store does not answer"}}
    assert bench.get("/healthz").json() == {"status": "ok"}


def test_a_part_that_is_away_is_one_line_in_the_log_however_often_a_probe_asks(build, caplog):
    trouble: list[str] = []

    def away():
        if trouble:
            raise UnavailableError(f"{trouble[0]}, request {len(caplog.records)}")

    caplog.set_level("INFO", logger="qdepot.server.probes")
    bench = build(health=Health(checks={"ledger": lambda: None, "store": away}))
    for state in ([], ["no route"], [], ["no name"]):
        trouble[:] = state
        for _ in range(20):
            bench.get("/readyz")
    assert [record.message for record in caplog.records] == ["not_ready", "ready_again", "not_ready"]
    assert caplog.records[0].checks == {"store": "no route, request 0"}


def test_ready_is_green_when_all_parts_are_well(bench: Bench):
    response = bench.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"ready": True, "checks": {"ledger": "ok"}})


@pytest.mark.parametrize("path", ["/nowhere", "/v1", "/v1/jobs/", "/v1/jobs/x/y/z", "/docs/assets/../app.py", "/%00"])
def test_a_path_that_is_none_is_a_problem(bench: Bench, path):
    problem(bench.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/jobs", "GET, POST"),
        ("POST", f"/v1/jobs/{AN_ID}", "DELETE, GET, PATCH, PUT"),
        ("DELETE", "/v1/backends/x", "GET"),
        ("OPTIONS", "/v1/jobs", "GET, POST"),
        ("BREW", "/healthz", "GET"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(bench: Bench, method, path, allowed):
    response = bench.request(method, path)
    problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == allowed


@pytest.mark.parametrize("path", ["/healthz", "/v1/jobs", "/nowhere", "/docs", "/openapi.json"])
def test_every_answer_carries_the_headers_that_keep_pages_apart(bench: Bench, path):
    response = bench.get(path)
    assert set(SECURE_HEADERS) <= set(response.headers)
    assert not [name for name in response.headers if name.startswith("access-control")]
    assert response.headers["cache-control"] == "no-store"


def test_a_foreign_page_gets_nothing_not_even_errors(bench: Bench):
    for path in ("/v1/jobs", "/nowhere", "/healthz", "/docs"):
        problem(bench.get(path, headers={"Origin": "http://evil.example"}), 403, "cross_site")
        problem(bench.get(path, headers={"Host": "evil.example"}), 421, "wrong_host")
    response = bench.post("/v1/jobs", json=body(), headers={"Origin": "http://evil.example"})
    problem(response, 403, "cross_site")
    assert not sum(bench.world.ledger.counts().values())


def test_even_the_unexpected_carries_those_headers(build):
    response = broken(build, RuntimeError("oh")).get("/v1/jobs")
    assert response.headers["content-security-policy"] == SECURE_HEADERS["content-security-policy"]


def test_the_docs_need_nothing_from_elsewhere(bench: Bench):
    page = bench.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "//" not in page.text.replace("<!DOCTYPE html>", "")
    for address in ("/docs/assets/swagger-ui-bundle.js", "/docs/assets/swagger-ui.css", "/docs/start.js"):
        assert address in page.text
        assert bench.get(address).status_code == 200
    assert '"/openapi.json"' in bench.get("/docs/start.js").text
    assert bench.get("/", follow_redirects=True).text == page.text


def test_the_description_is_served(bench: Bench):
    assert bench.get("/openapi.json").json() == json.loads(json.dumps(bench.app.openapi()))


@pytest.mark.parametrize("code", errors.error_classes())
def test_every_problem_has_a_page(bench: Bench, code):
    assert code in bench.get(f"/problems/{code}").text
    assert f"/problems/{code}" in bench.get("/problems").text


def test_a_page_on_a_problem_may_use_its_own_style_and_nothing_else(bench: Bench):
    page = bench.get("/problems/not_found")
    style = page.text.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = page.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")


def test_a_page_on_no_problem_is_not_found(bench: Bench):
    problem(bench.get("/problems/<script>"), 404, "not_found")
