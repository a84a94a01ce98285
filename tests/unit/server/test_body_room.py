"""Large bodies are let in as memory allows, and nobody takes all of it."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from qdepot.errors import TooManyLargeRequestsError
from qdepot.server.body_room import BodyRoom

LARGEST = 32


@pytest.fixture
def room():
    return BodyRoom(4 * LARGEST)


def take(room, held, project, *, times=1, size=LARGEST):
    for _ in range(times):
        held.enter_context(room.taken(size, project=project, largest=LARGEST))


def test_beyond_the_room_a_body_is_refused_until_another_is_through(room):
    with ExitStack() as held:
        take(room, held, "a", times=3)
        take(room, held, "b")
        with pytest.raises(TooManyLargeRequestsError) as caught:
            take(room, held, "c")
        assert caught.value.retry_after_s
        assert caught.value.details["limit"] == "body_memory_bytes"
    with ExitStack() as held:
        take(room, held, "c")


def test_one_project_leaves_room_for_a_body_of_another(room):
    with ExitStack() as held:
        take(room, held, "a", times=3)
        with pytest.raises(TooManyLargeRequestsError):
            take(room, held, "a")
        take(room, held, "b")


def test_a_single_body_is_let_in_whatever_its_size():
    room = BodyRoom(10)
    with ExitStack() as held:
        take(room, held, "a", size=1000)
        with pytest.raises(TooManyLargeRequestsError):
            take(room, held, "b", size=1000)


def test_what_fails_gives_its_room_back(room):
    for _ in range(10):
        with pytest.raises(KeyError), room.taken(LARGEST, project="a", largest=LARGEST):
            raise KeyError
