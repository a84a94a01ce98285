"""A store that fails, and what it is asked for."""

from __future__ import annotations

import gc
from collections import Counter
from dataclasses import replace

import pytest

from qdepot.adapters.object_stores.memory import MemoryStore
from qdepot.archive import Archive, Completion
from qdepot.domain.job import JobStatus
from qdepot.domain.result import Outcome
from qdepot.errors import ArchiveDamagedError, UnavailableError
from qdepot.testing.faulty_store import FaultyStore, Moment


@pytest.fixture
def archive():
    return Archive(pending=FaultyStore(MemoryStore()), completed=FaultyStore(MemoryStore()))


@pytest.mark.parametrize("moment", Moment)
def test_a_request_may_be_put_again_whenever_the_store_failed(archive, record, make_job, moment):
    archive.pending.fail_next("create", moment)
    with pytest.raises(UnavailableError):
        archive.put_request(record)
    stored = archive.put_request(record)
    assert stored.adopted is (moment is Moment.AFTER)
    assert archive.read_request(make_job(record, stored)) == record


@pytest.mark.parametrize("moment", Moment)
def test_a_batch_may_be_put_again_whenever_the_store_failed(archive, record, make_job, moment):
    archive.pending.fail_next("create", moment)
    with pytest.raises(UnavailableError):
        archive.put_requests("batch", [record])
    [stored] = archive.put_requests("batch", [record])
    assert archive.read_request(make_job(record, stored)) == record


@pytest.mark.parametrize("moment", Moment)
def test_a_job_may_be_completed_again_whenever_the_store_failed(archive, job, record, finish, moment):
    archive.completed.fail_next("create_many", moment)
    with pytest.raises(UnavailableError):
        finish(job, record)
    archive.verify(finish(job, record))


def test_a_large_job_may_be_completed_again_too(archive, job, record, finish):
    outcome = Outcome(document=b"{}", members={"raw/a.npy": bytes(9_000_000)})
    archive.completed.fail_next("create", Moment.AFTER)
    with pytest.raises(UnavailableError):
        finish(job, record, outcome=outcome)
    archive.verify(finish(job, record, outcome=outcome))


def test_no_file_stays_open_when_a_store_fails(archive, make_record, make_job):
    records = [make_record("small"), make_record("large")]
    outcomes = [Outcome(document=b"{}"), Outcome(document=b"{}", members={"raw/a.npy": bytes(9_000_000)})]
    end = {"status": JobStatus.COMPLETED, "failure": None, "ended_at": records[0].created_at, "events": []}
    completions = [
        Completion(job=make_job(record), request=record, outcome=outcome, **end)
        for record, outcome in zip(records, outcomes, strict=True)
    ]
    archive.completed.fail_next("create_many")
    with pytest.raises(UnavailableError):
        archive.complete_many(completions)
    gc.collect()  # a file that is still open would be warned of now, and a warning is an error
    assert all(not isinstance(it, ArchiveDamagedError) for it in archive.complete_many(completions))


def test_a_store_that_is_down_is_not_a_damaged_archive(archive, job, record, finish):
    done = finish(job, record)
    archive.completed.go_down()
    archive.pending.go_down()
    verbs = (archive.read_request, archive.open_result, archive.verify, archive.objects)
    for verb in verbs:
        with pytest.raises(UnavailableError):
            verb(done)


def test_a_small_job_is_two_writes_and_no_list(archive, job, record, finish):
    archive.read_request(job)
    done = finish(job, record)
    b"".join(archive.open_result(done))
    archive.remove_pending(done, shared_in_use=False)
    assert archive.pending.calls == Counter(create=1, get=1, delete=1)
    assert archive.completed.calls == Counter(create_many=1, get_range=1)


def test_a_job_elsewhere_adds_its_receipt(archive, job, record, finish):
    archive.put_receipt(job, provider_job_id="vendor-7")
    done = finish(replace(job, provider_job_id="vendor-7"), record, status=JobStatus.CANCELLED, outcome=None)
    archive.remove_pending(done, shared_in_use=False)
    assert archive.pending.calls == Counter(create=2, delete=1)
    assert list(archive.pending.scan()) == []
