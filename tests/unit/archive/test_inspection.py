from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from qdepot.domain.job import JobStatus
from qdepot.domain.result import Outcome
from qdepot.errors import ArchiveDamagedError
from qdepot.testing.jobs import relabelled


@pytest.fixture
def record(make_record):
    return make_record("id-1")


def test_a_waiting_job_has_its_request_alone(archive, job):
    content = archive.pending.get(job.request_key)
    assert archive.objects(job) == [
        {
            "area": "pending",
            "key": "lab/2026-01-31/id-1.request.json",
            "size_bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    ]


def test_a_job_of_a_batch_shows_the_shared_object(archive, make_record, make_job):
    record = make_record("a")
    [stored, _] = archive.put_requests("batch", [record, make_record("b")])
    [entry] = archive.objects(make_job(record, stored))
    assert (entry["key"], entry["size_bytes"], entry["sha256"]) == (stored.key, stored.size_bytes, stored.sha256)


def test_a_finished_job_shows_bundle_and_members(archive, job, record, finish):
    done = finish(job, record, outcome=Outcome(document=b"{}", members={"raw/a": b"1"}))
    archive.put_receipt(job, provider_job_id="vendor-7")
    archive.put_edit(relabelled(done, name="new"))
    objects = archive.objects(done)
    assert [entry["area"] for entry in objects] == ["pending", "pending", "completed", "completed"]
    bundle = objects[-1]
    assert (bundle["key"], bundle["sha256"]) == (done.result_key, done.result_sha256)
    assert [member["name"] for member in bundle["members"]] == ["request.json", "result.json", "raw/a"]
    assert bundle["members"][-1]["sha256"] == hashlib.sha256(b"1").hexdigest()


def test_a_whole_archive_is_verified(archive, job, record, finish):
    archive.verify(job)
    done = finish(job, record)
    archive.remove_pending(done, shared_in_use=False)
    archive.verify(done)


def test_a_missing_request_is_told(archive, job):
    archive.discard_request(job.request_key)
    with pytest.raises(ArchiveDamagedError):
        archive.verify(job)


def test_a_missing_bundle_is_told(archive, job, record, finish):
    done = finish(job, record)
    archive.completed.delete([done.result_key])
    with pytest.raises(ArchiveDamagedError, match="missing"):
        archive.verify(done)


@pytest.mark.parametrize("size", [10, 400_000])
def test_a_changed_byte_is_told(archive, job, record, finish, size):
    done = finish(job, record, outcome=Outcome(document=b"{}", members={"raw/a.npy": bytes(size)}))
    content = bytearray(archive.completed.get(done.result_key))
    content[-1] ^= 1
    archive.completed.replace(done.result_key, content)
    with pytest.raises(ArchiveDamagedError, match="checksum"):
        archive.verify(done)


@pytest.mark.parametrize(
    "change",
    [{"status": JobStatus.CANCELLED}, {"ended_at": datetime(2026, 3, 1, tzinfo=UTC)}, {"request_sha256": "0" * 64}],
)
def test_a_bundle_that_contradicts_its_row_is_told(archive, job, record, finish, change):
    done = finish(job, record)
    with pytest.raises(ArchiveDamagedError, match="another story"):
        archive.verify(replace(done, **change))


def test_a_bundle_with_a_file_too_many_is_told(archive, job, record, finish, tmp_path):
    done = finish(job, record)
    path = tmp_path / "bundle.zip"
    path.write_bytes(archive.completed.get(done.result_key))
    with zipfile.ZipFile(path, "a") as bundle:
        bundle.writestr("more.txt", "x")
    archive.completed.replace(done.result_key, path.read_bytes())
    with pytest.raises(ArchiveDamagedError, match="manifest"):
        archive.verify(replace(done, result_sha256=None))
