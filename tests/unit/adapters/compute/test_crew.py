"""Who works on what next, without any process."""

from __future__ import annotations

import math
import socket

import pytest

from qdepot.adapters.compute.child_link import ChildLink
from qdepot.adapters.compute.crew import Crew
from qdepot.adapters.compute.handle import Handle
from qdepot.adapters.compute.orders import Order
from qdepot.domain.framing import FrameDecoder
from qdepot.ports.compute_pool import Lane, Limits, Payload, Task


class Stage:
    """A crew and what happens to it."""

    def __init__(self, size=1):
        self.crew = Crew(size=size)
        self.numbers = iter(range(1, 1000))

    def child(self, *, ready=True):
        ours, theirs = socket.socketpair()
        theirs.close()
        decoder = FrameDecoder(max_body_bytes=0)
        child = ChildLink(number=next(self.numbers), lane=Lane.RUN, channel=ours, decoder=decoder)
        self.crew.children[child.number] = child
        if ready:
            child.started(resident_bytes=1)
        return child

    def order(self, owner, memory_bytes=1000):
        task = Task(operation="echo", payload=Payload(), owner=owner, limits=Limits(memory_bytes=memory_bytes))
        order = Order.of(task, number=next(self.numbers), handle=Handle(on_cancel=lambda: None))
        self.crew.queue.add(owner, order.number, order)
        return order

    def match(self, now=0.0):
        """Have all that can start started; returns who got what."""
        matched = []
        for order, child in self.crew.matches(now):
            child.give(order, now=now)
            matched.append((order.owner, child.number))
        return matched


@pytest.fixture
def stage():
    stages = []

    def make(size=1):
        stages.append(Stage(size))
        return stages[-1]

    yield make
    for made in stages:
        for child in made.crew.children.values():
            child.close()


def test_no_more_work_at_once_than_the_size_allows(stage):
    it = stage(size=2)
    children = [it.child() for _ in range(3)]
    for _ in range(3):
        it.order("ada")
    assert it.match() == [("ada", children[0].number), ("ada", children[1].number)]


def test_an_owner_gets_the_child_that_served_him_before(stage):
    it = stage()
    first, _ = it.child(), it.child()
    it.order("ada")
    it.match()
    first.answered(resident_bytes=1)
    it.order("ada")
    assert it.match() == [("ada", first.number)]


@pytest.mark.parametrize(("owner", "memory_bytes"), [("bob", 1000), ("ada", 1001)])
def test_another_owner_or_limit_gets_a_fresh_child(stage, owner, memory_bytes):
    it = stage()
    first, second = it.child(), it.child()
    it.order("ada")
    it.match()
    first.answered(resident_bytes=1)
    it.order(owner, memory_bytes)
    assert it.match() == [(owner, second.number)]


def test_nothing_starts_while_only_others_children_are_there(stage):
    it = stage()
    first, _ = it.child(), it.child(ready=False)
    it.order("ada")
    it.match()
    first.answered(resident_bytes=1)
    it.order("bob")
    assert it.match() == []


def test_an_owner_goes_on_within_a_turn_rather_than_cost_a_fork_each_time(stage):
    it = stage()
    first, second = it.child(), it.child()
    for owner in ("ada", "ada", "ada", "bob"):
        it.order(owner)
    it.match(now=0.0)
    first.answered(resident_bytes=1)
    assert it.match(now=0.01) == [("ada", first.number)]
    first.answered(resident_bytes=1)
    assert it.match(now=0.06) == [("bob", second.number)]


def test_owners_with_a_child_each_take_turns_task_by_task(stage):
    it = stage(size=2)
    children = {owner: it.child() for owner in ("ada", "bob")}
    for owner in ("ada", "bob"):
        it.order(owner)
    it.match()
    for _ in range(2):
        for owner in ("ada", "bob"):
            it.order(owner)
    it.crew.size = 1
    served = []
    for child in children.values():
        child.answered(resident_bytes=1)
    for _ in range(4):
        ((owner, number),) = it.match(now=0.01)
        served.append(owner)
        it.crew.children[number].answered(resident_bytes=1)
    assert served == ["ada", "bob", "ada", "bob"]


def test_one_fresh_child_is_kept_even_if_nobody_waits(stage):
    it = stage()
    assert it.crew.missing() == 1
    it.child(ready=False)
    assert it.crew.missing() == 0


def test_as_many_are_forked_as_can_be_used_at_once(stage):
    it = stage(size=3)
    for _ in range(10):
        it.order("ada")
    assert it.crew.missing() == 3
    it.child()
    it.match()
    assert it.crew.missing() == 2


def test_who_was_not_used_for_longest_is_let_go(stage):
    it = stage()
    children = [it.child() for _ in range(4)]
    for owner in ("ada", "bob", "cyd"):
        it.order(owner)
        ((_, number),) = it.match(now=float(len(owner)))
        it.crew.children[number].answered(resident_bytes=1)
    it.order("ada")
    it.match()
    children[0].answered(resident_bytes=1)
    assert it.crew.surplus() == [children[1]]


def test_after_a_failed_fork_the_wait_grows_and_ends(stage):
    crew = stage().crew
    crew.stale = False
    waits = []
    for _ in range(10):
        crew.fork_failed(now=100.0)
        waits.append(crew.fork_at - 100.0)
        assert crew.missing() == 0
    assert waits == sorted(waits)
    assert waits[-1] == 5.0
    crew.look_at_clock(104.9)
    assert not crew.stale
    crew.look_at_clock(105.0)
    assert (crew.stale, crew.fork_at, crew.missing()) == (True, math.inf, 1)
    crew.fork_succeeded()
    crew.fork_failed(now=200.0)
    assert crew.fork_at - 200.0 == waits[0]


def test_an_owner_of_whom_nothing_is_worked_on_becomes_a_guest_after_a_second(stage):
    it = stage(size=2)
    for _ in range(4):
        it.child()
    for _ in range(3):
        it.order("ada")
    it.order("bob")
    assert [owner for owner, _ in it.match(now=0.0)] == ["ada", "bob"]
    it.order("cyd")
    assert it.match(now=0.9) == []
    assert it.crew.guest_at == 1.0
    assert [owner for owner, _ in it.match(now=1.0)] == ["cyd"]
    assert it.crew.guest_at == math.inf


def test_nobody_is_his_own_guest(stage):
    it = stage()
    for _ in range(3):
        it.child()
    for _ in range(2):
        it.order("ada")
    assert [owner for owner, _ in it.match(now=0.0)] == ["ada"]
    assert it.match(now=100.0) == []


def test_there_are_no_more_guests_than_places(stage):
    it = stage()
    for _ in range(4):
        it.child()
    for owner in ("ada", "bob", "cyd"):
        it.order(owner)
    assert [owner for now in (0.0, 10.0, 20.0, 30.0) for owner, _ in it.match(now=now)] == ["ada", "bob"]


def test_the_clock_tells_when_a_guest_may_come(stage):
    it = stage()
    it.child()
    it.child()
    it.order("ada")
    it.order("bob")
    it.match(now=0.0)
    it.crew.stale = False
    it.crew.look_at_clock(0.5)
    assert not it.crew.stale
    it.crew.look_at_clock(1.0)
    assert it.crew.stale
