"""However large a result is, neither storing nor reading it takes its size in memory."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from qdepot.adapters.object_stores.local import LocalStore
from qdepot.archive import Archive, RequestRecord
from qdepot.domain.job import Job, JobStatus
from qdepot.domain.result import Outcome

AT = datetime(2026, 1, 1, tzinfo=UTC)
SIZE = 50_000_000
ALLOWED = 8_000_000
BODY = b"{}"
SHA = hashlib.sha256(BODY).hexdigest()
RECORD = RequestRecord(
    job_id="big", project="lab", owner="ada", created_at=AT, backend="aer", request_sha256=SHA, body=BODY
)
JOB = Job(
    id="big",
    project="lab",
    backend="aer",
    kind="sampler",
    created_at=AT,
    num_circuits=1,
    request_sha256=SHA,
    request_key="none",
)


@pytest.fixture
def archive(tmp_path):
    return Archive(pending=LocalStore(tmp_path / "pending"), completed=LocalStore(tmp_path / "completed"))


@contextmanager
def little_memory():
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < ALLOWED
    finally:
        tracemalloc.stop()


def stored(archive, outcome):
    end = {"status": JobStatus.COMPLETED, "failure": None, "ended_at": AT, "events": []}
    return archive.complete(JOB, outcome=outcome, request=RECORD, **end)


def test_a_large_result_is_stored_and_read_in_little_memory(archive):
    document = b'{"results": [%s]}' % (b"0123456789" * (SIZE // 10))
    digest = hashlib.sha256()
    with little_memory():
        stored(archive, Outcome(document=memoryview(document)))
        for piece in archive.open_result(JOB):
            digest.update(piece)
    assert digest.digest() == hashlib.sha256(document).digest()


def test_large_arrays_are_stored_and_read_in_little_memory(archive, tmp_path):
    array = np.random.default_rng(7).integers(0, 256, (SIZE // 4, 4), dtype=np.uint8)
    file = io.BytesIO()
    np.save(file, array)
    content = file.getvalue()
    path = tmp_path / "arrays.npz"
    with little_memory(), path.open("wb") as target:
        stored(archive, Outcome(document=b"{}", members={"memory/0/c.npy": content}))
        target.writelines(archive.open_arrays(JOB))
    with np.load(path, allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["memory/0/c"], array)


def test_large_parts_become_one_result_in_little_memory(archive):
    document = b'{"results": [%s]}' % (b"0123456789" * (SIZE // 20))
    digest = hashlib.sha256()
    job = replace(JOB, num_circuits=3)
    with little_memory():
        for _ in range(2):
            part = archive.put_part(job, [Outcome(document=memoryview(document), members={"raw/x": b"1"})], count=1)
            job = replace(job, parts=part.number, circuits_done=part.behind)
        stored(archive, archive.gathered(job, [Outcome(document=b'{"results": []}')]))
        for piece in archive.open_result(JOB):
            digest.update(piece)
    entries = document[len(b'{"results": [') : -2]
    assert digest.digest() == hashlib.sha256(b'{"results":[%s,%s]}' % (entries, entries)).digest()
