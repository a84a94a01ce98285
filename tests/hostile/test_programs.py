"""Programs that were written to harm get a refusal or a failed job, and harm nobody."""

from __future__ import annotations

import base64
import time

import httpx
import pytest

from hostile import corpus

PATIENCE_S = 60
HARMLESS_STATUS = {"COMPLETED", "FAILED"}


def submit(service, hostile) -> httpx.Response:
    changes = dict(hostile.changes)
    method = changes.pop("options_method", None)
    source = base64.b64encode(hostile.source).decode() if hostile.format == "qpy" else hostile.source.decode("latin1")
    program = {"kind": "sampler", "shots": 100, "circuits": [{"format": hostile.format, "source": source}], **changes}
    body = {"backend": "aer", "program": program, "options": {"method": method} if method else {}}
    return service.http.post("/v1/jobs", json=body)


def ended(service, job_id) -> dict:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        job = service.http.get(f"/v1/jobs/{job_id}?wait=10").json()
        if job["status"] in HARMLESS_STATUS:
            return job
    raise AssertionError(f"the job has not ended: {job}")


def assert_harmless(service, hostile) -> None:
    answer = submit(service, hostile)
    assert answer.status_code < 500, answer.text
    text = answer.text
    if answer.status_code < 400:
        job = ended(service, answer.json()["id"])
        assert job["status"] == "FAILED" or hostile.may_run, job
        text += str(job)
        if job["status"] == "FAILED":
            assert job["failure"]["code"] != "internal_error", job
    else:
        assert answer.json()["code"] != "internal_error", text
    assert "root:" not in text
    assert "QDEPOT_" not in text
    assert service.is_untouched()


@pytest.mark.parametrize("hostile", list(corpus.texts()), ids=lambda each: f"{each.format}: {each.name}")
def test_a_text_does_no_harm(service, hostile):
    assert_harmless(service, hostile)


@pytest.mark.parametrize("hostile", list(corpus.files()), ids=lambda each: each.name)
def test_a_qpy_file_does_no_harm(service, hostile):
    assert_harmless(service, hostile)


@pytest.mark.parametrize("values", list(corpus.parameter_values()), ids=lambda each: repr(each)[:40])
def test_values_of_parameters_do_no_harm(service, values):
    circuit = {"format": "openqasm3", "source": corpus.WITH_PARAMETER, "parameter_values": values}
    program = {"kind": "sampler", "shots": 10, "circuits": [circuit]}
    answer = service.http.post("/v1/jobs", json={"backend": "aer", "program": program})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["code"] != "internal_error"
    assert service.is_untouched()


def test_after_all_that_a_bell_pair_is_what_it_was(service):
    job = ended(service, submit(service, corpus.Hostile("bell", "openqasm2", corpus.BELL2.encode())).json()["id"])
    assert job["status"] == "COMPLETED"
    result = service.http.get(f"/v1/jobs/{job['id']}/result").json()
    assert sum(result["results"][0]["counts"].values()) == 100
    assert result["results"][0]["counts"].keys() <= {"00", "11"}
