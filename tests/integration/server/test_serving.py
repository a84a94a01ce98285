"""The application behind a real socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
import trustme

from qdepot.errors import InvalidRequestError, UnavailableError
from qdepot.server.http_protocol import MAX_HEAD_BYTES
from qdepot.server.listening import Listening
from qdepot.server.serve import serve
from qdepot.services.orders import SubmitLimits
from support.serving import address_of, served
from support.web import Bench, body

TESTS = Path(__file__).parents[2]


def test_a_job_goes_in_and_its_status_comes_out(bench: Bench):
    with served(bench.app) as server, httpx.Client(base_url=server.url) as client:
        job = client.post("/v1/jobs", json=body()).json()
        assert client.get(f"/v1/jobs/{job['id']}/status").json()["status"] == "CREATED"
        response = client.get("/healthz")
    assert "server" not in response.headers
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_each_loopback_address_can_be_served(bench: Bench, host):
    if ":" in host and not _has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    with served(bench.app, host=host) as server:
        assert httpx.get(f"{server.url}/healthz").json() == {"status": "ok"}


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_no_other_address_is_served(bench: Bench, host):
    with pytest.raises(InvalidRequestError, match="will not listen"):
        serve(bench.app, Listening(host=host))


def test_a_port_that_is_taken_is_named(bench: Bench):
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        with pytest.raises(UnavailableError, match=str(port)):
            serve(bench.app, Listening(port=port))


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> tuple[Path, Path]:
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    key.write_bytes(certificate.private_key_pem.bytes())
    return cert, key


def test_https_is_spoken_with_a_certificate(bench: Bench, authority: trustme.CA, files):
    cert, key = files
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with served(bench.app, tls_cert=cert, tls_key=key) as server:
        assert server.url.startswith("https://127.0.0.1:")
        with httpx.Client(verify=trusting, base_url=server.url) as client:
            origin = {"Origin": server.url}
            assert client.post("/v1/jobs", json=body(), headers=origin).status_code == 201
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/healthz")
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"{server.url.replace('https', 'http')}/healthz")


def test_unusable_tls_files_are_named(bench: Bench, files, tmp_path: Path):
    cert, key = files
    for bad in ({"tls_cert": tmp_path / "no.pem", "tls_key": key}, {"tls_cert": key, "tls_key": key}):
        with pytest.raises(InvalidRequestError, match=str(bad["tls_cert"])):
            serve(bench.app, Listening(**bad))
    for half in ({"tls_cert": cert}, {"tls_key": key}):
        with pytest.raises(InvalidRequestError, match="certificate and its key"):
            serve(bench.app, Listening(**half))


def test_the_head_of_a_request_ends_somewhere(bench: Bench):
    with served(bench.app) as server, socket.create_connection(address_of(server), timeout=30) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        answer = b""
        try:
            for _ in range(MAX_HEAD_BYTES // 1024 + 1000):
                connection.sendall(b"x" * 1024)
            answer = connection.recv(1000)
        except (ConnectionResetError, BrokenPipeError):
            answer = answer or b"HTTP/1.1 400 (cut off)"
        assert answer.startswith(b"HTTP/1.1 400")
        assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_long_bodies_are_no_heads(bench: Bench):
    with served(bench.app) as server:
        response = httpx.post(f"{server.url}/v1/jobs", json=body("x" * (4 * MAX_HEAD_BYTES)))
    assert response.status_code == 201


def test_a_client_hears_that_its_body_was_too_large(build: Callable[..., Bench]):
    bench = build(limits=SubmitLimits(max_body_bytes=1000))
    with served(bench.app) as server, httpx.Client(base_url=server.url) as client:
        response = client.post("/v1/jobs", content=b"x" * 5_000_000, headers={"Content-Type": "application/json"})
        assert response.json()["code"] == "payload_too_large"
        assert client.get("/healthz").status_code == 200


def test_nonsense_instead_of_http_is_refused(bench: Bench):
    with served(bench.app) as server:
        with socket.create_connection(address_of(server), timeout=30) as connection:
            connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 400")
        assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_a_client_that_hangs_up_is_not_waited_for(bench: Bench, world):
    job = bench.submit()
    looked = threading.Event()
    get_many = world.ledger.get_many

    def noted(job_ids):
        looked.set()
        return get_many(job_ids)

    world.ledger.get_many = noted
    with served(bench.app) as server:
        with socket.create_connection(address_of(server), timeout=30) as connection:
            connection.sendall(f"GET /v1/jobs/{job.id}/status?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert looked.wait(30)
        until = time.monotonic() + 30  # long before the wait would have ended by itself
        while server.server_state.tasks and time.monotonic() < until:
            time.sleep(0.005)
        assert not server.server_state.tasks


class TestInAProcessOfItsOwn:
    @pytest.fixture
    def process(self) -> Iterator[subprocess.Popen[str]]:
        child = subprocess.Popen(
            [sys.executable, "-m", "support.web_process"],
            cwd=TESTS,
            env={"PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE,
            text=True,
        )
        with child:
            yield child
            child.kill()

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_ends_waits_at_once_and_lets_the_caller_tidy_up(self, process, number):
        assert process.stdout is not None
        url, job_id = process.stdout.readline().split()
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            request = f"GET /v1/jobs/{job_id}/status?wait=60 HTTP/1.1\r\nHost: {host}\r\n\r\n"
            connection.sendall(request.encode())
            # A second request on another connection is answered after the first one has begun to wait.
            assert httpx.get(f"{url}/healthz").status_code == 200
            process.send_signal(number)
            answer = connection.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == "CREATED"
        assert process.stdout.read() == "tidied up\n"
        assert process.wait(30) == 0
