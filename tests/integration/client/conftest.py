from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import httpx
import pytest

from qdepot.client.client import Client
from support.web import URL, Bench
from support.world import World


class FromAThread(httpx.BaseTransport):
    """Speaks to an ASGI application whose event loop runs in a thread of its own, as a server's does."""

    def __init__(self, app) -> None:
        self._inner = httpx.ASGITransport(app)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run_coroutine_threadsafe(self._answer(request), self._loop).result(timeout=60)

    def shut_down(self) -> None:
        """End the loop; closing a client leaves it as it is, for the next one."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        sent = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        answer = await self._inner.handle_async_request(sent)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_default_executor()


@pytest.fixture
def bench(world: World) -> Iterator[Bench]:
    with asyncio.Runner() as runner:
        made = Bench(world, runner)
        yield made
        runner.run(made.http.aclose())


@pytest.fixture
def transport(bench: Bench) -> Iterator[FromAThread]:
    made = FromAThread(bench.app)
    yield made
    made.shut_down()


@pytest.fixture
def client(transport: FromAThread) -> Client:
    return Client(URL, transport=transport)
