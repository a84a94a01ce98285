"""A service with secrets in its settings starts, works, complains and stops without showing one."""

from __future__ import annotations

import httpx
import pytest

from support.cloud_server import cloud_server

SECRET = "hunter2-planted-secret"
SECRETS = {
    "QDEPOT_LOG_LEVEL": "DEBUG",
    "QDEPOT_PROVIDERS__SCRIPTED__TOKEN": SECRET,
    "QDEPOT_STORE__ACCESS_KEY_ID": SECRET,
    "QDEPOT_STORE__SECRET_ACCESS_KEY": SECRET,
    "QDEPOT_STORE__SESSION_TOKEN": SECRET,
    "QDEPOT_STORE__MORE": f'{{"account_key": "{SECRET}"}}',
}
JOB = {
    "backend": "scripted_qpu",
    "program": {"kind": "sampler", "circuits": [{"format": "openqasm3", "source": "OPENQASM 3.0; ..."}]},
}


@pytest.mark.parametrize("token", [SECRET, "another"], ids=["right", "wrong"])
def test_the_log_and_the_answers_of_a_service_show_no_secret(services, tmp_path, token):
    with cloud_server(tmp_path, "--token", token) as cloud:
        service = services(ready=False, QDEPOT_PROVIDERS__SCRIPTED__URL=cloud.url, **SECRETS)
        paths = ("/readyz", "/v1/backends", "/v1/version")
        said = [httpx.get(f"{service.url}{path}", timeout=60).text for path in paths]
        said.append(httpx.post(f"{service.url}/v1/jobs", json=JOB, timeout=60).text)
        service.stop()
    assert "scripted" in said[1] or token != SECRET
    assert "DEBUG" in "".join(service.output)
    assert SECRET not in "".join([*service.output, *said])
