from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from qdepot.errors import ArchiveDamagedError, ConflictError
from qdepot.ports.object_store import ObjectNotFoundError

NOW = datetime(2026, 2, 1, tzinfo=UTC)


@pytest.fixture
def record(make_record):
    return make_record("id-1")


def keys(store):
    return sorted(info.key for info in store.scan())


def edited(job, at=NOW, **changes):
    return job.relabelled(**{"name": job.name, "tags": job.tags, **changes}, at=at, by="ada", why="edited")


def test_a_receipt_is_read_back(archive, job):
    archive.put_receipt(job, provider_job_id="vendor-7")
    archive.put_receipt(job, provider_job_id="vendor-7")
    assert archive.read_receipt(job) == "vendor-7"
    assert "lab/2026-01-31/id-1.receipt-0001.json" in keys(archive.pending)


def test_a_second_id_for_one_attempt_is_told_and_not_stored(archive, job):
    archive.put_receipt(job, provider_job_id="vendor-7")
    with pytest.raises(ConflictError, match="vendor-7 and as vendor-8"):
        archive.put_receipt(job, provider_job_id="vendor-8")
    assert archive.read_receipt(job) == "vendor-7"


def test_each_attempt_has_a_receipt_of_its_own(archive, job):
    second = replace(job, attempt=2)
    archive.put_receipt(job, provider_job_id="vendor-7")
    with pytest.raises(ObjectNotFoundError):
        archive.read_receipt(second)
    archive.put_receipt(second, provider_job_id="vendor-8")
    assert [archive.read_receipt(it) for it in (job, second)] == ["vendor-7", "vendor-8"]


def test_receipts_of_all_attempts_go_with_the_pending_request(archive, job):
    second = replace(job, attempt=2, provider_job_id="vendor-8")
    archive.put_receipt(job, provider_job_id="vendor-7")
    archive.put_receipt(second, provider_job_id="vendor-8")
    archive.remove_pending(second, shared_in_use=False)
    assert keys(archive.pending) == []


def test_edits_apply_in_the_order_of_their_numbers(archive, job):
    archive.put_edit(edited(replace(job, version=11), name="late"))
    archive.put_edit(edited(replace(job, version=2), name="early", tags=("a",)))
    first, second = archive.read_edits(job)
    assert (first.version, first.name, first.tags) == (3, "early", ("a",))
    assert (second.version, second.name, second.tags) == (12, "late", None)


def test_of_racing_edits_neither_undoes_the_others_field(archive, job):
    archive.put_edit(edited(job, name="new"))
    archive.put_edit(edited(job, tags=("new",), at=NOW + timedelta(seconds=1)))
    assert [(edit.name, edit.tags) for edit in archive.read_edits(job)] == [("new", None), (None, ("new",))]


def test_an_edit_may_be_noted_again(archive, job):
    for _ in range(2):
        archive.put_edit(edited(job, name="new"))
    assert len(archive.read_edits(job)) == 1


def test_a_damaged_edit_is_told(archive, job):
    archive.put_edit(edited(job, name="new"))
    [key] = keys(archive.completed)
    for content in (b"", b"[]", b'{"format": "qdepot-edit/2"}', b'{"format": "qdepot-edit/1"}'):
        archive.completed.replace(key, content)
        with pytest.raises(ArchiveDamagedError):
            archive.read_edits(job)


def test_a_deleted_job_leaves_its_tombstone_alone(archive, job, record, finish):
    other = replace(record, job_id="id-10")
    archive.put_request(other)
    finish(replace(job, id="id-10"), other)
    done = finish(job, record)
    archive.put_edit(edited(done, name="new"))
    for at in (NOW, NOW + timedelta(days=1)):
        archive.put_tombstone(done, at=at)
        archive.delete(done, shared_in_use=False)
    assert keys(archive.completed) == ["lab/2026-01-31/id-1.tombstone.json", "lab/2026-01-31/id-10.zip"]
    assert keys(archive.pending) == ["lab/2026-01-31/id-10.request.json"]
    tombstone = json.loads(archive.completed.get("lab/2026-01-31/id-1.tombstone.json"))
    assert (tombstone["job_id"], tombstone["deleted_at"]) == ("id-1", "2026-02-01T00:00:00.000000Z")


@pytest.mark.parametrize("shared_in_use", [True, False])
def test_a_batch_stays_while_another_job_needs_it(archive, make_record, make_job, shared_in_use):
    records = [make_record("a"), make_record("b")]
    stored = archive.put_requests("batch", records)
    jobs = [make_job(record, it) for record, it in zip(records, stored, strict=True)]
    archive.remove_pending(jobs[0], shared_in_use=shared_in_use)
    assert keys(archive.pending) == (["lab/2026-01-31/batch.batch.json"] if shared_in_use else [])
    archive.delete(jobs[1], shared_in_use=False)
    assert keys(archive.pending) == []


def test_many_pending_requests_are_removed_at_once(archive, make_record, make_job):
    batch = archive.put_requests("batch", [make_record("a")])[0]
    jobs = [make_job(record, archive.put_request(record)) for record in map(make_record, "xyz")]
    jobs.append(make_job(make_record("a"), batch))
    archive.remove_pending_many(jobs, in_use={batch.key})
    assert keys(archive.pending) == [batch.key]
