"""Who may act on a job."""

from __future__ import annotations

from datetime import timedelta

import pytest

from qdepot.domain.job import Duty, Job, JobStatus, Stage
from qdepot.ports.ledger import Ledger
from qdepot.testing.clock import FrozenClock
from qdepot.testing.jobs import MADE_AT, ended, job_id_of, make_final_job, make_job, queued
from qdepot.testing.ledger.fixtures import LEASE_S, LedgerFixtures, add

ANN, BOB = "ann", "bob"


def claim(
    ledger: Ledger, holder: str = ANN, *, duty: Duty = Duty.PREPARE, limit: int = 10, lease_s: float = LEASE_S
) -> list[Job]:
    """Claim without further conditions."""
    return ledger.claim(duty, holder=holder, lease_s=lease_s, limit=limit)


class Leasing(LedgerFixtures):
    """``claim``, ``renew``, ``release``."""

    def test_a_claim_gives_the_job_as_it_is(self, ledger: Ledger) -> None:
        add(ledger, make_job(1))
        assert claim(ledger) == [make_job(1)]

    def test_a_claimed_job_is_not_given_to_another(self, ledger: Ledger) -> None:
        add(ledger, make_job(1), make_job(2))
        assert len(claim(ledger, ANN, limit=1)) == 1
        assert [job.id for job in claim(ledger, BOB)] == [job_id_of(2)]

    def test_the_holder_may_claim_its_own_jobs_again(self, ledger: Ledger) -> None:
        add(ledger, make_job(1), make_job(2))
        claim(ledger, ANN, limit=1)
        assert [job.id for job in claim(ledger, ANN)] == [job_id_of(1), job_id_of(2)]

    def test_no_more_than_the_limit_are_taken(self, ledger: Ledger) -> None:
        add(ledger, *(make_job(number) for number in range(1, 8)))
        assert len(claim(ledger, ANN, limit=3)) == 3
        assert len(claim(ledger, BOB, limit=10)) == 4
        assert claim(ledger, BOB, limit=0) == []

    def test_higher_priority_goes_first_then_the_older(self, ledger: Ledger) -> None:
        second = timedelta(seconds=1)
        add(
            ledger,
            make_job(1, created_at=MADE_AT + 2 * second),
            make_job(2, priority=-1, created_at=MADE_AT - second),
            make_job(3, priority=5, created_at=MADE_AT + 9 * second),
            make_job(5),
            make_job(4),
        )
        order = [job_id_of(number) for number in (3, 4, 5, 1, 2)]
        taken = [claim(ledger, f"holder-{place}", limit=1)[0].id for place in range(5)]
        assert taken == order

    def test_a_batch_comes_in_the_same_order(self, ledger: Ledger) -> None:
        add(ledger, make_job(2), make_job(3, priority=1), make_job(1))
        assert [job.id for job in claim(ledger)] == [job_id_of(number) for number in (3, 1, 2)]

    @pytest.mark.parametrize(
        ("job", "duty"),
        [
            (make_job(1), Duty.PREPARE),
            (make_job(1, prepared=True), Duty.SUBMIT),
            (queued(make_job(1)).after, Duty.POLL),
            (make_job(1, stage=Stage.COLLECTING), Duty.COLLECT),
            (make_job(1, stage=Stage.HELD, cancel_requested=True), Duty.COLLECT),
            (make_final_job(1), Duty.CLEAN),
            (make_job(1, stage=Stage.HELD), None),
            (make_job(1, stage=Stage.IN_DOUBT, cancel_requested=True), None),
            (make_final_job(1, pending_removed=True), None),
        ],
        ids=["prepare", "submit", "poll", "collect", "held-cancel", "clean", "held", "in-doubt", "cleaned"],
    )
    def test_a_job_is_claimed_for_its_next_duty_only(self, ledger: Ledger, job: Job, duty: Duty | None) -> None:
        add(ledger, job)
        assert {each for each in Duty if claim(ledger, duty=each)} == ({duty} if duty else set())

    def test_backends_restrict_a_claim(self, ledger: Ledger) -> None:
        add(ledger, make_job(1, backend="a"), make_job(2, backend="b"), make_job(3, backend="c", priority=1))
        taken = ledger.claim(Duty.PREPARE, holder=ANN, lease_s=LEASE_S, limit=10, backends=["a", "c", "unknown"])
        assert [job.backend for job in taken] == ["c", "a"]
        assert ledger.claim(Duty.PREPARE, holder=ANN, lease_s=LEASE_S, limit=10, backends=[]) == []

    def test_named_jobs_are_claimed_and_no_others(self, ledger: Ledger) -> None:
        add(ledger, *(make_job(number) for number in range(1, 4)))
        named = [job_id_of(3), job_id_of(1), job_id_of(99)]
        taken = ledger.claim(Duty.PREPARE, holder=ANN, lease_s=LEASE_S, limit=10, job_ids=named)
        assert [job.id for job in taken] == [job_id_of(1), job_id_of(3)]
        assert ledger.claim(Duty.PREPARE, holder=ANN, lease_s=LEASE_S, limit=10, job_ids=[]) == []

    def test_named_jobs_are_claimed_before_they_are_due(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        ledger.save([queued(job, retry_in_s=60)])
        assert claim(ledger, duty=Duty.POLL) == []
        assert ledger.claim(Duty.POLL, holder=ANN, lease_s=LEASE_S, limit=1, job_ids=[job.id]) != []

    def test_named_jobs_of_another_holder_are_not_claimed(self, ledger: Ledger) -> None:
        add(ledger, make_job(1))
        claim(ledger, ANN)
        assert ledger.claim(Duty.PREPARE, holder=BOB, lease_s=LEASE_S, limit=1, job_ids=[job_id_of(1)]) == []

    def test_named_jobs_are_claimed_for_their_next_duty_and_backend_only(self, ledger: Ledger) -> None:
        add(ledger, make_job(1))
        for duty, backends in [(Duty.POLL, None), (Duty.PREPARE, ["other"])]:
            assert (
                ledger.claim(duty, holder=ANN, lease_s=LEASE_S, limit=1, job_ids=[job_id_of(1)], backends=backends)
                == []
            )

    def test_a_job_is_due_once_its_wait_is_over(self, ledger: Ledger, clock: FrozenClock) -> None:
        job = make_job(1)
        add(ledger, job)
        ledger.save([queued(job, retry_in_s=60)])
        clock.advance(59.5)
        assert claim(ledger, duty=Duty.POLL) == []
        clock.advance(0.5)
        assert len(claim(ledger, duty=Duty.POLL)) == 1

    def test_a_due_job_waits_for_its_turn_by_priority(self, ledger: Ledger, clock: FrozenClock) -> None:
        jobs = [make_job(1), make_job(2, priority=1), make_job(3, priority=2)]
        add(ledger, *jobs)
        ledger.save([queued(job, retry_in_s=wait) for job, wait in zip(jobs, (0, 10, 20), strict=True)])
        clock.advance(15)
        assert [job.id for job in claim(ledger, duty=Duty.POLL)] == [job_id_of(2), job_id_of(1)]

    def test_a_jump_of_the_time_of_day_changes_nothing(self, ledger: Ledger, clock: FrozenClock) -> None:
        add(ledger, make_job(1))
        claim(ledger, ANN)
        clock.set_now(clock.now() + timedelta(days=365))
        assert claim(ledger, BOB) == []
        clock.set_now(clock.now() - timedelta(days=730))
        assert ledger.renew([job_id_of(1)], holder=ANN, lease_s=LEASE_S) == {job_id_of(1)}

    def test_a_lapsed_lease_is_anybodys(self, ledger: Ledger, clock: FrozenClock) -> None:
        add(ledger, make_job(1))
        claim(ledger, ANN)
        clock.advance(LEASE_S - 0.1)
        assert claim(ledger, BOB) == []
        clock.advance(0.1)
        assert len(claim(ledger, BOB)) == 1
        assert claim(ledger, ANN) == []

    def test_a_wait_outlasts_a_lease(self, ledger: Ledger, clock: FrozenClock) -> None:
        job = make_job(1)
        add(ledger, job)
        ledger.save([queued(job, retry_in_s=60)])
        ledger.claim(Duty.POLL, holder=ANN, lease_s=LEASE_S, limit=1, job_ids=[job.id])
        clock.advance(LEASE_S)
        assert claim(ledger, BOB, duty=Duty.POLL) == []
        clock.advance(60 - LEASE_S)
        assert len(claim(ledger, BOB, duty=Duty.POLL)) == 1

    def test_the_holder_claims_its_own_job_only_when_due(self, ledger: Ledger, clock: FrozenClock) -> None:
        job = make_job(1)
        add(ledger, job)
        ledger.save([queued(job, retry_in_s=10)])
        ledger.claim(Duty.POLL, holder=ANN, lease_s=60, limit=1, job_ids=[job.id])
        assert claim(ledger, ANN, duty=Duty.POLL) == []
        clock.advance(10)
        assert len(claim(ledger, ANN, duty=Duty.POLL)) == 1
        assert claim(ledger, BOB, duty=Duty.POLL) == []

    def test_a_renewed_lease_lasts_from_now(self, ledger: Ledger, clock: FrozenClock) -> None:
        add(ledger, make_job(1))
        claim(ledger, ANN)
        clock.advance(10)
        assert ledger.renew([job_id_of(1)], holder=ANN, lease_s=LEASE_S) == {job_id_of(1)}
        clock.advance(LEASE_S - 0.1)
        assert claim(ledger, BOB) == []
        clock.advance(0.1)
        assert len(claim(ledger, BOB)) == 1

    def test_only_leases_that_one_still_has_are_renewed(self, ledger: Ledger, clock: FrozenClock) -> None:
        add(ledger, *(make_job(number) for number in range(1, 4)))
        claim(ledger, ANN, limit=1)
        clock.advance(LEASE_S)
        claim(ledger, ANN, limit=1)  # takes job 1 again
        claim(ledger, BOB, limit=1)  # takes job 2
        ids = [job_id_of(number) for number in (1, 2, 3, 99)]
        assert ledger.renew(ids, holder=ANN, lease_s=LEASE_S) == {job_id_of(1)}
        clock.advance(LEASE_S)
        assert ledger.renew(ids, holder=ANN, lease_s=LEASE_S) == set()

    def test_released_jobs_are_free_at_once(self, ledger: Ledger) -> None:
        add(ledger, *(make_job(number) for number in range(1, 4)))
        claim(ledger, ANN)
        assert ledger.release(holder=ANN, job_ids=[job_id_of(2), job_id_of(99)]) == 1
        assert [job.id for job in claim(ledger, BOB)] == [job_id_of(2)]
        assert ledger.release(holder=ANN) == 2
        assert len(claim(ledger, BOB)) == 3
        assert ledger.release(holder=ANN) == 0

    def test_a_release_leaves_the_wait(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        ledger.save([queued(job, retry_in_s=60)])
        ledger.claim(Duty.POLL, holder=ANN, lease_s=LEASE_S, limit=1, job_ids=[job.id])
        ledger.release(holder=ANN)
        assert claim(ledger, BOB, duty=Duty.POLL) == []

    def test_nobody_releases_what_another_holds(self, ledger: Ledger) -> None:
        add(ledger, make_job(1))
        claim(ledger, ANN)
        assert ledger.release(holder=BOB, job_ids=[job_id_of(1)]) == 0
        assert claim(ledger, BOB) == []

    def test_leases_that_have_lapsed_are_not_counted_as_released(self, ledger: Ledger, clock: FrozenClock) -> None:
        add(ledger, make_job(1))
        claim(ledger, ANN)
        clock.advance(LEASE_S)
        assert ledger.release(holder=ANN) == 0

    def test_a_claim_changes_no_version_and_no_history(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        claim(ledger, ANN)
        assert ledger.get(job.id).version == job.version
        assert len(ledger.events(job.id)) == 1
        assert ledger.save([ended(job, JobStatus.CANCELLED)]) == [True]
