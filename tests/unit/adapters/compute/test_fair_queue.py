from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdepot.adapters.compute.fair_queue import FairQueue


def filled(items):
    queue = FairQueue()
    for number, owner in enumerate(items):
        queue.add(owner, number, (owner, number))
    return queue


def drained(queue):
    return [queue.take() for _ in range(len(queue))]


def test_owners_take_turns():
    assert drained(filled("aaabbc")) == [("a", 0), ("b", 3), ("c", 5), ("a", 1), ("b", 4), ("a", 2)]


def test_an_owner_who_comes_late_waits_for_one_round_only():
    queue = filled("aaaa")
    queue.take()
    queue.add("b", 9, ("b", 9))
    assert drained(queue)[:2] == [("a", 1), ("b", 9)]


@given(st.text("abc", max_size=30))
def test_nothing_is_lost_and_each_owner_is_served_in_order(owners):
    taken = drained(filled(owners))
    assert sorted(taken, key=lambda item: item[1]) == [(owner, number) for number, owner in enumerate(owners)]
    for owner in set(owners):
        numbers = [number for who, number in taken if who == owner]
        assert numbers == sorted(numbers)


@given(st.text("abcd", min_size=1, max_size=40))
def test_nobody_is_served_twice_while_another_waits_all_the_time(owners):
    taken = [owner for owner, _ in drained(filled(owners))]
    for waiting in set(owners):
        turns = [place for place, owner in enumerate(taken) if owner == waiting]
        for before, after in zip([-1, *turns], turns, strict=False):
            between = taken[before + 1 : after]
            assert len(between) == len(set(between))


def test_an_item_can_leave_out_of_turn():
    queue = filled("aab")
    queue.remove("a", 0)
    queue.remove("b", 2)
    queue.remove("b", 2)
    queue.remove("nobody", 1)
    assert (len(queue), queue.first(), queue.first_of("a"), queue.first_of("b")) == (1, ("a", 1), ("a", 1), None)


def test_an_owner_served_out_of_turn_goes_to_the_end_of_the_line():
    queue = filled("aabb")
    assert queue.take_of("b") == ("b", 2)
    assert drained(queue) == [("a", 0), ("b", 3), ("a", 1)]


def test_an_empty_queue_has_nothing_to_give():
    queue = filled("")
    assert (len(queue), queue.first()) == (0, None)
    with pytest.raises(StopIteration):
        queue.take()
