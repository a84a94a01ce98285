"""Bad input gets a clear answer, at a glance and with its place, and leaves nothing behind."""

from __future__ import annotations

import base64
import json

import httpx
import pytest

BELL = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\nh q[0];\ncx q[0],q[1];\nmeasure q -> c;\n'


def body(source: str = BELL, *, program_format: str = "openqasm2", **changes):
    program = {"kind": "sampler", "shots": 100, "circuits": [{"format": program_format, "source": source}]}
    program |= changes.pop("program", {})
    return {"backend": "aer", "program": program, **changes}


def post(service, content) -> httpx.Response:
    return httpx.post(f"{service.url}/v1/jobs", json=content, timeout=60)


def stored(service) -> int:
    return sum(1 for path in (service.data / "objects").rglob("*") if path.is_file())


@pytest.fixture
def nothing_left(service):
    before = stored(service)
    jobs = len(httpx.get(f"{service.url}/v1/jobs").json()["jobs"])
    yield
    assert stored(service) == before
    assert len(httpx.get(f"{service.url}/v1/jobs").json()["jobs"]) == jobs


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (body('OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2;\n'), 422, ["line 3"]),
        (body(BELL.replace("cx q[0]", "frob q[0]")), 422, ["frob", "line 6"]),
        (
            body("OPENQASM 3.0;\nqubit[2] q;\nbit[2] c;\nfrob q[0];\nc = measure q;", program_format="openqasm3"),
            422,
            ["frob"],
        ),
        (body("OPENQASM 3.0;\nqubit[2 q;", program_format="openqasm3"), 422, ["line 2"]),
        (body('OPENQASM 2.0;\ninclude "/etc/passwd";\nqreg q[1];'), 422, ["include"]),
        (body('OPENQASM 3.0;\ninclude "/etc/passwd";\nqubit q;', program_format="openqasm3"), 422, ["include"]),
        (body("OPENQASM 2.0;\nqreg q[1000000000];\ncreg c[1];\nmeasure q[0] -> c[0];"), 422, ["size", "line"]),
        (body(BELL.replace("measure q -> c;\n", "")), 422, ["measure"]),
        (body("not base64!", program_format="qpy"), 422, ["base64"]),
        (body(base64.b64encode(b"QISKIT" + b"\xff" * 40).decode(), program_format="qpy"), 422, ["QPY"]),
        (body(backend="nowhere"), 404, ["nowhere", "aer"]),
        (body(program={"shots": 0}), 422, ["shots"]),
        (body(program={"shots": -1}), 422, ["shots"]),
        (body(program={"shots": 10**12}), 422, ["shots"]),
        (body(program={"shots": "many"}), 422, ["shots"]),
        (body(program={"circuits": []}), 422, ["circuits"]),
        (body(program={"kind": "oracle"}), 422, ["kind"]),
        (body(options={"seed": -1}), 422, ["seed"]),
        (body(options={"frobnicate": True}), 422, ["frobnicate"]),
    ],
)
def test_a_bad_job_is_refused_with_what_and_where(service, content, status, words):
    answer = post(service, content)
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert answer.headers["content-type"].startswith("application/problem+json")
    text = json.dumps(problem)
    assert not [word for word in words if word not in text], text
    assert "root:" not in text
    assert problem["code"]


@pytest.mark.usefixtures("nothing_left")
def test_line_and_column_are_numbers_too(service):
    details = post(service, body(BELL.replace("cx q[0]", "frob q[0]"))).json()["details"]
    assert (details["circuit"], details["line"]) == (0, 6)
    assert details["column"] >= 1


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 422),
        (b"\xff\xfe", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"", "application/json", 422),
        (BELL.encode(), "text/plain", 415),
        (b'{"backend": "aer", "program": {"kind": "sampler", "shots": NaN}}', "application/json", 422),
    ],
)
def test_a_body_that_is_no_job_is_refused(service, content, content_type, status):
    answer = httpx.post(f"{service.url}/v1/jobs", content=content, headers={"Content-Type": content_type})
    assert answer.status_code == status, answer.text
    assert answer.json()["code"]


@pytest.mark.usefixtures("nothing_left")
def test_a_body_that_is_too_large_is_refused(services):
    service = services("small", QDEPOT_MAX_BODY_BYTES="10000")
    answer = post(service, body(BELL + "//" + "x" * 20_000))
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize("job_id", ["nonsense", "0b5f8f6e-3c55-4bb0-9f0a-0f5a3c1d2e3f", "%2e%2e%2fetc"])
@pytest.mark.parametrize("what", ["", "/status", "/result", "/program", "/events", "/objects"])
def test_an_unknown_id_is_not_found(service, job_id, what):
    answer = httpx.get(f"{service.url}/v1/jobs/{job_id}{what}")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_a_page_of_another_site_is_not_the_user(service):
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = httpx.post(f"{service.url}/v1/jobs", json=body(), headers=headers)
        assert 400 <= answer.status_code < 500, headers


def test_a_result_that_is_not_there_yet_says_where_the_job_is(services):
    service = services("idle", "--no-reconciler")
    job = post(service, body()).json()
    answer = httpx.get(f"{service.url}/v1/jobs/{job['id']}/result")
    assert answer.status_code == 409
    assert answer.json()["details"]["status"] == "CREATED"
