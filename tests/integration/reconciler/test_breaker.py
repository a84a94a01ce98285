"""A provider that does not answer is left in peace, and holds up nobody else."""

from __future__ import annotations

from datetime import timedelta

from qdepot.domain.job import JobStatus
from qdepot.errors import UnavailableError
from qdepot.services.breaker import OPENS_AFTER, Breaker
from qdepot.testing.clock import FrozenClock
from qdepot.testing.scripted import ScriptedProvider
from support.world import ME, World, order

AWAY = UnavailableError("the cloud does not answer")


def opened(clock: FrozenClock) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(OPENS_AFTER):
        assert breaker.allowance(10) == 10
        breaker.failed(AWAY)
    return breaker


def test_it_opens_after_some_failures_lets_one_call_try_and_closes_when_that_works():
    clock = FrozenClock()
    breaker = opened(clock)
    assert breaker.allowance(10) == 0
    clock.advance(5)
    assert breaker.allowance(10) == 1
    breaker.worked()
    assert breaker.allowance(10) == 10
    assert breaker.trouble() == ""


def test_each_failed_try_makes_the_pause_longer():
    clock = FrozenClock()
    breaker = opened(clock)
    clock.advance(5)
    breaker.failed(AWAY)
    clock.advance(14)
    assert breaker.allowance(10) == 0
    clock.advance(1)
    assert breaker.allowance(10) == 1


def test_a_provider_that_names_its_own_pause_gets_it():
    clock = FrozenClock()
    breaker = Breaker(clock)
    for _ in range(OPENS_AFTER):
        breaker.failed(UnavailableError("too many requests", retry_after_s=500))
    clock.advance(499)
    assert breaker.allowance(1) == 0


def test_it_says_what_is_wrong_since_when_and_when_it_tries_again():
    clock = FrozenClock()
    breaker = opened(clock)
    clock.advance(2)
    assert breaker.trouble() == ("the cloud does not answer, since 2030-01-01 12:00:00 UTC; it is asked again in 3 s")


def test_a_dead_cloud_is_called_seldom_however_many_jobs_wait_for_it(world: World):
    process = world.process()
    process.run_until_idle()
    jobs = [world.submit() for _ in range(100)]
    world.cloud.script.away = True
    before = sum(world.cloud.calls.values())
    world.bring_home(process, seconds=60)
    assert sum(world.cloud.calls.values()) - before < 20, "a hundred jobs are no reason to call a hundred times"
    told = world.jobs(backends=process.desk.backends).get(jobs[-1].id, caller=ME).why
    assert "scripted does not answer, since" in told
    assert "asked again in" in told
    world.cloud.script.away = False
    world.bring_home(process)
    assert {world.job(job).status for job in jobs} == {JobStatus.COMPLETED}
    assert len(world.cloud.submissions) == 100


def test_a_dead_cloud_does_not_slow_another(world: World):
    world.cloud.script.words = ("Queued",)
    other = ScriptedProvider(clock=world.clock, name="other", visibility_delay=timedelta(0))
    world.providers["other"] = other
    process = world.process()
    for _ in range(20):
        world.submit()
    process.run_until_idle()
    world.cloud.script.away = True
    lively = world.jobs().submit(order(backend="other_qpu"), caller=ME).job
    world.bring_home(process, seconds=10)
    assert world.job(lively).status is JobStatus.COMPLETED
