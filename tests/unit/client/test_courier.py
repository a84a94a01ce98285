from __future__ import annotations

import asyncio
import gc
import ssl
import threading

import httpx
import pytest

from qdepot.client.async_client import AsyncClient
from qdepot.client.client import Client
from qdepot.errors import InvalidRequestError, UnavailableError
from support.fake_api import FakeApi


def failing(error):
    def answer(_):
        raise error

    return httpx.MockTransport(answer)


def certificate_error():
    error = httpx.ConnectError("certificate verify failed")
    cause = ssl.SSLCertVerificationError("verify failed")
    cause.verify_message = "unable to get local issuer certificate"
    error.__cause__ = cause
    return error


def test_nobody_there_says_how_to_start_a_service():
    client = Client("http://127.0.0.1:1", transport=failing(httpx.ConnectError("Connection refused")))
    with pytest.raises(UnavailableError, match=r"no service answers at http://127\.0\.0\.1:1") as caught:
        client.backends()
    assert "`qdepot serve`" in caught.value.solution


def test_a_certificate_that_is_not_trusted_says_which_authority_to_name():
    client = Client("https://127.0.0.1:1", transport=failing(certificate_error()))
    with pytest.raises(UnavailableError, match="unable to get local issuer certificate") as caught:
        client.backends()
    assert "QDEPOT_CA" in caught.value.solution


def test_an_answer_that_is_not_json_is_an_error_that_names_the_address():
    def page(_):
        return httpx.Response(200, text="<html>Welcome</html>")

    with pytest.raises(InvalidRequestError, match=r"http://other gave an answer .* '<html>Welcome"):
        Client("http://other", transport=httpx.MockTransport(page)).backends()


def test_a_broken_compression_is_a_lost_answer(no_pauses):
    def broken(_):
        return httpx.Response(200, headers={"content-encoding": "gzip"}, content=iter([b"no gzip"]))

    with pytest.raises(UnavailableError, match="was lost during GET /v1/backends"):
        Client("http://other", transport=httpx.MockTransport(broken)).backends()


def test_no_proxy_is_asked_for_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128")
    for url, proxied in (
        ("http://127.0.0.1:1", False),
        ("http://localhost:1", False),
        ("http://[::1]:1", False),
        ("http://far.test", True),
    ):
        client = Client(url)
        http = client._courier._http
        transport = http._transport_for_url(httpx.URL(f"{url}/v1/jobs"))
        assert (transport is not http._transport) is proxied, url


def test_connections_are_closed_when_nobody_uses_them_any_more():
    api = FakeApi()
    closed: list[bool] = []
    transport = api.transport()
    transport.close = lambda: closed.append(True)
    job = Client("http://s", transport=transport).submit("OPENQASM 3.0;")
    gc.collect()
    assert job.status() == "COMPLETED"
    assert closed == []
    del job
    gc.collect()
    assert closed == [True]


def test_threads_may_share_a_client():
    api = FakeApi()
    client = Client("http://s", transport=api.transport())
    threads = [threading.Thread(target=client.backends) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(api.seen) == 8


def test_a_cancelled_wait_leaves_the_client_usable():
    api = FakeApi(looks=10**9)

    async def run() -> int:
        async with AsyncClient("http://s", transport=api.transport()) as client:
            job = await client.submit("OPENQASM 3.0;")
            waiting = asyncio.create_task(job.wait())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            return len(await client.backends())

    assert asyncio.run(run()) == 1
