from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from qdepot.archive.request import read_request_document, request_document
from qdepot.domain.program import ProgramFormat
from qdepot.errors import ArchiveDamagedError, ConflictError, InternalError, InvalidRequestError

PECULIAR = (
    b'  {"program" :{"kind":"sampler",  "note":"\\u00e9 }{,\\"program\\":1",\r\n"circuits":[]} , "x":[1,{}]}\n}\n'
)


def test_a_request_is_read_back_to_the_letter(archive, make_record, make_job):
    record = make_record(tags=("a", "ü"), options={"seed": 7}, timeout_s=1.5, idempotency_key_sha256="k")
    stored = archive.put_request(record)
    assert archive.read_request(make_job(record, stored)) == record


def test_the_key_holds_project_day_and_id(archive, make_record):
    stored = archive.put_request(make_record("id-1"))
    assert stored.key == "lab/2026-01-31/id-1.request.json"
    document = archive.pending.get(stored.key)
    assert (stored.size_bytes, stored.sha256) == (len(document), hashlib.sha256(document).hexdigest())


def test_a_request_document_is_json_around_the_body(make_record):
    body = b'{"backend": "aer", "program":\n{"shots": 3}}\n'
    document = json.loads(request_document(make_record(body=body, name='"request":\n')))
    assert document["request"] == json.loads(body)
    assert document["format"] == "qdepot-request/1"
    assert document["name"] == '"request":\n'


@pytest.mark.parametrize("body", [b"{}", b"{}\n", b"{}\n}", b"\n}\n", b"\n", PECULIAR])
def test_any_body_is_kept_to_the_letter(make_record, body):
    record = make_record(body=body)
    document = request_document(record)
    assert read_request_document(document, key="k") == record
    assert read_request_document(document.removesuffix(b"\n"), key="k") == record


def test_the_program_is_given_as_it_was_sent(make_record):
    record = make_record(body=PECULIAR.removesuffix(b"}\n"))
    assert record.program_document() == PECULIAR[PECULIAR.index(b'{"kind') : PECULIAR.index(b' , "x"')]


def test_of_two_programs_in_a_body_the_last_counts(make_record):
    assert make_record(body=b'{"program": 1, "a": {"program": 2}, "program": 3 }').program_document() == b"3"


def test_the_program_is_built_from_the_body(make_record):
    qpy = {"format": "qpy", "source": base64.b64encode(b"\0QPY").decode()}
    body = json.dumps({"program": {"kind": "sampler", "circuits": [qpy]}}).encode()
    [circuit] = make_record(body=body).program().circuits
    assert (circuit.format, circuit.source) == (ProgramFormat.QPY, b"\0QPY")


def test_a_repeat_adopts_what_the_first_try_stored(archive, make_record):
    first = make_record()
    stored = archive.put_request(first)
    again = archive.put_request(replace(first, created_at=first.created_at - timedelta(seconds=5)))
    assert again == replace(stored, adopted=True)
    assert again.created_at == first.created_at


@pytest.mark.parametrize("change", [{"owner": "bob"}, {"body": b'{"other": 1}'}, {"idempotency_key_sha256": "other"}])
def test_another_request_under_the_same_id_is_a_conflict(archive, make_record, change):
    stored = archive.put_request(make_record())
    before = archive.pending.get(stored.key)
    with pytest.raises(ConflictError):
        archive.put_request(make_record(**change))
    assert archive.pending.get(stored.key) == before


def test_a_discarded_request_leaves_nothing(archive, make_record):
    archive.discard_request(archive.put_request(make_record()).key)
    assert list(archive.pending.scan()) == []


def test_a_wrong_checksum_is_never_stored(archive, make_record):
    with pytest.raises(InternalError, match="request_sha256"):
        archive.put_request(replace(make_record(), body=b"{}"))
    assert list(archive.pending.scan()) == []


@pytest.mark.parametrize("project", ["", "..", ".", "a/b", "../x", "-a", ".a", "a b", "ä", "x" * 65, "a\n"])
def test_a_project_that_is_no_folder_name_is_refused(archive, make_record, project):
    with pytest.raises(InvalidRequestError, match="project"):
        archive.put_request(make_record(project=project))


