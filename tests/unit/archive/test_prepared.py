from __future__ import annotations

import json
from dataclasses import replace

import pytest

from qdepot.archive import layout
from qdepot.archive.prepared import read_prepared
from qdepot.errors import ArchiveDamagedError


@pytest.fixture
def record(make_record):
    return make_record("id-1")


@pytest.fixture
def job(archive, record, make_job):
    return make_job(record, archive.put_request(record), summary={"num_qubits": 2}, options={"seed": 1})


def keys(store):
    return sorted(info.key for info in store.scan())


def test_what_is_about_to_be_sent_is_noted_for_each_attempt(archive, job):
    archive.put_prepared(job, tag="id-1.1")
    archive.put_prepared(replace(job, attempt=2), tag="id-1.2")
    noted = [json.loads(archive.pending.get(layout.prepared_key(job, attempt=it))) for it in (1, 2)]
    assert [it["tag"] for it in noted] == ["id-1.1", "id-1.2"]
    assert noted[0]["request_sha256"] == job.request_sha256
    assert noted[0]["options"] == {"seed": 1}
    second = read_prepared(archive.pending, layout.prepared_key(job, attempt=2))
    assert (second.job_id, second.attempt, second.summary) == ("id-1", 2, {"num_qubits": 2})


def test_a_repeat_changes_nothing_even_if_more_is_known_by_then(archive, job):
    assert archive.put_prepared(job, tag="id-1.1")
    before = archive.pending.get(layout.prepared_key(job))
    assert not archive.put_prepared(replace(job, summary=None), tag="id-1.1")
    assert archive.pending.get(layout.prepared_key(job)) == before


def test_something_else_under_the_same_attempt_is_told(archive, job):
    archive.put_prepared(job, tag="id-1.1")
    with pytest.raises(ArchiveDamagedError, match="something else than attempt 1"):
        archive.put_prepared(job, tag="another")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"format": "qdepot-prepared/1"}', b'{"format": "other/1"}'])
def test_a_note_that_is_not_what_was_written_is_damaged(archive, job, content):
    archive.pending.create(layout.prepared_key(job), content)
    with pytest.raises(ArchiveDamagedError):
        read_prepared(archive.pending, layout.prepared_key(job))


def test_the_notes_of_all_attempts_go_with_the_request(archive, job):
    for attempt in (1, 2):
        archive.put_prepared(replace(job, attempt=attempt), tag=f"id-1.{attempt}")
    archive.remove_pending(replace(job, attempt=2), shared_in_use=False)
    assert keys(archive.pending) == []
