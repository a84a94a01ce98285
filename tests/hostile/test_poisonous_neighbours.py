"""Jobs of one project that are made to break the steps behind the run, and what another project notices: nothing.

The other tests here attack the pool and the readers, and look at the attacker's own job: so they could not see that
what was wrong with one job became the error of a batch, with jobs of another project in it.
"""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qpy

from support.service import Service

MARK = "P0ISON"
NAMES = ["../{}", "{}\\b", "{}\0", "{}\nx", "\u202e{}", "..", "/etc/{}", "{}:*?", "{}/../../job.json", "{}" + "n" * 300]
BELL = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\nh q[0];\ncx q[0],q[1];\nmeasure q -> c;\n'
TEXTS = [
    f"OPENQASM 3.0; // {MARK}\nqubit q; bit c; input float {MARK}; rx(1/{MARK}) q; c = measure q;",
    f"OPENQASM 3.0; // {MARK}\nqubit[2] q; bit[2] {MARK}; while (true) {{ x q[0]; }} {MARK} = measure q;",
    f"OPENQASM 3.0; def {MARK}(creg c[2]) {{ }}",
    f'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; creg {MARK}[64]; if({MARK}==9223372036854775808) x q[0];',
]


@dataclass
class Ends:
    """How the jobs of a victim ended.

    Attributes:
        seconds: From the submit to the result, each.
        answers: All that the victim was told, as text.
        jobs: Its jobs, in their last form.
    """

    seconds: list[float] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    jobs: list[dict] = field(default_factory=list)


def qpy_of(name: str) -> str:
    circuit = QuantumCircuit(QuantumRegister(1, "q"), ClassicalRegister(1, name), name=MARK)
    circuit.x(0)
    circuit.measure(0, 0)
    file = io.BytesIO()
    qpy.dump(circuit, file)
    return base64.b64encode(file.getvalue()).decode()


def poison(number: int) -> dict:
    """Of all kinds, in turn."""
    kinds = len(NAMES) + len(TEXTS)
    program: dict = {"kind": "sampler", "shots": 10}
    document = {"backend": "aer", "name": f"{MARK} {number}", "tags": [MARK], "program": program, "timeout_s": 1.0}
    if number % kinds < len(NAMES):
        source = qpy_of(NAMES[number % kinds].format(MARK))
        program["circuits"] = [{"format": "qpy", "source": source}]
        return document | {"options": {"memory": True, "seed": number}}
    text = TEXTS[number % kinds - len(NAMES)]
    program["circuits"] = [{"format": "openqasm2" if "2.0" in text else "openqasm3", "source": text}]
    return document


def client_of(service: Service, token: str) -> httpx.Client:
    return httpx.Client(base_url=service.url, timeout=60.0, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    environment = {"QDEPOT_AUTH": "tokens", "QDEPOT_ADMIN_TOKEN_FILE": str(tmp_path / "admin")}
    running = Service(tmp_path, environment=environment).start()
    yield running
    running.stop()


def logged_in(service: Service, project: str) -> httpx.Client:
    with client_of(service, (service.data / "admin").read_text().strip()) as admin:
        answer = admin.post("/v1/tokens", json={"project": project, "user": project, "role": "member"})
        assert answer.status_code == 201, answer.text
        return client_of(service, answer.json()["token"])


def bells(ada: httpx.Client, count: int) -> Ends:
    """One Bell after the other, each looked at from all sides."""
    ends = Ends()
    for seed in range(count):
        program = {"kind": "sampler", "shots": 100, "circuits": [{"format": "openqasm2", "source": BELL}]}
        began = time.monotonic()
        job = ada.post("/v1/jobs", json={"backend": "aer", "program": program, "options": {"seed": seed}}).json()
        while job["status"] not in {"COMPLETED", "FAILED", "CANCELLED"}:
            answer = ada.get(f"/v1/jobs/{job['id']}/status", params={"wait": 10})
            ends.answers.append(answer.text)
            job = {**job, **answer.json()}
        ends.seconds.append(time.monotonic() - began)
        paths = ["", "/events", "/result", "/objects"]
        ends.answers += [ada.get(f"/v1/jobs/{job['id']}{path}").text for path in paths]
        ends.jobs.append(json.loads(ends.answers[-len(paths)]))
    ends.answers += [ada.get(path).text for path in ("/v1/jobs", "/v1/backends", "/v1/me")]
    return ends


def attacked(mallory: httpx.Client, ada: httpx.Client, *, poisonous: int, victims: int) -> Ends:
    for number in range(poisonous):
        answer = mallory.post("/v1/jobs", json=poison(number))
        assert answer.status_code < 500, answer.text
    return bells(ada, victims)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("poisonous", "victims"), [(28, 8), pytest.param(300, 100, marks=pytest.mark.slow)], ids=["28", "300"]
)
def test_a_neighbour_neither_waits_nor_is_told(service: Service, poisonous, victims):
    with logged_in(service, "mallory") as mallory, logged_in(service, "ada") as ada:
        ends = attacked(mallory, ada, poisonous=poisonous, victims=victims)
        assert {(job["status"], job["attempt"]) for job in ends.jobs} == {("COMPLETED", 1)}
        assert not [answer for answer in ends.answers if MARK in answer]
        assert len(ends.answers) > 5 * victims
        jobs = mallory.get("/v1/jobs", params={"limit": 100}).json()["jobs"]
        assert max(job["attempt"] for job in jobs) <= 3
        assert not [job for job in jobs if (job.get("failure") or {}).get("code") == "internal_error"]