@pytest.mark.parametrize("job_id", ["", "..", "a/b", "a.b", "ü", "a" * 65])
def test_an_id_that_is_no_file_name_is_refused(archive, make_record, job_id):
    with pytest.raises(InvalidRequestError, match="id"):
        archive.put_request(make_record(job_id))


def test_a_batch_is_one_object_from_which_each_request_is_read(archive, make_record, make_job):
    records = [make_record(f"id-{number}", body=b'{"n":\n%d}\n' % number) for number in range(1000)]
    stored = archive.put_requests("batch-1", records)
    assert [info.key for info in archive.pending.scan()] == ["lab/2026-01-31/batch-1.batch.json"]
    assert [it.index for it in stored] == list(range(1000))
    for record, it in zip(records, stored, strict=True):
        assert archive.read_request(make_job(record, it)) == record


def test_a_batch_is_json(archive, make_record):
    [stored, _] = archive.put_requests("b", [make_record("a"), make_record("b")])
    document = json.loads(archive.pending.get(stored.key))
    assert document["format"] == "qdepot-batch/1"
    assert [request["job_id"] for request in document["requests"]] == ["a", "b"]


def test_the_index_of_a_huge_batch_is_read_as_a_whole(archive, make_record, make_job):
    records = [make_record(f"id-{number}") for number in range(15_000)]
    stored = archive.put_requests("b", records)
    assert archive.read_request(make_job(records[-1], stored[-1])) == records[-1]


def test_a_batch_may_be_repeated_but_not_replaced(archive, make_record):
    stored = archive.put_requests("b", [make_record("a")])
    assert archive.put_requests("b", [make_record("a")]) == [replace(stored[0], adopted=True)]
    with pytest.raises(ConflictError):
        archive.put_requests("b", [make_record("c")])


def test_a_batch_is_of_one_project(archive, make_record):
    with pytest.raises(InternalError, match="projects"):
        archive.put_requests("b", [make_record("a"), make_record("c", project="other")])


@pytest.mark.parametrize("index", [-1, 1, 10**9])
def test_an_entry_that_a_batch_does_not_have_is_damage(archive, make_record, make_job, index):
    record = make_record()
    [stored] = archive.put_requests("b", [record])
    with pytest.raises(ArchiveDamagedError):
        archive.read_request(make_job(record, replace(stored, index=index)))


def test_every_cut_of_a_request_is_noticed(make_record):
    document = request_document(make_record())
    for end in range(len(document) - 1):
        with pytest.raises(ArchiveDamagedError):
            read_request_document(document[:end], key="k")


def test_every_changed_byte_of_a_body_is_noticed(make_record):
    document = request_document(make_record())
    for at in range(document.index(b"\n") + 1, len(document) - 3):
        with pytest.raises(ArchiveDamagedError):
            read_request_document(document[:at] + bytes([document[at] ^ 1]) + document[at + 1 :], key="k")


def test_a_later_format_is_refused_and_not_guessed(make_record):
    document = request_document(make_record()).replace(b"qdepot-request/1", b"qdepot-request/2")
    with pytest.raises(ArchiveDamagedError, match="this version"):
        read_request_document(document, key="k")


def test_the_request_of_another_job_is_damage(archive, make_record, make_job):
    stored = archive.put_request(make_record("a"))
    with pytest.raises(ArchiveDamagedError, match="another request"):
        archive.read_request(make_job(make_record("b"), stored))


def test_a_request_that_is_nowhere_is_damage(archive, make_record, make_job):
    record = make_record()
    with pytest.raises(ArchiveDamagedError, match="missing"):
        archive.read_request(make_job(record))


def test_a_field_that_a_later_version_added_is_no_obstacle(make_record):
    record = make_record()
    document = request_document(record).replace(b'"owner"', b'"mood": "good", "owner"', 1)
    assert read_request_document(document, key="k") == record
