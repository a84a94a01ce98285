"""Many threads at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import TypeVar

from qdepot.domain.job import Duty, JobChange, JobStatus
from qdepot.ports.ledger import JobExistsError, Ledger
from qdepot.testing.jobs import MADE_AT, job_id_of, make_job, queued
from qdepot.testing.ledger.fixtures import LEASE_S, LedgerFixtures, add

THREADS = 16
T = TypeVar("T")


def at_once(work: Callable[[int], T]) -> list[T]:
    """Run ``work(0)`` ... ``work(15)`` in threads that start together."""
    gate = Barrier(THREADS)

    def run(number: int) -> T:
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


class Crowding(LedgerFixtures):
    """Sixteen threads on one ledger."""

    def test_all_jobs_that_were_added_at_once_are_there(self, ledger: Ledger) -> None:
        each = 25

        def work(thread: int) -> None:
            for number in range(each):
                add(ledger, make_job(thread * each + number + 1))

        at_once(work)
        assert ledger.counts()[JobStatus.CREATED] == THREADS * each

    def test_one_of_many_that_use_a_key_at_once_gets_it(self, ledger: Ledger) -> None:
        def work(thread: int) -> str:
            try:
                add(ledger, make_job(thread + 1, idempotency_key_sha256="k"))
            except JobExistsError as error:
                return str(error.details["job_id"])
            return job_id_of(thread + 1)

        winners = set(at_once(work))
        assert len(winners) == 1
        assert sum(ledger.counts().values()) == 1
        found = ledger.find_by_idempotency_key(project="default", owner="local", key_sha256="k")
        assert found is not None
        assert winners == {found.id}

    def test_each_job_is_claimed_by_exactly_one(self, ledger: Ledger) -> None:
        jobs = [make_job(number) for number in range(1, 401)]
        add(ledger, *jobs)

        def work(thread: int) -> list[str]:
            mine: list[str] = []
            while True:
                taken = ledger.claim(Duty.PREPARE, holder=f"holder-{thread}", lease_s=LEASE_S, limit=7)
                assert ledger.save([queued(job) for job in taken], holder=f"holder-{thread}") == [True] * len(taken)
                if not taken and ledger.counts()[JobStatus.CREATED] == 0:
                    return mine
                mine += [job.id for job in taken]

        claimed = Counter(job_id for mine in at_once(work) for job_id in mine)
        assert claimed == Counter(job.id for job in jobs)

    def test_of_many_writers_of_one_version_one_wins(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        for _ in range(10):
            seen = ledger.get(job.id)
            changes = [
                seen.edited(at=MADE_AT, by="test", why=str(thread), vendor_status=str(thread))
                for thread in range(THREADS)
            ]
            won = at_once(partial(_save_the_nth, ledger, changes))
            assert won.count([True]) == 1
            stored = ledger.get(job.id)
            assert stored.version == seen.version + 1
            assert ledger.events(job.id)[-1].why == stored.vendor_status


def _save_the_nth(ledger: Ledger, changes: Sequence[JobChange], number: int) -> list[bool]:
    return ledger.save([changes[number]])
