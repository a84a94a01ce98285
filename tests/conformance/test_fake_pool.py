"""The pool without processes keeps all of the contract that threads can keep."""

from __future__ import annotations

import importlib
import threading
from typing import ClassVar

import pytest

from qdepot.ports.compute_pool import Payload
from qdepot.testing.compute_pool import Ability, ComputePoolConformance
from qdepot.testing.drill import OPERATIONS
from qdepot.testing.fake_pool import FunctionPool


class TestFunctionPool(ComputePoolConformance):
    abilities: ClassVar[frozenset[Ability]] = frozenset()

    @pytest.fixture
    def pool(self):
        morning = threading.Event()

        def sleep(payload: Payload) -> Payload:
            morning.wait(payload.meta["seconds"])
            return Payload()

        operations = {
            name: getattr(importlib.import_module(place.partition(":")[0]), name) for name, place in OPERATIONS.items()
        }
        pool = FunctionPool({**operations, "sleep": sleep}, size=self.size)
        yield pool
        pool.close()
        morning.set()  # lets go of the threads of tasks that were stopped
