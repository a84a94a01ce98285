"""Bodies that no client sends: whatever comes, a 4xx."""

from __future__ import annotations

import json

import pytest

from hostile import corpus

BELL = json.dumps(corpus.BELL2)
JOB = '{{"backend": "aer", "program": {{"kind": "sampler", "shots": {shots}, "circuits": [{circuit}]}}{more}}}'
CIRCUIT = f'{{"format": "openqasm2", "source": {BELL}}}'


def job(*, shots: str = "10", circuit: str = CIRCUIT, more: str = "") -> bytes:
    return JOB.format(shots=shots, circuit=circuit, more=more).encode()


BODIES = {
    "nested lists": b"[" * 100_000,
    "nested lists that end": b"[" * 100_000 + b"]" * 100_000,
    "nested objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "nested options": job(more=', "options": ' + '{"a":' * 50_000 + "1" + "}" * 50_000),
    "nested metadata": job(more=', "metadata": ' + "[" * 50_000 + "]" * 50_000),
    "1e999999 shots": job(shots="1e999999"),
    "-1e999999 shots": job(shots="-1e999999"),
    "10^100000 shots": job(shots="1" + "0" * 100_000),
    "half a shot": job(shots="0.5"),
    "NaN": job(shots="NaN"),
    "a lone surrogate": job(circuit='{"format": "openqasm2", "source": "\\ud800"}'),
    "a circuit in a circuit": job(circuit=f'{{"format": "openqasm2", "source": {CIRCUIT}}}'),
    "a seed of 10^400": job(more=f', "options": {{"seed": 1{"0" * 400}}}'),
    "base64 that is none": job(circuit='{"format": "qpy", "source": "' + "=" * 1_000_000 + '"}'),
    "a name of 10 MB": job(more=f', "name": "{"x" * 10_000_000}"'),
    "tags without end": job(more=', "tags": [' + '"a",' * 200_000 + '"a"]'),
    "keys without end": b"{" + b",".join(b'"%d":1' % n for n in range(200_000)) + b"}",
    "no JSON": b"\x00\x01\x02",
    "a pickle": b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94.",
    "UTF-16": job().decode().encode("utf-16"),
}


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs:batch"])
@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_job_is_a_mistake_of_the_caller(service, path, name):
    content = BODIES[name] if path == "/v1/jobs" else b'{"jobs": [' + BODIES[name] + b"]}"
    answer = service.http.post(path, content=content, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500, answer.text[:500]
    assert answer.json()["code"]
    assert len(answer.content) < 100_000
    assert service.is_untouched()


def test_the_first_of_two_equal_keys_does_not_smuggle_in_another_job(service):
    content = b'{"backend": "nowhere", ' + job()[1:]
    answer = service.http.post("/v1/jobs", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code < 500
    if answer.status_code < 400:
        assert answer.json()["backend"] == "aer/aer"
