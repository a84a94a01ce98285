"""The pool of child processes keeps the contract."""

from __future__ import annotations

import pytest

from qdepot.adapters.compute.processes import PoolOptions, ProcessPool
from qdepot.ports.compute_pool import Lane
from qdepot.testing.compute_pool import ComputePoolConformance


class TestProcessPool(ComputePoolConformance):
    @pytest.fixture
    def pool(self):
        options = PoolOptions(module="qdepot.testing.drill", children=dict.fromkeys(Lane, self.size))
        with ProcessPool(options) as pool:
            yield pool
