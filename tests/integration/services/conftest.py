from __future__ import annotations

import pytest

from support.world import make_world


@pytest.fixture
def world():
    made = make_world()
    yield made
    made.pool.close()
