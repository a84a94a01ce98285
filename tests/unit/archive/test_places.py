from __future__ import annotations

import pytest

from qdepot.archive import layout
from qdepot.archive.places import Kind, place_of
from qdepot.archive.request_shelf import StoredRequest

JOB_ID = "0198c0de-0000-7000-8000-000000000001"


@pytest.fixture
def job(make_record, make_job):
    record = make_record(JOB_ID, project="a.project-1")
    key = layout.request_key(record.project, record.created_at, record.job_id)
    return make_job(record, StoredRequest(key=key, sha256="", size_bytes=0, created_at=record.created_at))


def test_every_key_leads_back_to_its_job(job):
    keys = {
        job.request_key: (Kind.REQUEST, 0),
        layout.prepared_key(job): (Kind.PREPARED, 1),
        layout.receipt_key(job, attempt=12345): (Kind.RECEIPT, 12345),
        layout.part_key(job, 7): (Kind.PART, 7),
        layout.bundle_key(job): (Kind.BUNDLE, 0),
        layout.edit_key(job, version=3, nonce="abc"): (Kind.EDIT, 3),
        layout.tombstone_key(job): (Kind.TOMBSTONE, 0),
    }
    for key, (kind, number) in keys.items():
        place = place_of(key)
        assert (place.key, place.kind, place.id, place.number) == (key, kind, JOB_ID, number)
    batch = place_of(layout.batch_key(job.project, job.created_at, "batch-1"))
    assert (batch.kind, batch.id) == (Kind.BATCH, "batch-1")


@pytest.mark.parametrize(
    "key",
    [
        "qdepot-check-17",
        f"{JOB_ID}.zip",
        f"lab/{JOB_ID}.zip",
        f"lab/2026-01-31/deeper/{JOB_ID}.zip",
        f"lab/2026-1-31/{JOB_ID}.zip",
        f"lab/2026-01-31/{JOB_ID}.zip.bak",
        f"lab/2026-01-31/{JOB_ID}.prepared-1.json",
        f"lab/2026-01-31/{JOB_ID}.prepared.zip",
        f".lab/2026-01-31/{JOB_ID}.zip",
        "lab/2026-01-31/.zip",
    ],
)
def test_what_is_none_of_ours_is_told(key):
    assert place_of(key).kind is Kind.OTHER


def test_a_check_of_the_store_is_told_from_what_is_not_ours():
    assert place_of("qdepot-check-20300101T120000Z-0a1b").kind is Kind.CHECK
