"""Bodies of 32 MB of every kind: the service takes little memory for them, gives it back, and goes on answering."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hostile import corpus
from qdepot.testing.compute_pool import wait_until

SIZE = 32 * 1024**2 - 4096
AT_ONCE = 4
MOST_BYTES = 1e9
JSON = {"Content-Type": "application/json"}


def job(values: str) -> bytes:
    circuit = {"format": "openqasm2", "source": corpus.BELL2, "parameter_values": "HERE"}
    document = {"backend": "aer", "program": {"kind": "sampler", "shots": 10, "circuits": [circuit]}}
    return json.dumps(document).replace('"HERE"', values).encode()


def filled(item: str) -> bytes:
    return job("[" + ",".join([item] * (SIZE // (len(item.encode()) + 1))) + "]")


def batch() -> bytes:
    """1,000 jobs with circuits in base64 that are no QPY files."""
    source = base64.b64encode(b"x" * 24_000).decode()
    one = {"backend": "aer", "program": {"kind": "sampler", "circuits": [{"format": "qpy", "source": source}]}}
    return json.dumps({"atomic": False, "jobs": [one] * 1000}).encode()


BODIES = {
    "empty lists": ("/v1/jobs", lambda: filled("[]")),
    "objects": ("/v1/jobs", lambda: filled('{"a":{"b":[]}}')),
    "numbers of 16 digits": ("/v1/jobs", lambda: filled("0.1234567890123456")),
    "a text": ("/v1/jobs", lambda: job('"' + "x" * SIZE + '"')),
    "a text beyond Latin-1": ("/v1/jobs", lambda: job('"\U0001f600' + "x" * (SIZE - 8) + '"')),
    "a batch of empty lists": ("/v1/jobs:batch", lambda: b'{"atomic": false, "jobs": [' + filled("[]") + b"]}"),
    "a batch of circuits": ("/v1/jobs:batch", batch),
}


def memory(service, field: str) -> int:
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(status.partition(f"{field}:")[2].split()[0]) * 1024


@pytest.mark.parametrize("name", BODIES)
def test_no_body_takes_a_gigabyte_or_is_answered_as_a_fault_of_the_service(service, name):
    path, made = BODIES[name]
    body = made()
    with ThreadPoolExecutor(AT_ONCE) as senders:
        sent = [senders.submit(service.http.post, path, content=body, headers=JSON) for _ in range(AT_ONCE)]
        answers = [each.result() for each in sent]
    assert {answer.status_code for answer in answers} <= {201, 207, 422, 429}
    assert any(answer.status_code != 429 for answer in answers)
    assert memory(service, "VmHWM") < MOST_BYTES
    assert service.is_untouched()


def test_the_memory_of_refused_batches_goes_back(service):
    body = batch()
    service.http.post("/v1/jobs:batch", content=body, headers=JSON)
    before = memory(service, "VmRSS")
    for _ in range(5):
        assert service.http.post("/v1/jobs:batch", content=body, headers=JSON).status_code == 207
    wait_until(lambda: memory(service, "VmRSS") < before + 2.5 * len(body))
