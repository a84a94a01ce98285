from __future__ import annotations

import asyncio
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from qdepot import AsyncClient, Client
from qdepot.errors import QDepotError
from support.fake_api import BELL, FakeApi
from support.listening import listening

ZIP = b"PK rest of a file"


class Store(BaseHTTPRequestHandler):
    """A store that gives a file to whoever knows the address, and notes what it is told."""

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        found = self.path == "/bundle?signature=1"
        self.send_response(200 if found else 403)
        self.end_headers()
        self.wfile.write(ZIP if found else b"<Error/>")

    def log_message(self, *args):
        pass


@pytest.fixture
def store():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    server.seen, server.url = [], f"http://127.0.0.1:{server.server_port}"
    with listening(server):
        yield server


def leading_to(url: str) -> httpx.Response:
    return httpx.Response(307, headers={"Location": url})


def test_a_file_from_the_service_is_written(tmp_path):
    api = FakeApi()
    with Client("http://s", transport=api.transport()) as client:
        job = client.submit(BELL)
        api.faults.append(httpx.Response(200, content=ZIP))
        assert job.download(tmp_path / "x.zip").read_bytes() == ZIP


def test_a_link_is_followed_without_the_token(store, tmp_path):
    api = FakeApi()
    with Client("https://s", token="hush", transport=api.transport()) as client:
        job = client.submit(BELL)
        api.faults.append(leading_to(f"{store.url}/bundle?signature=1"))
        assert job.download(tmp_path / "x.zip").read_bytes() == ZIP
    [(_, headers)] = store.seen
    assert "hush" not in str(headers)
    assert not {"authorization", "cookie"} & {name.lower() for name in headers}


def test_so_does_the_other_client(store, tmp_path):
    api = FakeApi()

    async def download():
        async with AsyncClient("https://s", token="hush", transport=api.transport()) as client:
            job = await client.submit(BELL)
            api.faults.append(leading_to(f"{store.url}/bundle?signature=1"))
            return await job.download(tmp_path)

    assert asyncio.run(download()).read_bytes() == ZIP
    assert "hush" not in str(store.seen)


def test_a_link_that_has_expired_is_an_error_and_writes_nothing(store, tmp_path):
    api = FakeApi()
    with Client("http://s", transport=api.transport()) as client:
        job = client.submit(BELL)
        api.faults.append(leading_to(f"{store.url}/bundle?signature=0"))
        with pytest.raises(QDepotError):
            job.download(tmp_path / "x.zip")
    assert list(tmp_path.iterdir()) == []


def test_no_other_answer_leads_elsewhere(store):
    api = FakeApi()
    with Client("http://s", transport=api.transport()) as client:
        job = client.submit(BELL)
        api.faults.append(leading_to(f"{store.url}/bundle?signature=1"))
        with pytest.raises(QDepotError):
            job.details()
    assert store.seen == []
