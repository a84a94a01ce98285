from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from qdepot.adapters.object_stores.memory import MemoryStore
from qdepot.archive import Archive, RequestRecord
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Job, JobStatus, Stage
from qdepot.domain.result import Outcome

CREATED = datetime(2026, 1, 31, 23, 59, 59, 5, tzinfo=UTC)
ENDED = datetime(2026, 2, 1, 0, 0, 1, tzinfo=UTC)
RESULT = b'{"results": [{"shots": 3, "counts": {"00": 2, "11": 1}}]}'


@pytest.fixture
def archive():
    return Archive(pending=MemoryStore(), completed=MemoryStore())


@pytest.fixture
def make_record():
    def make(job_id="0198c0de-0000-7000-8000-000000000001", *, body=None, **fields):
        if body is None:
            program = {
                "kind": "sampler",
                "shots": 3,
                "circuits": [{"format": "openqasm2", "source": "OPENQASM 2.0;\n"}],
            }
            body = json.dumps({"backend": "aer", "program": program}).encode()
        given = {"project": "lab", "owner": "ada", "created_at": CREATED, "backend": "aer", "name": "bell", **fields}
        return RequestRecord(job_id=job_id, body=body, request_sha256=hashlib.sha256(body).hexdigest(), **given)

    return make


@pytest.fixture
def make_job():
    def make(record, stored=None, **fields):
        job = Job(
            id=record.job_id,
            project=record.project,
            owner=record.owner,
            backend=record.backend,
            kind="sampler",
            created_at=record.created_at,
            num_circuits=1,
            name=record.name,
            tags=record.tags,
            request_sha256=record.request_sha256,
            request_key=stored.key if stored else "none",
            request_index=stored.index if stored else None,
        )
        return replace(job, **fields)

    return make


@pytest.fixture
def record(make_record):
    return make_record()


@pytest.fixture
def job(archive, record, make_job):
    return make_job(record, archive.put_request(record))


@pytest.fixture
def finish(archive):
    """End a job as COMPLETED (unless told otherwise); gives it as the ledger would then hold it."""

    def end(job, record, **fields):
        given = {
            "status": JobStatus.COMPLETED,
            "failure": None,
            "ended_at": ENDED,
            "outcome": Outcome(document=RESULT),
            "events": [JobEvent(job_id=job.id, at=ENDED, from_status="", to_status="CREATED", stage="waiting", by="x")],
            **fields,
        }
        stored = archive.complete(job, request=record, **given)
        return replace(
            job,
            status=stored.status,
            stage=Stage.DONE,
            failure=stored.failure,
            ended_at=stored.ended_at,
            result_key=stored.key,
            result_sha256=stored.sha256,
            result_size_bytes=stored.result_size_bytes,
        )

    return end
