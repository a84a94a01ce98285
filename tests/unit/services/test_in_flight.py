"""A project has no more jobs on their way than it may."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.errors import InvalidRequestError, QuotaExceededError
from qdepot.services.in_flight import InFlight
from qdepot.services.orders import ProjectLimits, SubmitLimits
from qdepot.testing.clock import FrozenClock
from qdepot.testing.jobs import accepted, ended, make_job, queued


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def ledger(clock):
    return MemoryLedger(clock)


@pytest.fixture
def in_flight(ledger, clock):
    return InFlight(ledger=ledger, clock=clock, limits=limits(3))


def limits(most, **special):
    return ProjectLimits(
        usual=SubmitLimits(max_jobs_in_flight=most),
        special={name: SubmitLimits(max_jobs_in_flight=other) for name, other in special.items()},
    )


def add(in_flight, ledger, *numbers, project="default"):
    with in_flight.room_for(len(numbers), project=project):
        ledger.add([accepted(make_job(number, project=project)) for number in numbers])


def test_there_is_room_up_to_the_limit_and_none_behind_it(in_flight, ledger):
    add(in_flight, ledger, 1, 2)
    add(in_flight, ledger, 3)
    with pytest.raises(QuotaExceededError, match=r"has 3 .* of 3 .*max_jobs_in_flight") as caught:
        add(in_flight, ledger, 4)
    assert caught.value.retry_after_s
    assert caught.value.details == {"limit": "max_jobs_in_flight", "value": 3}
    assert ledger.count_open("default") == 3


def test_a_batch_that_does_not_fit_takes_nothing(in_flight, ledger):
    add(in_flight, ledger, 1, 2)
    with pytest.raises(QuotaExceededError):
        add(in_flight, ledger, 3, 4)
    add(in_flight, ledger, 3)


def test_what_can_never_fit_is_told_so(in_flight, ledger):
    with pytest.raises(InvalidRequestError, match="4 jobs at once"):
        add(in_flight, ledger, 1, 2, 3, 4)


def test_a_job_that_ends_makes_room_at_once(in_flight, ledger):
    add(in_flight, ledger, 1, 2, 3)
    sent = queued(make_job(1))
    assert ledger.save([sent]) == [True]
    assert ledger.save([ended(sent.after)]) == [True]
    add(in_flight, ledger, 4)
    with pytest.raises(QuotaExceededError):
        add(in_flight, ledger, 5)


def test_what_fails_gives_its_room_back(in_flight, ledger):
    for _ in range(5):
        with pytest.raises(RuntimeError), in_flight.room_for(3, project="default"):
            raise RuntimeError("refused")
    add(in_flight, ledger, 1, 2, 3)


def test_projects_do_not_share_their_room(ledger, clock):
    in_flight = InFlight(ledger=ledger, clock=clock, limits=limits(1, large=2, free=None))
    add(in_flight, ledger, 1)
    add(in_flight, ledger, 2, 3, project="large")
    add(in_flight, ledger, *range(10, 30), project="free")
    for project in ("default", "large"):
        with pytest.raises(QuotaExceededError):
            add(in_flight, ledger, 40, project=project)


def test_what_others_let_in_is_heard_of_within_a_second(in_flight, ledger, clock):
    add(in_flight, ledger, 1)
    ledger.add([accepted(make_job(2))])
    clock.advance(1)
    add(in_flight, ledger, 3)
    with pytest.raises(QuotaExceededError):
        add(in_flight, ledger, 4)


def test_while_there_is_room_jobs_are_counted_once_a_second(clock):
    asked = []

    class Counting(MemoryLedger):
        def count_open(self, project):
            asked.append(project)
            return super().count_open(project)

    ledger = Counting(clock)
    in_flight = InFlight(ledger=ledger, clock=clock, limits=limits(1000))
    for number in range(100):
        add(in_flight, ledger, number)
    assert len(asked) == 1
    clock.advance(1)
    add(in_flight, ledger, 100)
    assert len(asked) == 2


def test_many_at_once_never_get_more_than_there_is(ledger, clock):
    in_flight = InFlight(ledger=ledger, clock=clock, limits=limits(20))
    together = threading.Barrier(8)

    def work(thread):
        together.wait(10)
        won = 0
        for number in range(20):
            try:
                add(in_flight, ledger, 100 * thread + number)
                won += 1
            except QuotaExceededError:
                clock.advance(0.3)
        return won

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 20
    assert ledger.count_open("default") == 20
