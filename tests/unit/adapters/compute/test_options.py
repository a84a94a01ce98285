from __future__ import annotations

import pytest

from qdepot.adapters.compute.options import PoolOptions
from qdepot.ports.compute_pool import Lane


def test_each_lane_has_at_least_one_child():
    assert min(PoolOptions().children[lane] for lane in Lane) >= 1
    with pytest.raises(ValueError, match="check"):
        PoolOptions(children={Lane.RUN: 1})
