from __future__ import annotations

import asyncio
import inspect

import pytest

from qdepot.client.async_client import AsyncClient
from qdepot.client.client import Client
from qdepot.client.handle import AsyncJobHandle
from support.fake_api import FakeApi


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch):
    monkeypatch.delenv("QDEPOT_URL", raising=False)
    monkeypatch.delenv("QDEPOT_TOKEN", raising=False)


@pytest.fixture
def api():
    return FakeApi()


@pytest.fixture
def no_pauses(monkeypatch):
    """Pauses are noted, not made."""
    made: list[float] = []

    async def pause(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr("qdepot.client.courier.time.sleep", made.append)
    monkeypatch.setattr("qdepot.client.courier.asyncio.sleep", pause)
    return made


@pytest.fixture
def client(api, no_pauses):
    with Client("http://service.test", transport=api.transport()) as one:
        yield one


class Blocking:
    """An ``async`` client or handle whose methods are run to their end, so that one test serves both colours."""

    def __init__(self, inner, runner):
        self._inner = inner
        self._runner = runner

    def __repr__(self):
        return repr(self._inner).replace("Async", "")

    def __getattr__(self, name):
        value = getattr(self._inner, name)
        if not callable(value):
            return value
        return lambda *args, **kwargs: self._ended(value(*args, **kwargs))

    def _ended(self, value):
        if inspect.iscoroutine(value):
            value = self._runner.run(value)
        elif hasattr(value, "__aiter__"):
            value = self._runner.run(_collected(value))
        if isinstance(value, list):
            return [self._ended(one) for one in value]
        return Blocking(value, self._runner) if isinstance(value, AsyncJobHandle) else value


async def _collected(items):
    return [item async for item in items]


@pytest.fixture(params=["blocking", "async"])
def either(request, api, no_pauses):
    """A client of either colour, seen as a blocking one."""
    if request.param == "blocking":
        with Client("http://service.test", transport=api.transport()) as one:
            yield one
        return
    with asyncio.Runner() as runner:
        inner = AsyncClient("http://service.test", transport=api.transport())
        yield Blocking(inner, runner)
        runner.run(inner.close())
