from __future__ import annotations

import pytest

from support.world import World


@pytest.fixture
def repeatable(world: World) -> World:
    world.cloud.repeatable, world.cloud.paid = True, False
    return world
