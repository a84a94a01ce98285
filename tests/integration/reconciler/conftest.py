from __future__ import annotations

import pytest

from qdepot.testing.ledger.validate import validate_ledger
from support.shop import Shop
from support.world import make_world


@pytest.fixture
def world():
    made = make_world()
    yield made
    validate_ledger(made.ledger)
    made.pool.close()


@pytest.fixture
def shop(world):
    made = Shop(world)
    yield made
    made.kill()
