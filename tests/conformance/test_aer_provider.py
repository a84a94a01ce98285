"""Aer as a provider keeps the contract: over a pool of functions, and over the real pool with real simulations."""

from __future__ import annotations

import threading
from typing import ClassVar

import pytest

from qdepot.adapters.compute.processes import PoolOptions, ProcessPool
from qdepot.adapters.providers.aer import AerProvider
from qdepot.ports.compute_pool import Lane, Limits, Payload, Task
from qdepot.testing.compute_pool import wait_until
from qdepot.testing.fake_pool import FunctionPool
from qdepot.testing.provider import Ability, ProviderConformance
from support.played_aer import simulate

SIZE = 2


class Gates:
    """Two gates that every simulation passes: one before it begins, one before it ends."""

    def __init__(self):
        self.end = threading.Event()
        self.end.set()
        self.blocker = threading.Event()
        self.pool = FunctionPool({"simulate": self._simulate, "block": self._block}, size=SIZE)

    def hold(self):
        self.end.clear()
        blockers = [self.pool.submit(Task(operation="block", payload=Payload())) for _ in range(SIZE)]
        wait_until(lambda: all(blocker.started for blocker in blockers))

    def let_run(self):
        self.blocker.set()

    def let_end(self):
        self.blocker.set()
        self.end.set()

    def _simulate(self, payload):
        self.end.wait()
        return simulate(payload)

    def _block(self, payload):
        self.blocker.wait()
        return Payload()


class TestAerOverFunctions(ProviderConformance):
    abilities: ClassVar = frozenset({Ability.HOLD})

    @pytest.fixture
    def outside(self):
        gates = Gates()
        yield gates
        gates.let_end()
        gates.pool.close()

    @pytest.fixture
    def provider(self, outside):
        provider = AerProvider(pool=outside.pool, limits=Limits(), cores=1, describe=dict)
        yield provider
        provider.close()


@pytest.fixture(scope="module")
def pool():
    with ProcessPool(PoolOptions(children={Lane.CHECK: 1, Lane.RUN: 2})) as pool:
        yield pool


class TestAerOverProcesses(ProviderConformance):
    abilities: ClassVar = frozenset()

    @pytest.fixture
    def provider(self, pool):
        provider = AerProvider(pool=pool, limits=Limits(), cores=1, describe=dict)
        yield provider
        provider.close()
