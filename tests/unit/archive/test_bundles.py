from __future__ import annotations

import contextlib
import hashlib
import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from qdepot.archive import Completion
from qdepot.domain.job import Failure, JobStatus
from qdepot.domain.result import Outcome
from qdepot.errors import ArchiveDamagedError, InternalError, NotFoundError, UnavailableError

ENDED = datetime(2026, 2, 1, 0, 0, 1, tzinfo=UTC)
RESULT = b'{"results": [{"shots": 3, "counts": {"00": 2, "11": 1}}]}'
REASON = Failure(code="backend_failed", message="It burnt down.", solution="Wait.", details={"circuit": 1})


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def opened(archive, job):
    return zipfile.ZipFile(io.BytesIO(archive.completed.get(job.result_key)))


def test_the_bundle_holds_job_request_and_result(archive, job, record, finish):
    done = finish(job, record)
    assert done.result_key == f"lab/2026-01-31/{job.id}.zip"
    bundle = opened(archive, done)
    assert bundle.namelist() == ["job.json", "request.json", "result.json"]
    assert bundle.read("result.json") == RESULT
    assert json.loads(bundle.read("request.json"))["request"] == json.loads(record.body)
    document = json.loads(bundle.read("job.json"))
    assert (document["format"], document["id"], document["status"]) == ("qdepot-job/1", job.id, "COMPLETED")
    assert document["ended_at"] == "2026-02-01T00:00:01.000000Z"


def test_the_answer_tells_size_and_checksum_of_what_is_stored(archive, job, record, finish):
    done = finish(job, record)
    assert done.result_sha256 == hashlib.sha256(archive.completed.get(done.result_key)).hexdigest()
    assert done.result_size_bytes == len(RESULT)


