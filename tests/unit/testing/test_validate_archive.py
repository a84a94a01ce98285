from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.adapters.object_stores.memory import MemoryStore
from qdepot.archive import Archive, RequestRecord
from qdepot.domain.job import Job, JobStatus, Stage
from qdepot.domain.result import Outcome
from qdepot.testing.archive import archive_problems, validate_archive
from qdepot.testing.clock import FrozenClock
from qdepot.testing.jobs import accepted, job_id_of, relabelled

AT = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def ledger():
    return MemoryLedger(FrozenClock())


@pytest.fixture
def archive():
    return Archive(pending=MemoryStore(), completed=MemoryStore())


def record_of(number):
    body = b'{"number": %d}' % number
    return RequestRecord(
        job_id=job_id_of(number),
        project="default",
        owner="local",
        created_at=AT,
        backend="aer",
        request_sha256=hashlib.sha256(body).hexdigest(),
        body=body,
    )


def job_of(record, stored):
    return Job(
        id=record.job_id,
        backend="aer",
        kind="sampler",
        created_at=AT,
        num_circuits=1,
        request_sha256=record.request_sha256,
        request_key=stored.key,
        request_index=stored.index,
    )


@pytest.fixture
def waiting(archive, ledger):
    record = record_of(1)
    job = job_of(record, archive.put_request(record))
    ledger.add([accepted(job)])
    return job


@pytest.fixture
def done(archive, ledger):
    record = record_of(2)
    job = job_of(record, archive.put_request(record))
    ledger.add([accepted(job)])
    stored = archive.complete(
        job,
        status=JobStatus.CANCELLED,
        failure=None,
        ended_at=AT,
        outcome=Outcome(document=b"{}"),
        events=[],
        request=record,
    )
    change = job.moved_to(
        JobStatus.CANCELLED,
        Stage.DONE,
        at=AT,
        by="test",
        result_key=stored.key,
        result_sha256=stored.sha256,
        result_size_bytes=stored.result_size_bytes,
    )
    return saved(ledger, change)


@pytest.fixture
def story(waiting, done):
    return waiting, done


def saved(ledger, change):
    assert ledger.save([change]) == [True]
    return change.after


def clean(archive, ledger, job):
    archive.remove_pending(job, shared_in_use=False)
    return saved(ledger, job.edited(pending_removed=True))


def delete(archive, ledger, job):
    archive.put_tombstone(job, at=AT)
    assert ledger.delete(job, at=AT)
    archive.delete(job, shared_in_use=False)


def test_a_whole_story_has_no_problems(archive, ledger, waiting, done):
    change = relabelled(waiting, name="new", tags=("a",))
    archive.put_edit(change)
    saved(ledger, change)
    validate_archive(archive, ledger)
    done = clean(archive, ledger, done)
    validate_archive(archive, ledger)
    delete(archive, ledger, done)
    validate_archive(archive, ledger)


def lose_request(archive, ledger, waiting, done):
    archive.discard_request(waiting.request_key)


def lose_bundle(archive, ledger, waiting, done):
    archive.completed.delete([done.result_key])


def change_bundle(archive, ledger, waiting, done):
    archive.completed.replace(done.result_key, archive.completed.get(done.result_key)[:-1])


def forget_to_clean(archive, ledger, waiting, done):
    saved(ledger, done.edited(pending_removed=True))


def orphan_request(archive, ledger, waiting, done):
    archive.put_request(record_of(3))


def orphan_batch(archive, ledger, waiting, done):
    archive.put_requests("batch", [record_of(3)])


def orphan_bundle(archive, ledger, waiting, done):
    clean(archive, ledger, done)
    archive.completed.create(done.result_key.replace(done.id, job_id_of(9)), b"")


def deleted_in_part(archive, ledger, waiting, done):
    bundle = archive.completed.get(done.result_key)
    delete(archive, ledger, done)
    archive.completed.create(done.result_key, bundle)


def deleted_with_row(archive, ledger, waiting, done):
    archive.put_tombstone(done, at=AT)


def edit_without_note(archive, ledger, waiting, done):
    saved(ledger, relabelled(waiting, name="new"))


def retag_without_note(archive, ledger, waiting, done):
    saved(ledger, relabelled(waiting, tags=("new",)))


def wrong_size(archive, ledger, waiting, done):
    saved(ledger, done.edited(result_size_bytes=3))


def wrong_key(archive, ledger, waiting, done):
    saved(ledger, done.edited(result_key="elsewhere.zip"))


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lose_request, "pending"),
        (lose_bundle, "missing"),
        (change_bundle, "checksum"),
        (forget_to_clean, "noted as removed"),
        (orphan_request, "belongs to no job"),
        (orphan_batch, "no job needs it"),
        (orphan_bundle, "belongs to no job"),
        (deleted_in_part, "was deleted"),
        (deleted_with_row, "still has a row"),
        (edit_without_note, "name was edited"),
        (retag_without_note, "tags were edited"),
        (wrong_size, "3 bytes"),
        (wrong_key, "elsewhere"),
    ],
)
def test_each_broken_rule_is_told(archive, ledger, story, spoil, word):
    spoil(archive, ledger, *story)
    assert any(word in problem for problem in archive_problems(archive, ledger))
    with pytest.raises(AssertionError, match="contradict"):
        validate_archive(archive, ledger)
