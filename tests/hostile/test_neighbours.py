"""What one owner's hostile programs take away from another's: their fair share, and no more."""

from __future__ import annotations

import pytest

from hostile import corpus
from qdepot.adapters.compute.processes import PoolOptions, ProcessPool
from qdepot.errors import QDepotError, ResourceLimitError, TaskCancelledError
from qdepot.ports.compute_pool import Lane, Limits, Payload, Task
from qdepot.testing.compute_pool import ends, wait_until

PLACES = 2
BACKLOG = 20
LIMIT_S = 0.3
BELL = corpus.Hostile("bell", "openqasm2", corpus.BELL2.encode())
SHORT = [each for each in corpus.texts() if len(each.source) < 100_000]


@pytest.fixture(scope="module")
def pool():
    with ProcessPool(PoolOptions(children={Lane.CHECK: 1, Lane.RUN: PLACES})) as pool:
        wait_until(lambda: all(pool.ready(lane) for lane in Lane))
        yield pool


def task(operation, hostile, *, owner, time_s=600.0):
    meta = {
        "kind": "sampler",
        "shots": 100,
        "circuits": [{"format": hostile.format, "part": "circuit/0"}],
        "options": {"seed": 1},
        "backend": {"name": "aer", "method": "automatic", "max_shots": 10_000_000},
        "threads": 1,
        "memory_mb": 400,
    }
    lane = Lane.CHECK if operation == "check" else Lane.RUN
    payload = Payload(meta=meta, parts={"circuit/0": hostile.source})
    return Task(operation=operation, payload=payload, lane=lane, owner=owner, limits=Limits(time_s=time_s))


def named(name):
    return next(each for each in corpus.texts() if each.name == name)


def code_of(handle):
    """Of the error that a task ends with; None if it ends well."""
    try:
        ends(handle)
    except QDepotError as error:
        return error.code
    return None


def test_endless_programs_of_one_owner_do_not_hold_up_another(pool):
    endless = named("while a bit is 0")
    slow = named("a sum of 100,000 terms")
    attack = [pool.submit(task("simulate", endless, owner="mallory")) for _ in range(20)]
    attack += [pool.submit(task("check", slow, owner="mallory")) for _ in range(20)]
    wait_until(lambda: sum(handle.started for handle in attack) >= 3)
    for operation in ("check", "simulate"):
        ends(pool.submit(task(operation, BELL, owner="ada")))
    assert not any(handle.done for handle in attack[:20])
    assert sum(handle.started for handle in attack) <= 3 + 20  # the checks may have ended; no simulation has
    for handle in attack:
        handle.cancel()
    for handle in attack[:20]:
        with pytest.raises(TaskCancelledError):
            ends(handle)


@pytest.mark.parametrize("name", ["while a bit is 0", "a while loop in a while loop"])
def test_what_does_not_end_is_ended_at_its_limit(pool, name):
    with pytest.raises(ResourceLimitError) as caught:
        ends(pool.submit(task("simulate", named(name), owner="mallory", time_s=0.5)))
    assert caught.value.details == {"time_s": 0.5}


@pytest.mark.parametrize("hostile", SHORT, ids=lambda each: f"{each.format}: {each.name}")
def test_no_text_takes_more_than_its_owners_turns_from_a_bell_pair(pool, hostile):
    """A backlog of one text fills all places; the other owner's turn comes long before it is worked off."""
    attack = [pool.submit(task("simulate", hostile, owner="mallory", time_s=LIMIT_S)) for _ in range(BACKLOG)]
    wait_until(lambda: sum(handle.started for handle in attack) >= PLACES)
    bell = pool.submit(task("simulate", BELL, owner="ada"))
    wait_until(lambda: bell.started)
    taken_s = sum(handle.run_s for handle in attack)
    for handle in attack[1:]:
        handle.cancel()
    assert b'"00"' in bytes(ends(bell).parts["result.json"])
    assert code_of(attack[0]) != "internal_error"
    assert taken_s < BACKLOG * LIMIT_S / 2
