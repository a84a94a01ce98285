from __future__ import annotations

import pytest

from qdepot.adapters.compute.dask.roster import Roster

NAME = "qdepot-station"


@pytest.fixture
def roster():
    return Roster(station=NAME, silence_s=10.0)


def told(*, seen=1.0, status="running", boot=None, ready=True):
    metrics = {} if boot is None else {NAME: {"boot": boot, "ready": ready}}
    return {"last_seen": seen, "status": status, "metrics": metrics}


def hire(roster, *addresses, slots=2, now=0.0):
    """Has workers join, and a station made on each; its boot is the address."""
    roster.update({address: told() for address in addresses}, now=now)
    for post in roster.to_ask(now=now):
        roster.hired(post, boot=post.address, slots=slots)


def reports(roster, *addresses, now=1.0, seen=2.0, **changes):
    """Takes in heartbeats that tell of the stations; the boots of those that are lost."""
    workers = {address: told(seen=seen, **{"boot": address, **changes}) for address in addresses}
    return [post.boot for post in roster.update(workers, now=now)]


def test_a_worker_gets_no_task_before_a_station_stands_on_it(roster):
    roster.update({"a": told()}, now=0.0)
    assert (roster.free(), roster.is_usable, roster.is_ready) == (None, False, False)
    [post] = roster.to_ask(now=0.0)
    roster.hired(post, boot="1", slots=1)
    assert roster.free() is post
    assert roster.to_ask(now=0.0) == []


def test_it_is_ready_once_a_station_tells_of_a_warm_child(roster):
    hire(roster, "a")
    reports(roster, "a", ready=False)
    assert (roster.is_usable, roster.is_ready) == (True, False)
    reports(roster, "a", ready=True)
    assert roster.is_ready


def test_a_worker_gets_as_many_tasks_as_it_has_places(roster):
    hire(roster, "a", slots=2)
    for _ in range(2):
        roster.free().busy += 1
    assert roster.free() is None


def test_its_places_are_those_of_the_workers_with_a_station(roster):
    assert roster.slots == 0
    hire(roster, "a", "b", slots=2)
    workers = {"a": told(boot="a", status="paused"), "b": told(boot="b"), "c": told()}
    roster.update(workers, now=1.0)
    assert roster.slots == 4, "c has no station yet, and a goes on with what it has"
    roster.update({"b": told(boot="b"), "c": told()}, now=2.0)
    assert roster.slots == 2
    roster.update({"b": told(boot="other")}, now=3.0)
    assert roster.slots == 0


def test_the_next_task_goes_where_most_is_free(roster):
    hire(roster, "a", "b", slots=4)
    reports(roster, "a", "b")
    roster.free().busy += 1
    assert [roster.free().address, roster.free().busy] == ["b", 0]


def test_a_worker_that_is_warm_comes_before_one_that_is_not(roster):
    hire(roster, "a", "b")
    roster.update({"a": told(boot="a", ready=False), "b": told(boot="b")}, now=1.0)
    roster.free().busy += 1
    assert roster.free().address == "b"


@pytest.mark.parametrize("status", ["paused", "closing_gracefully"])
def test_a_worker_that_is_paused_or_leaves_gets_no_task_and_keeps_those_it_has(roster, status):
    hire(roster, "a")
    assert reports(roster, "a", status=status) == []
    assert roster.free() is None


def test_a_worker_that_is_gone_is_lost_once(roster):
    hire(roster, "a", "b")
    assert reports(roster, "b") == ["a"]
    assert reports(roster, "b") == []


def test_a_worker_that_never_had_a_station_is_not_missed(roster):
    roster.update({"a": told()}, now=0.0)
    assert roster.update({}, now=1.0) == []


def test_another_process_at_the_same_address_is_another_worker(roster):
    hire(roster, "a")
    roster.free().busy += 1
    reports(roster, "a")
    assert reports(roster, "a", boot="other") == ["a"]
    [post] = roster.to_ask(now=1.0)
    assert (post.address, post.busy) == ("a", 0)


def test_a_process_that_knows_nothing_of_its_station_is_another_worker(roster):
    hire(roster, "a")
    reports(roster, "a")
    assert [post.boot for post in roster.update({"a": told(seen=3.0)}, now=2.0)] == ["a"]


def test_heartbeats_from_before_the_station_do_not_count_against_it(roster):
    hire(roster, "a")
    assert roster.update({"a": told(seen=2.0)}, now=1.0) == []
    assert roster.is_usable


def test_a_silent_worker_is_lost_and_asked_for_nothing_until_it_is_heard_of(roster):
    hire(roster, "a")
    assert reports(roster, "a", now=1.0) == []
    assert reports(roster, "a", now=10.9) == []
    assert reports(roster, "a", now=11.0) == ["a"]
    assert (roster.to_ask(now=11.0), roster.is_usable) == ([], False)
    reports(roster, "a", now=12.0, seen=3.0)
    assert [post.address for post in roster.to_ask(now=12.0)] == ["a"]


def test_a_worker_that_refuses_is_named_and_asked_again_later(roster):
    roster.update({"a": told()}, now=0.0)
    [post] = roster.to_ask(now=0.0)
    roster.refused(post, "has no qdepot", now=0.0)
    assert roster.complaint() == "a has no qdepot"
    assert roster.to_ask(now=1.0) == []
    roster.update({"a": told(seen=2.0)}, now=5.0)
    assert roster.to_ask(now=5.0) == [post]


def test_a_cluster_without_workers_says_so(roster):
    assert roster.complaint() == "it has no workers"
