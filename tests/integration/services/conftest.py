from __future__ import annotations

import pytest

from support.world import World, make_world


@pytest.fixture
def world():
    made = make_world()
    yield made
    made.pool.close()


@pytest.fixture
def repeatable(world: World) -> World:
    world.cloud.repeatable, world.cloud.paid = True, False
    return world
