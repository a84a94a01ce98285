from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.web import Bench
from support.world import World


@pytest.fixture
def build(world: World) -> Iterator[Callable[..., Bench]]:
    """Makes applications over the same world with other parts."""
    with asyncio.Runner() as runner:
        benches: list[Bench] = []

        def make(**parts: Any) -> Bench:
            benches.append(Bench(world, runner, parts))
            return benches[-1]

        yield make
        for bench in benches:
            runner.run(bench.http.aclose())


@pytest.fixture
def bench(build: Callable[..., Bench]) -> Bench:
    return build()
