"""The service speaks HTTPS: with the operator's certificate, with one of its own making, behind a proxy."""

from __future__ import annotations

import re
import ssl

import httpx
import pytest
import trustme

import qdepot
from support.service import Service, run_cli

CIRCUIT = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; creg c[1]; measure q -> c;'
JOB = {
    "backend": "aer",
    "program": {"kind": "sampler", "shots": 1, "circuits": [{"format": "openqasm2", "source": CIRCUIT}]},
}


def test_https_with_a_certificate(tmp_path):
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(str(key))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    service = Service(tmp_path, options=("--tls-cert", str(chain), "--tls-key", str(key))).start(ready=False)
    try:
        assert service.url.startswith("https://")
        assert httpx.get(f"{service.url}/healthz", verify=context).status_code == 200
    finally:
        assert service.stop() == 0


def test_https_with_a_certificate_of_its_own_making(tmp_path):
    service = Service(tmp_path, options=("--tls", "self-signed")).start(ready=False)
    try:
        said = "".join(service.output)
        trusted = re.search(r"QDEPOT_CA=(\S+)", said)
        assert trusted is not None
        assert re.search(r"fingerprint ([0-9A-F]{2}:){31}[0-9A-F]{2}$", said, re.MULTILINE)
        with qdepot.Client(service.url, ca=trusted[1]) as client:
            assert client.version().api_version
        port = service.url.rpartition(":")[2]
        health = run_cli("health", "--port", port, data=tmp_path, QDEPOT_TLS="self-signed")
        assert (health.returncode, health.stdout) == (0, '{"status":"ok"}\n'), health.stderr
    finally:
        assert service.stop() == 0


def test_a_proxy_that_is_trusted_gives_the_service_its_name(tmp_path):
    environment = {"QDEPOT_PUBLIC_URL": "https://jobs.example.org", "QDEPOT_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8"}
    service = Service(tmp_path, environment=environment).start(ready=False)
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "jobs.example.org"}
    try:
        for headers, status in (
            ({**forwarded, "Origin": "https://jobs.example.org"}, 200),
            ({"Host": "jobs.example.org", "Origin": "https://jobs.example.org"}, 200),
            ({**forwarded, "Origin": "https://evil.example"}, 403),
            ({"X-Forwarded-Host": "evil.example"}, 421),
        ):
            assert httpx.get(f"{service.url}/v1/version", headers=headers).status_code == status, headers
        with httpx.Client(base_url=service.url, headers=forwarded) as client:
            # Relative links are right for whatever address the client used.
            assert client.get("/v1/jobs/none").json()["type"].startswith("/problems/")
            assert "servers" not in client.get("/openapi.json").json()
            assert client.post("/v1/jobs", json=JOB).headers["location"].startswith("/v1/jobs/")
    finally:
        assert service.stop() == 0


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (["--host", "0.0.0.0"], {}, "without authentication"),
        (["--host", "0.0.0.0"], {"QDEPOT_TLS": "self-signed"}, "without authentication"),
        (["--host", "0.0.0.0", "--plain-http"], {}, "without authentication"),
        (["--host", "0.0.0.0"], {"QDEPOT_AUTH": "tokens"}, "without HTTPS"),
        (["--tls", "self-signed", "--tls-cert", "c.pem", "--tls-key", "k.pem"], {}, "asks for another one"),
        (["--tls", "self-signed", "--plain-http"], {}, "cannot both be spoken"),
        (["--tls", "letters"], {}, "tls"),
        (["--tls-cert", "c.pem"], {}, "certificate and its key"),
        ([], {"QDEPOT_PUBLIC_URL": "https://jobs.example.org/qdepot"}, "public_url"),
        ([], {"QDEPOT_TRUSTED_PROXIES": "proxy.example"}, "trusted_proxies"),
    ],
)
def test_what_would_endanger_somebody_is_refused_at_the_start(tmp_path, arguments, settings, words):
    done = run_cli("serve", "--port", "0", *arguments, data=tmp_path, **settings)
    assert done.returncode == 2, done.stdout + done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_health_says_that_nobody_is_there(tmp_path):
    done = run_cli("health", "--port", "9", data=tmp_path)
    assert done.returncode not in (0, 2)
    assert "no service answers at 127.0.0.1, port 9" in done.stderr
