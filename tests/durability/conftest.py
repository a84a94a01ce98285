"""What the tests of durability share: a nursery, and clouds that outlive all that it starts."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from durability.processes import nursery as make_nursery
from support.cloud_server import cloud_server

ABILITIES = {
    "key": ["--takes-key"],
    "tag": ["--finds-by-tag", "--visibility-delay-s", "0.3"],
    "neither": [],
}


@pytest.fixture(scope="session")
def nursery():
    with make_nursery() as made:
        yield made


@pytest.fixture(scope="session")
def clouds(tmp_path_factory):
    """Paid clouds by what they can do."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(cloud_server(tmp_path_factory.mktemp(name), *options))
            for name, options in ABILITIES.items()
        }
