"""Jobs are removed."""

from __future__ import annotations

import pytest

from qdepot.domain.job import JobStatus
from qdepot.errors import ConflictError, GoneError, NotFoundError
from qdepot.ports.ledger import JobExistsError, JobFilter, Ledger
from qdepot.testing.jobs import MADE_AT, job_id_of, make_final_job, make_job, relabelled
from qdepot.testing.ledger.fixtures import LEASE_S, LedgerFixtures, add


class Deleting(LedgerFixtures):
    """``delete``."""

    def test_a_deleted_job_leaves_a_tombstone_and_nothing_else(self, ledger: Ledger) -> None:
        job = make_final_job(1, tags=("x",), idempotency_key_sha256="k")
        add(ledger, job)
        assert ledger.delete(job, at=MADE_AT)
        with pytest.raises(GoneError, match="2030-01-01"):
            ledger.get(job.id)
        assert ledger.get_many([job.id]) == {}
        assert ledger.events(job.id) == []
        assert ledger.page(JobFilter(), limit=9).jobs == ()
        assert ledger.page(JobFilter(tag="x"), limit=9).jobs == ()
        assert ledger.counts()[JobStatus.COMPLETED] == 0
        assert ledger.find_by_idempotency_key(project="default", owner="local", key_sha256="k") is None
        assert job.next_duty is not None
        assert ledger.claim(job.next_duty, holder="ann", lease_s=LEASE_S, limit=1) == []

    def test_to_another_project_a_deleted_job_is_as_one_that_never_was(self, ledger: Ledger) -> None:
        job = make_final_job(1, project="mine")
        add(ledger, job)
        ledger.delete(job, at=MADE_AT)
        with pytest.raises(GoneError):
            ledger.get(job.id, project="mine")
        with pytest.raises(NotFoundError) as caught:
            ledger.get(job.id, project="theirs")
        with pytest.raises(NotFoundError) as unknown:
            ledger.get(job_id_of(2), project="theirs")
        assert caught.value.message.replace(job.id, "") == unknown.value.message.replace(job_id_of(2), "")

    def test_a_job_that_has_not_ended_is_not_deleted(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        with pytest.raises(ConflictError):
            ledger.delete(job, at=MADE_AT)
        assert ledger.get(job.id) == job

    def test_a_job_that_changed_meanwhile_is_not_deleted(self, ledger: Ledger) -> None:
        job = make_final_job(1)
        add(ledger, job)
        ledger.save([job.edited(pending_removed=True)])
        assert not ledger.delete(job, at=MADE_AT)
        assert ledger.get(job.id).pending_removed

    def test_an_edit_does_not_keep_a_job_from_being_deleted(self, ledger: Ledger) -> None:
        job = make_final_job(1)
        add(ledger, job)
        ledger.save([relabelled(job, name="new", tags=("x",))])
        assert ledger.delete(job, at=MADE_AT)
        assert ledger.page(JobFilter(tag="x"), limit=1).jobs == ()

    def test_a_job_is_deleted_once(self, ledger: Ledger) -> None:
        job = make_final_job(1)
        add(ledger, job)
        assert ledger.delete(job, at=MADE_AT)
        assert not ledger.delete(job, at=MADE_AT)
        assert not ledger.delete(make_final_job(2), at=MADE_AT)

    def test_a_deleted_id_is_never_given_again(self, ledger: Ledger) -> None:
        job = make_final_job(1)
        add(ledger, job)
        ledger.delete(job, at=MADE_AT)
        with pytest.raises(JobExistsError) as caught:
            add(ledger, make_job(2), make_job(1))
        assert caught.value.details["job_id"] == job.id
        assert ledger.get_many([make_job(2).id]) == {}

    def test_the_key_of_a_deleted_job_is_free_again(self, ledger: Ledger) -> None:
        job = make_final_job(1, idempotency_key_sha256="k")
        add(ledger, job)
        ledger.delete(job, at=MADE_AT)
        add(ledger, make_job(2, idempotency_key_sha256="k"))

    def test_a_save_after_the_deletion_loses(self, ledger: Ledger) -> None:
        job = make_final_job(1)
        add(ledger, job)
        ledger.delete(job, at=MADE_AT)
        assert ledger.save([job.edited(pending_removed=True)]) == [False]

    def test_others_keep_what_they_have(self, ledger: Ledger) -> None:
        jobs = [make_final_job(number, tags=("x",)) for number in (1, 2)]
        add(ledger, *jobs)
        ledger.delete(jobs[0], at=MADE_AT)
        assert ledger.page(JobFilter(tag="x"), limit=9).jobs == (jobs[1],)
        assert len(ledger.events(jobs[1].id)) == 1
