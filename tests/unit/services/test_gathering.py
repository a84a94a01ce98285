"""Callers that come together are served together, each with its own answer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pytest

from qdepot.services.gathering import Gathering


class Slow:
    """Doubles numbers, group by group; each group waits until it is let through."""

    def __init__(self, *, groups_held: int = 0) -> None:
        self.groups: list[list[int]] = []
        self.begun = threading.Semaphore(0)
        self.gates = [threading.Event() for _ in range(groups_held)]

    def __call__(self, numbers: Sequence[int]) -> Sequence[int | Exception]:
        place = len(self.groups)
        self.groups.append(list(numbers))
        self.begun.release()
        if place < len(self.gates):
            assert self.gates[place].wait(30)
        return [ValueError(f"{number} is odd") if number % 2 else 2 * number for number in numbers]


def test_a_single_caller_is_served_alone():
    slow = Slow()
    assert Gathering(slow).run(4) == 8
    assert slow.groups == [[4]]


def test_those_who_come_meanwhile_share_the_next_group():
    slow = Slow(groups_held=2)
    gathering = Gathering(slow)
    with ThreadPoolExecutor(12) as threads:
        first = [threads.submit(gathering.run, number) for number in (2, 4)]
        assert all(slow.begun.acquire(timeout=30) for _ in first)
        rest = [threads.submit(gathering.run, number) for number in range(6, 26, 2)]
        while len(gathering._queue) < len(rest):
            pass
        for gate in slow.gates:
            gate.set()
        assert [future.result() for future in first + rest] == [2 * number for number in (2, 4, *range(6, 26, 2))]
    assert [len(group) for group in slow.groups[:2]] == [1, 1]
    assert len(slow.groups) < 2 + len(rest)
    assert sorted(chain.from_iterable(slow.groups)) == [2, 4, *range(6, 26, 2)]


def test_an_error_is_raised_to_its_own_caller_alone():
    gathering = Gathering(Slow())
    with pytest.raises(ValueError, match="3 is odd"):
        gathering.run(3)
    assert gathering.run(2) == 4


def test_a_group_that_fails_as_a_whole_fails_for_each_and_the_next_goes_on():
    def fail_once(numbers: Sequence[int]) -> Sequence[int | Exception]:
        if not failed:
            failed.append(True)
            raise OSError("the disk is full")
        return numbers

    failed: list[bool] = []
    gathering = Gathering(fail_once)
    with pytest.raises(OSError, match="full"):
        gathering.run(1)
    assert gathering.run(2) == 2


def test_many_callers_all_get_their_own_answers():
    gathering = Gathering(Slow())
    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(gathering.run, range(0, 4000, 2))) == list(range(0, 8000, 4))
    assert gathering._leaders == 0


def test_whoever_leads_hands_on_even_when_interrupted():
    def interrupted(numbers: Sequence[int]) -> Sequence[int | Exception]:
        raise KeyboardInterrupt

    gathering = Gathering(interrupted)
    for _ in range(3):  # more often than there are leaders
        with pytest.raises(KeyboardInterrupt):
            gathering.run(1)
