from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from qdepot.errors import NotFoundError
from qdepot.services.backends import Backends
from qdepot.testing.clock import FrozenClock
from qdepot.testing.scripted import ScriptedProvider

DEVICES = ("torino", "manila", "lima", "brisbane")


@dataclass
class Devices:
    """A provider of many backends."""

    name: str = "fake_devices"

    def backends(self):
        [one, *_] = ScriptedProvider(clock=FrozenClock()).backends()
        return [replace(one, name=f"fake_devices/{device}") for device in DEVICES]


@pytest.fixture
def backends():
    return Backends(providers={"fake_devices": Devices()}, clock=FrozenClock())


@pytest.mark.parametrize("name", ["fake_devices/turino", "fake_torino", "torino", "fake_devices/Torino"])
def test_an_unknown_backend_is_answered_with_the_nearest_names(backends, name):
    with pytest.raises(NotFoundError) as caught:
        backends.get(name)
    assert caught.value.details["nearest"][0] == "fake_devices/torino"
    assert "fake_devices/torino" in caught.value.solution


def test_a_name_like_no_other_is_answered_with_the_way_to_search(backends):
    with pytest.raises(NotFoundError) as caught:
        backends.get("x" * 10_000)
    assert "qdepot backends --search" in caught.value.solution
    assert len(caught.value.message) < 200
