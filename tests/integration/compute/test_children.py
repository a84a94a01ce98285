"""When a child is kept, and when it is replaced."""

from __future__ import annotations

import pytest

from qdepot.errors import InternalError, InvalidRequestError
from qdepot.ports.compute_pool import Limits
from qdepot.testing.compute_pool import ends, start
from support.processes import facts, wait_for_death


def test_one_owner_keeps_a_child(pool):
    assert len({facts(pool)["pid"] for _ in range(10)}) == 1


def test_a_refusal_does_not_cost_the_child(pool):
    before = facts(pool)["pid"]
    with pytest.raises(InvalidRequestError):
        ends(start(pool, "refuse"))
    assert facts(pool)["pid"] == before


def test_a_failure_costs_the_child(pool):
    before = facts(pool)["pid"]
    with pytest.raises(InternalError):
        ends(start(pool, "fail"))
    assert facts(pool)["pid"] != before
    wait_for_death(before)


def test_another_memory_limit_needs_another_child(pool):
    pids = {facts(pool, limits=Limits(memory_bytes=size))["pid"] for size in (2**28, 2**29)}
    assert len(pids) == 2


def test_two_owners_in_turn_keep_a_child_each(make_pool):
    pool = make_pool(size=1)
    seen = [(owner, facts(pool, owner=owner)["pid"]) for owner in ("ada", "bob") * 5]
    assert len(set(seen)) == 2


def test_a_child_of_an_owner_who_is_long_gone_is_let_go(make_pool):
    pool = make_pool(size=1)
    first = facts(pool, owner="owner 0")["pid"]
    for n in range(1, 5):
        facts(pool, owner=f"owner {n}")
    wait_for_death(first)


def test_a_child_is_replaced_after_so_many_tasks(make_pool):
    pool = make_pool(tasks_per_child=3)
    pids = [facts(pool)["pid"] for _ in range(7)]
    assert [len(set(pids[:3])), len(set(pids[3:6])), len(set(pids))] == [1, 1, 3]


def test_a_child_that_has_grown_is_replaced(make_pool):
    pool = make_pool(growth_bytes=2**25)
    before = facts(pool)["pid"]
    ends(start(pool, "allocate", {"bytes": 2**26, "keep": True}))
    assert facts(pool)["pid"] != before


def test_a_child_that_gave_back_what_it_took_is_kept(make_pool):
    pool = make_pool(growth_bytes=2**25)
    before = facts(pool)["pid"]
    ends(start(pool, "allocate", {"bytes": 2**26}))
    assert facts(pool)["pid"] == before
