"""What tests of several folders share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.world import World, make_world


@pytest.fixture
def world() -> Iterator[World]:
    made = make_world()
    yield made
    made.pool.close()