def test_the_manifest_fits_every_member(archive, job, record, finish):
    outcome = Outcome(document=RESULT, members={"raw/a.json": b"{}" * 5000, "memory/0/ψ.npy": npy(np.arange(9))})
    bundle = opened(archive, finish(job, record, outcome=outcome))
    manifest = json.loads(bundle.read("job.json"))["manifest"]
    assert [member["name"] for member in manifest] == bundle.namelist()[1:]
    for member in manifest:
        content = bundle.read(member["name"])
        assert (member["size_bytes"], member["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_arrays_are_stored_as_they_are_and_text_is_deflated(archive, job, record, finish):
    members = {"memory/0/c.npy": npy(np.zeros(5000)), "raw/answer.json": b" " * 5000, "raw/tiny.json": b" " * 500}
    bundle = opened(archive, finish(job, record, outcome=Outcome(document=RESULT, members=members)))
    compressed = {info.filename: info.compress_type for info in bundle.infolist()}
    assert compressed["raw/answer.json"] == zipfile.ZIP_DEFLATED
    assert compressed["memory/0/c.npy"] == compressed["raw/tiny.json"] == zipfile.ZIP_STORED


def test_result_and_request_come_out_of_the_bundle(archive, job, record, finish):
    done = finish(job, record)
    archive.remove_pending(done, shared_in_use=False)
    assert list(archive.pending.scan()) == []
    assert b"".join(archive.open_result(done)) == RESULT
    assert archive.read_request(done) == record
    assert archive.read_request(replace(done, pending_removed=True)) == record
    assert archive.read_member(done, "result.json") == RESULT


def test_a_second_end_adopts_the_first(archive, job, record, finish):
    first = finish(job, record)
    bytes_before = archive.completed.get(first.result_key)
    late = ENDED + timedelta(hours=1)
    again = archive.complete(
        job, status=JobStatus.FAILED, failure=REASON, ended_at=late, outcome=None, events=[], request=record
    )
    assert again.adopted
    assert (again.status, again.failure, again.ended_at) == (JobStatus.COMPLETED, None, ENDED)
    assert (again.sha256, again.result_size_bytes) == (first.result_sha256, len(RESULT))
    assert again.size_bytes == len(bytes_before)
    assert archive.completed.get(first.result_key) == bytes_before


def test_an_adopted_failure_keeps_its_reason(archive, job, record, finish):
    finish(job, record, status=JobStatus.FAILED, failure=REASON, outcome=None)
    again = finish(job, record)
    assert (again.status, again.failure, again.result_size_bytes) == (JobStatus.FAILED, REASON, None)


def test_many_ends_are_stored_together(archive, make_record, make_job):
    completions = [completion(make_record(f"id-{number}"), make_job, Outcome(document=RESULT)) for number in range(5)]
    archive.complete_many(completions[1:3])
    stored = archive.complete_many(completions)
    assert [it.adopted for it in stored] == [False, True, True, False, False]
    assert [it.key for it in stored] == [f"lab/2026-01-31/id-{number}.zip" for number in range(5)]
    assert len(list(archive.completed.scan())) == 5


def test_a_damaged_bundle_is_the_trouble_of_its_job_alone(archive, make_record, make_job):
    completions = [completion(make_record(f"id-{number}"), make_job, Outcome(document=RESULT)) for number in range(2)]
    archive.completed.create("lab/2026-01-31/id-0.zip", b"rubbish")
    damaged, fine = archive.complete_many(completions)
    assert isinstance(damaged, ArchiveDamagedError)
    assert fine.status is JobStatus.COMPLETED


def test_the_bundle_of_another_job_is_not_adopted(archive, job, record, finish):
    other = replace(job, id="other")
    done = finish(other, replace(record, job_id="other"))
    archive.completed.create(f"lab/2026-01-31/{job.id}.zip", archive.completed.get(done.result_key))
    with pytest.raises(ArchiveDamagedError, match="another job"):
        finish(job, record)


@pytest.mark.parametrize("size", [100, 3_000_000, 9_000_000])
def test_a_result_of_any_size_comes_in_pieces(archive, job, record, size, tmp_path):
    document = json.dumps({"results": [hashlib.sha256(b"%d" % number).hexdigest() for number in range(size // 70)]})
    roomy = replace(archive, scratch=str(tmp_path))
    stored = roomy.complete(job, request=record, **ending(Outcome(document=document.encode())))
    done = replace(job, status=stored.status, result_key=stored.key)
    pieces = list(archive.open_result(done))
    assert b"".join(pieces).decode() == document
    assert max(map(len, pieces)) <= 256 * 1024
    assert stored.sha256 == hashlib.sha256(archive.completed.get(stored.key)).hexdigest()
    assert list(tmp_path.iterdir()) == []


def test_a_large_bundle_is_adopted_too(archive, job, record):
    outcome = Outcome(document=RESULT, members={"raw/noise.npy": bytes(9_000_000)})
    first = archive.complete(job, request=record, **ending(outcome))
    again = archive.complete(job, request=record, **ending(outcome))
    assert again == replace(first, adopted=True)


def test_a_large_bundle_without_room_is_refused_and_leaves_nothing(archive, job, record, tmp_path):
    cramped = replace(archive, scratch=str(tmp_path / "missing"))
    outcome = Outcome(document=RESULT, members={"raw/noise.npy": bytes(9_000_000)})
    with pytest.raises(UnavailableError, match="temporary"):
        cramped.complete(job, request=record, **ending(outcome))
    assert list(archive.completed.scan()) == []


def test_arrays_come_as_a_file_that_numpy_reads(archive, job, record, finish):
    arrays = {"memory/0/c": np.arange(600_000, dtype=np.uint8).reshape(-1, 2), "memory/1/ψ": np.zeros((0, 1), np.uint8)}
    members = {f"{name}.npy": npy(array) for name, array in arrays.items()} | {"raw/other.npy": npy(np.ones(3))}
    done = finish(job, record, outcome=Outcome(document=RESULT, members=members))
    file = np.load(io.BytesIO(b"".join(archive.open_arrays(done))), allow_pickle=False)
    assert set(file.files) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(file[name], array)


def test_what_a_bundle_does_not_have_is_not_found(archive, job, record, finish):
    done = finish(job, record, status=JobStatus.CANCELLED, outcome=None)
    with pytest.raises(NotFoundError, match="per-shot"):
        archive.open_arrays(done)
    with pytest.raises(NotFoundError, match=r"result\.json"):
        archive.open_result(done)
    with pytest.raises(NotFoundError):
        archive.read_member(done, "../other")


def test_a_missing_bundle_is_damage(archive, job):
    with pytest.raises(ArchiveDamagedError, match="missing"):
        archive.open_result(job)


def test_every_cut_and_every_changed_byte_is_noticed(archive, job, record, finish):
    done = finish(job, record)
    for content in spoilt(archive.completed.get(done.result_key)):
        archive.completed.replace(done.result_key, content)
        with pytest.raises(ArchiveDamagedError):
            archive.open_result(done)


def test_without_a_checksum_of_the_whole_no_wrong_content_is_given(archive, job, record, finish):
    outcome = Outcome(document=RESULT * 30, members={"memory/0/c.npy": npy(np.arange(3))})
    done = finish(job, record, outcome=outcome)
    unsure = replace(done, result_sha256=None)
    for content in spoilt(archive.completed.get(done.result_key)):
        archive.completed.replace(done.result_key, content)
        with contextlib.suppress(ArchiveDamagedError, NotFoundError):  # not found: a name in the manifest was hit
            assert b"".join(archive.open_result(unsure)) == outcome.document
        with contextlib.suppress(ArchiveDamagedError, NotFoundError):
            assert archive.read_member(unsure, "memory/0/c.npy") == outcome.members["memory/0/c.npy"]


def spoilt(whole):
    cut = [whole[:end] for end in range(0, len(whole), 7)]
    return cut + [whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :] for at in range(len(whole))]


BAD_NAMES = ["", "/etc/passwd", "../up", "..", "a//b", "a/./b", "a\\b", "a\0b", "a\nb", "job.json", "result.json"]
BAD_NAMES += ["C:/x", "a\u202eb", "\ud800", "n" * 70_000, "a?b*", "\x1b[2J"]


@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda name: ascii(name)[:20])
def test_whatever_a_member_is_called_it_is_kept_under_a_name_that_is_safe(archive, job, record, finish, name):
    done = finish(job, record, outcome=Outcome(document=RESULT, members={name: b"these bytes", "memory/0/c.npy": b"c"}))
    assert archive.read_member(done, "memory/0/c.npy") == b"c"
    with zipfile.ZipFile(io.BytesIO(archive.completed.get(done.result_key))) as bundle:
        names = bundle.namelist()
        assert len(names) == len(set(names)) == 5
        [safe] = set(names) - {"job.json", "request.json", "result.json", "memory/0/c.npy"}
        assert bundle.read(safe) == b"these bytes"
    for part in safe.split("/"):
        assert part.strip(".")
        assert part.isprintable()
        assert not set(part) & set('\\:*?"<>|')
        assert len(part.encode()) <= 255
    archive.verify(done)


def test_names_that_would_become_one_stay_apart(archive, job, record, finish):
    members = {"a\0b": b"1", "a%00b": b"2", "..": b"3", "%2E%2E": b"4"}
    done = finish(job, record, outcome=Outcome(document=RESULT, members=members))
    with zipfile.ZipFile(io.BytesIO(archive.completed.get(done.result_key))) as bundle:
        found = {bundle.read(name) for name in bundle.namelist()}
    assert found >= {b"1", b"2", b"3", b"4"}


@pytest.mark.parametrize("name", ["c", "Meas_0", "q1", "ψ", "a b", "a%20b", "..c", "m-1.x"])
def test_a_name_that_is_safe_stays_as_it_is(archive, job, record, finish, name):
    done = finish(job, record, outcome=Outcome(document=RESULT, members={f"memory/0/{name}.npy": b"x"}))
    assert archive.read_member(done, f"memory/0/{name}.npy") == b"x"


@pytest.mark.parametrize(
    ("status", "failure", "outcome"),
    [
        (JobStatus.RUNNING, None, Outcome(document=RESULT)),
        (JobStatus.COMPLETED, None, None),
        (JobStatus.COMPLETED, REASON, Outcome(document=RESULT)),
        (JobStatus.FAILED, None, Outcome(document=RESULT)),
        (JobStatus.CANCELLED, REASON, None),
    ],
)
def test_an_end_that_no_job_may_have_is_refused(make_record, make_job, status, failure, outcome):
    end = {**ending(outcome), "status": status, "failure": failure}
    with pytest.raises(InternalError, match="cannot end"):
        Completion(job=make_job(make_record()), request=make_record(), **end)


def test_a_job_does_not_end_with_anothers_request(job, finish, make_record):
    with pytest.raises(InternalError, match="request of job other"):
        finish(job, make_record("other"))


def test_numbers_that_json_does_not_have_become_null(archive, job, record, finish):
    outcome = Outcome(document=RESULT, metadata={"t1": [1.5, float("nan")], "t2": float("inf")})
    document = json.loads(opened(archive, finish(job, record, outcome=outcome)).read("job.json"))
    assert document["metadata"] == {"t1": [1.5, None], "t2": None}


def ending(outcome):
    return {"status": JobStatus.COMPLETED, "failure": None, "ended_at": ENDED, "outcome": outcome, "events": []}


def completion(record, make_job, outcome):
    return Completion(job=make_job(record), request=record, **ending(outcome))
