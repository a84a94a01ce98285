from __future__ import annotations

import pytest

from qdepot.adapters.compute.processes import PoolOptions, ProcessPool
from qdepot.ports.compute_pool import Lane


@pytest.fixture
def make_pool():
    """Makes pools of drill operations and closes them."""
    pools = []

    def make(size=2, **options):
        children = dict.fromkeys(Lane, size)
        pools.append(ProcessPool(PoolOptions(**{"module": "qdepot.testing.drill", "children": children, **options})))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


@pytest.fixture
def pool(make_pool):
    """A pool of drill operations, two at once in each lane."""
    return make_pool()
