"""A thousand waiters cost one query a change, and no thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from qdepot.domain.caller import Caller
from qdepot.domain.job import Job
from qdepot.errors import UnavailableError
from qdepot.server.waiting import Waiters
from qdepot.testing.jobs import job_id_of, make_final_job, make_job

ME = Caller()
LONG = 60.0
"""Longer than any test runs: what ends in time was ended by something else."""


class Desk:
    """Jobs that can be looked at, and a count of the looks."""

    def __init__(self, *jobs: Job) -> None:
        self.jobs = {job.id: job for job in jobs}
        self.looks: list[tuple[list[str], Caller]] = []
        self.threads: set[int] = set()
        self.looked: Callable[[], None] = lambda: None
        self.error: Exception | None = None

    def get_many(self, job_ids, *, caller):
        self.looks.append((list(job_ids), caller))
        self.threads.add(threading.get_ident())
        found = {job_id: self.jobs[job_id] for job_id in job_ids if job_id in self.jobs}
        error = self.error
        self.looked()
        if error is not None:
            raise error
        return found


class Client:
    """Receives as ASGI does: the request, then nothing until it hangs up."""

    def __init__(self) -> None:
        self._gone = asyncio.Event()
        self._asked = False

    def hang_up(self) -> None:
        self._gone.set()

    async def receive(self):
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}


def waiting(waiters: Waiters, number: int, *, caller=ME, timeout_s=LONG, client=None, is_over=None) -> asyncio.Task:
    return asyncio.ensure_future(
        waiters.until(
            job_id_of(number),
            caller=caller,
            is_over=is_over or (lambda job: job.is_final),
            timeout_s=timeout_s,
            receive=(client or Client()).receive,
        )
    )


async def looks(desk: Desk, count: int) -> None:
    """Until the desk was looked at so often."""
    loop = asyncio.get_running_loop()
    seen = asyncio.Event()
    desk.looked = lambda: loop.call_soon_threadsafe(seen.set)
    while len(desk.looks) < count:
        seen.clear()
        if len(desk.looks) < count:
            await seen.wait()


def run(test) -> None:
    asyncio.run(asyncio.wait_for(test, 30))


def test_a_job_that_is_final_already_is_not_waited_for():
    async def scene():
        waiters = Waiters(Desk(make_final_job(1)).get_many)
        job = await waiting(waiters, 1)
        assert job is not None
        assert job.is_final
        assert len(waiters) == 0

    run(scene())


def test_a_waiter_is_woken_by_a_change_and_not_by_the_poll():
    async def scene():
        desk = Desk(make_job(1))
        waiters = Waiters(desk.get_many, poll_s=LONG)
        task = waiting(waiters, 1)
        await looks(desk, 1)
        desk.jobs[job_id_of(1)] = make_final_job(1)
        await asyncio.to_thread(waiters.wake)
        assert (await task).is_final
        assert len(desk.looks) == 2

    run(scene())


def test_a_change_that_nobody_told_of_is_seen_by_the_poll():
    async def scene():
        desk = Desk(make_job(1))
        waiters = Waiters(desk.get_many, poll_s=0.001, pause_s=0)
        task = waiting(waiters, 1)
        await looks(desk, 1)
        desk.jobs[job_id_of(1)] = make_final_job(1)
        assert (await task).is_final

    run(scene())


def test_a_thousand_waiters_cost_one_query_a_burst_of_changes():
    async def scene():
        desk = Desk(*(make_job(number) for number in range(1000)))
        waiters = Waiters(desk.get_many, poll_s=LONG)
        tasks = [waiting(waiters, number) for number in range(1000)]
        await looks(desk, 1)
        desk.jobs = {job_id_of(number): make_final_job(number) for number in range(1000)}
        for _ in range(1000):
            waiters.wake()
        await asyncio.gather(*tasks)
        assert [len(ids) for ids, _ in desk.looks] == [1000, 1000]

    run(scene())


def test_jobs_waited_for_twice_are_asked_for_once():
    async def scene():
        desk = Desk(make_final_job(1))
        waiters = Waiters(desk.get_many)
        await asyncio.gather(waiting(waiters, 1), waiting(waiters, 1))
        assert desk.looks == [([job_id_of(1)], ME)]

    run(scene())


def test_each_caller_is_looked_for_by_itself():
    async def scene():
        other = Caller(user="eve", project="elsewhere")
        desk = Desk(make_final_job(1), make_final_job(2))
        waiters = Waiters(desk.get_many)
        await asyncio.gather(waiting(waiters, 1), waiting(waiters, 2, caller=other))
        assert sorted(desk.looks, key=str) == sorted([([job_id_of(1)], ME), ([job_id_of(2)], other)], key=str)

    run(scene())


def test_a_wait_ends_with_what_was_last_seen_when_its_time_is_over():
    async def scene():
        waiters = Waiters(Desk(make_job(1)).get_many, poll_s=LONG)
        job = await waiting(waiters, 1, timeout_s=0.2)
        assert job is not None
        assert not job.is_final
        assert len(waiters) == 0

    run(scene())


def test_a_job_that_is_not_there_is_not_waited_for():
    async def scene():
        assert await waiting(Waiters(Desk().get_many), 1) is None

    run(scene())


def test_a_client_that_hangs_up_is_forgotten_at_once():
    async def scene():
        desk, client = Desk(make_job(1)), Client()
        waiters = Waiters(desk.get_many, poll_s=LONG)
        task = waiting(waiters, 1, client=client)
        await looks(desk, 1)
        client.hang_up()
        await task
        assert len(waiters) == 0

    run(scene())


def test_closing_sends_everybody_home_and_lets_nobody_in():
    async def scene():
        desk = Desk(make_job(1))
        waiters = Waiters(desk.get_many, poll_s=LONG)
        tasks = [waiting(waiters, 1) for _ in range(3)]
        await looks(desk, 1)
        waiters.close()
        await asyncio.gather(*tasks)
        assert await waiting(waiters, 1) is None

    run(scene())


@pytest.mark.parametrize("error", [UnavailableError("the ledger is away"), RuntimeError("a bug")])
def test_a_look_that_fails_is_repeated(error, caplog):
    async def scene():
        desk = Desk(make_final_job(1))
        desk.error = error
        waiters = Waiters(desk.get_many, poll_s=0.001, pause_s=0)
        task = waiting(waiters, 1)
        await looks(desk, 2)
        desk.error = None
        assert (await task).is_final

    run(scene())
    assert "waiters_not_served" in caplog.text


def test_waiting_takes_no_thread_but_for_looking():
    async def scene():
        desk = Desk(*(make_job(number) for number in range(200)))
        waiters = Waiters(desk.get_many, poll_s=LONG)
        before = threading.active_count()
        tasks = [waiting(waiters, number) for number in range(200)]
        await looks(desk, 1)
        assert threading.active_count() <= before + 1
        waiters.close()
        await asyncio.gather(*tasks)

    run(scene())


def test_nobody_looks_while_nobody_waits():
    async def scene():
        desk = Desk(make_final_job(1))
        before = asyncio.all_tasks()
        waiters = Waiters(desk.get_many, poll_s=LONG, pause_s=0)
        waiters.wake()
        await waiting(waiters, 1)
        while asyncio.all_tasks() != before:
            await asyncio.sleep(0)
        waiters.wake()
        assert len(desk.looks) == 1

    run(scene())


def test_a_change_between_a_look_and_the_next_wait_is_not_missed():
    async def scene():
        desk = Desk(make_job(1))
        waiters = Waiters(desk.get_many, poll_s=LONG, pause_s=0)

        def change_meanwhile():
            # The look has read the old state already, but not yet told it.
            desk.looked = lambda: None
            desk.jobs = {job_id_of(1): make_final_job(1)}
            waiters.wake()

        desk.looked = change_meanwhile
        assert (await waiting(waiters, 1)).is_final
        assert len(desk.looks) == 2

    run(scene())
