"""What docs/reference says about the archive is what is written."""

from __future__ import annotations

import contextlib
import io
import json
import re
import zipfile
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from qdepot.archive import layout
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Failure, JobStatus
from qdepot.domain.result import Outcome

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
PAGE = (REFERENCE / "archive-layout.md").read_text()
RESULT = {"results": [{"shots": 3, "registers": {"c": {"num_bits": 10, "counts": {"1000000001": 3}}}}]}


@pytest.fixture
def record(make_record):
    return make_record(tags=("a",), options={"seed": 1}, idempotency_key_sha256="0" * 64, timeout_s=1.0)


def schema(name):
    document = json.loads((REFERENCE / "archive" / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(document)
    return document


def assert_fits(document, name):
    published = schema(name)
    jsonschema.validate(document, published)
    assert set(document) == set(published["properties"]), "every field is published"
    assert set(published["required"]) == set(published["properties"])


def test_requests_fit_their_schema(archive, record, make_record):
    assert_fits(json.loads(archive.pending.get(archive.put_request(record).key)), "request")
    [stored, _] = archive.put_requests("batch", [make_record("a"), make_record("b")])
    for entry in json.loads(archive.pending.get(stored.key))["requests"]:
        assert_fits(entry, "request")


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED])
def test_jobs_and_requests_in_bundles_fit_their_schemas(archive, job, record, finish, status):
    event = JobEvent(job_id=job.id, at=record.created_at, from_status="", to_status="CREATED", stage="w", by="x")
    failure = Failure(code="c", message="m") if status is JobStatus.FAILED else None
    done = finish(job, record, status=status, failure=failure, events=[event])
    files = zipfile.ZipFile(io.BytesIO(archive.completed.get(done.result_key)))
    assert_fits(json.loads(files.read("job.json")), "job")
    assert_fits(json.loads(files.read("request.json")), "request")
    published = schema("job")["properties"]["events"]["items"]
    [written] = json.loads(files.read("job.json"))["events"]
    assert set(written) == set(published["properties"])


def test_the_code_on_the_page_reads_a_bundle(archive, job, record, finish, tmp_path):
    file = io.BytesIO()
    np.save(file, np.array([[0b10, 0b00000001]] * 3, dtype=np.uint8))
    outcome = Outcome(document=json.dumps(RESULT).encode(), members={"memory/0/c.npy": file.getvalue()})
    done = finish(job, record, outcome=outcome)
    (tmp_path / "bundle.zip").write_bytes(archive.completed.get(done.result_key))
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(code.strip().splitlines()) <= 11
    names = {}
    with contextlib.chdir(tmp_path):
        exec(code, names)
    assert names["job"]["id"] == job.id
    assert ["".join(map(str, row)) for row in names["bits"]] == ["1000000001"] * 3


def test_the_page_names_every_key(job):
    keys = {
        layout.request_key(job.project, job.created_at, job.id),
        layout.batch_key(job.project, job.created_at, "b").replace("b.batch", "<batch>.batch"),
        layout.prepared_key(job),
        layout.receipt_key(job),
        layout.bundle_key(job),
        layout.tombstone_key(job),
    }
    patterns = [key.replace("lab/2026-01-31", "<project>/<day>").replace(job.id, "<id>") for key in keys]
    for pattern in patterns:
        assert f"`{pattern.replace('0001', '<attempt>')}`" in PAGE
    edit = layout.edit_key(job, version=7, nonce="abc").rpartition("/")[2]
    assert re.fullmatch(rf"{job.id}\.edit-000007-abc\.json", edit)
    assert "`<project>/<day>/<id>.edit-<version>-<digest>.json`" in PAGE
