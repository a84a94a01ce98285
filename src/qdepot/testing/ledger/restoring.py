"""Jobs come back that were there before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from qdepot.domain.event import JobEvent
from qdepot.domain.job import Job, JobStatus, Stage
from qdepot.errors import GoneError, NotFoundError
from qdepot.ports.ledger import JobExistsError, JobFilter, Ledger, Tombstone
from qdepot.testing.jobs import MADE_AT, accepted, ended, job_id_of, make_final_job, make_job, queued
from qdepot.testing.ledger.fixtures import LEASE_S, LedgerFixtures, add


def lived(number: int = 1, **fields: object) -> tuple[Job, Sequence[JobEvent]]:
    """A job that has ended, with its history."""
    job, first = accepted(make_job(number, **fields))
    sent = queued(job)
    end = ended(sent.after)
    assert sent.event is not None
    assert end.event is not None
    return end.after, [first, sent.event, end.event]


def _tombstone(number: int, *, project: str = "default", deleted_at: datetime = MADE_AT) -> Tombstone:
    return Tombstone(job_id=job_id_of(number), project=project, deleted_at=deleted_at)


class Restoring(LedgerFixtures):
    """``restore``, ``bury``."""

    def test_a_job_comes_back_with_its_whole_history(self, ledger: Ledger) -> None:
        ended_job, history = lived(1, tags=("x",), idempotency_key_sha256="k", name="bell")
        waiting, first = accepted(make_job(2))
        ledger.restore([(ended_job, history), (waiting, [first])])
        assert ledger.get(ended_job.id) == ended_job
        stored = ledger.events(ended_job.id)
        assert [replace(event, number=0) for event in stored] == list(history)
        assert [event.number for event in stored] == sorted({event.number for event in stored})
        assert ledger.page(JobFilter(tag="x"), limit=9).jobs == (ended_job,)
        found = ledger.find_by_idempotency_key(project="default", owner="local", key_sha256="k")
        assert found == ended_job
        assert ledger.counts()[JobStatus.COMPLETED] == 1

    def test_a_restored_job_goes_on_from_where_it_was(self, ledger: Ledger) -> None:
        job, first = accepted(make_job(1))
        sent = queued(job)
        assert sent.event is not None
        ledger.restore([(sent.after, [first, sent.event])])
        duty = sent.after.next_duty
        assert duty is not None
        assert ledger.claim(duty, holder="ann", lease_s=LEASE_S, limit=9) == [sent.after]
        running = sent.after.moved_to(JobStatus.RUNNING, Stage.RUNNING, at=MADE_AT, by="poller")
        assert ledger.save([running], holder="ann") == [True]
        assert len(ledger.events(job.id)) == 3

    def test_restoring_nothing_is_fine(self, ledger: Ledger) -> None:
        ledger.restore([])
        ledger.bury([])
        assert ledger.page(JobFilter(), limit=9).jobs == ()

    @pytest.mark.parametrize("taken", ["id", "key"])
    def test_all_come_back_or_none(self, ledger: Ledger, taken: str) -> None:
        add(ledger, make_job(1, idempotency_key_sha256="k"))
        clashing = lived(1) if taken == "id" else lived(3, idempotency_key_sha256="k")
        with pytest.raises(JobExistsError) as caught:
            ledger.restore([lived(2), clashing])
        assert caught.value.details["job_id"] == job_id_of(1)
        assert ledger.get_many([job_id_of(2), job_id_of(3)]) == {}
        assert ledger.events(job_id_of(2)) == []
        assert len(ledger.events(job_id_of(1))) == 1

    def test_a_buried_job_is_gone_and_its_id_is_never_given_again(self, ledger: Ledger) -> None:
        buried = job_id_of(1)
        ledger.bury([_tombstone(1)])
        with pytest.raises(GoneError, match="2030-01-01"):
            ledger.get(buried)
        with pytest.raises(JobExistsError):
            add(ledger, make_job(1))
        with pytest.raises(JobExistsError):
            ledger.restore([lived(1)])

    def test_a_tombstone_that_is_there_stays_as_it_is(self, ledger: Ledger) -> None:
        job = make_final_job(1)
        add(ledger, job)
        ledger.delete(job, at=MADE_AT)
        many = [_tombstone(number, deleted_at=MADE_AT + timedelta(days=400)) for number in range(1, 1501)]
        ledger.bury(many)
        ledger.bury(many)
        with pytest.raises(GoneError, match="2030-01-01"):
            ledger.get(job.id)
        with pytest.raises(GoneError, match="2031-02-05"):
            ledger.get(job_id_of(1500))

    def test_a_buried_job_is_gone_for_its_project_alone(self, ledger: Ledger) -> None:
        ledger.bury([_tombstone(1, project="mine")])
        with pytest.raises(GoneError):
            ledger.get(job_id_of(1), project="mine")
        with pytest.raises(NotFoundError):
            ledger.get(job_id_of(1), project="default")

    def test_a_job_that_is_there_is_not_buried(self, ledger: Ledger) -> None:
        add(ledger, make_job(1))
        with pytest.raises(JobExistsError) as caught:
            ledger.bury([_tombstone(2), _tombstone(1)])
        assert caught.value.details["job_id"] == job_id_of(1)
        assert ledger.get(job_id_of(1)) == make_job(1)
        add(ledger, make_job(2))
