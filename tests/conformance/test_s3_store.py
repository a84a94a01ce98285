"""The cloud store against a real S3 server."""

from __future__ import annotations

import hashlib
import random
import urllib.error
import urllib.request
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from qdepot.adapters.object_stores.cloud import CloudStore
from qdepot.archive import Archive, RequestRecord
from qdepot.domain.job import Job, JobStatus
from qdepot.domain.result import Outcome
from qdepot.ports.object_store import SignsUrls
from qdepot.testing.object_store import ObjectStoreConformance

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(s3_server):
    return CloudStore.open(s3_server.url(uuid.uuid4().hex), s3_server.options)


class TestS3Store(ObjectStoreConformance):
    @pytest.fixture
    def store(self, store):
        return store


def test_a_scan_begins_at_the_prefix_and_ends_behind_it(store):
    names = ["id", "id-1.z", "id.a", "id.b", "id/x", "id0", "ie", "ia"]
    store.create_many([(f"p/d/{name}", b"") for name in names if name != "id"])
    assert sorted(info.key for info in store.scan("p/d/id.")) == ["p/d/id.a", "p/d/id.b"]
    assert sorted(info.key for info in store.scan("p/d/i")) == sorted(f"p/d/{name}" for name in names if name != "id")


def test_two_prefixes_of_one_bucket_do_not_see_each_other(s3_server):
    first, second = (CloudStore.open(s3_server.url(uuid.uuid4().hex), s3_server.options) for _ in "12")
    first.create("k", b"1")
    second.create("k", b"2")
    assert (first.get("k"), second.get("k")) == (b"1", b"2")
    assert [info.key for info in first.scan()] == ["k"]


def test_an_address_is_enough_to_fetch_an_object_and_no_other(store):
    store.create_many([("d/mine", b"1"), ("d/other", b"2")])
    assert isinstance(store, SignsUrls)
    url = store.url_of("d/mine", valid_for=timedelta(minutes=1))
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"1"
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(url.replace("mine", "other"))
    refused.value.close()


def test_a_mapped_file_is_sent_from_its_position(store, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789" * 1000)
    with path.open("rb") as file:
        file.seek(9_995)
        assert store.create("part", file).size_bytes == 5
        file.seek(10_000)
        assert store.create("nothing", file).size_bytes == 0
    assert (store.get("part"), store.get("nothing")) == (b"56789", b"")


def test_an_archive_lives_in_two_prefixes_of_a_bucket(s3_server):
    body = b'{"program": {"kind": "sampler", "circuits": []}}'
    record = RequestRecord(
        job_id="id-1",
        project="lab",
        owner="ada",
        created_at=AT,
        backend="aer",
        request_sha256=hashlib.sha256(body).hexdigest(),
        body=body,
    )
    stores = (CloudStore.open(s3_server.url(f"{uuid.uuid4().hex}/{name}"), s3_server.options) for name in "pc")
    archive = Archive(**dict(zip(("pending", "completed"), stores, strict=True)))
    stored = archive.put_request(record)
    job = Job(
        id="id-1",
        project="lab",
        backend="aer",
        kind="sampler",
        created_at=AT,
        num_circuits=1,
        request_sha256=record.request_sha256,
        request_key=stored.key,
    )
    document = b'{"results": [%s]}' % (b"0123456789" * 100_000)
    outcome = Outcome(document=document, members={"raw/noise.npy": random.Random(7).randbytes(9_000_000)})
    end = {"status": JobStatus.COMPLETED, "failure": None, "ended_at": AT, "events": []}
    first = archive.complete(job, outcome=outcome, request=record, **end)
    assert archive.complete(job, outcome=outcome, request=record, **end) == replace(first, adopted=True)
    done = replace(job, status=first.status, ended_at=AT, result_sha256=first.sha256, result_key=first.key)
    archive.verify(done)
    assert b"".join(archive.open_result(done)) == document
    assert [entry["key"] for entry in archive.objects(done)] == [stored.key, first.key]
    archive.remove_pending(done, shared_in_use=False)
    archive.delete(done, shared_in_use=False)
    assert archive.objects(done) == []
