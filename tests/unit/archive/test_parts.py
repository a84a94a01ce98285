"""Results of leading circuits are stored as they come, and are part of the whole in the end."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from qdepot.archive import Archive
from qdepot.archive.part_shelf import PART_FORMAT
from qdepot.domain.job import JobStatus
from qdepot.domain.result import Outcome
from qdepot.errors import ArchiveDamagedError, InternalError
from qdepot.ports.object_store import ObjectNotFoundError


@pytest.fixture
def record(make_record):
    return make_record("id-1")


@pytest.fixture
def job(archive, record, make_job):
    return make_job(record, archive.put_request(record), num_circuits=6)


def npy(*values: int) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array(values, dtype=np.uint8))
    return file.getvalue()


def results(*circuits: int) -> Outcome:
    """What a run of these circuits gives."""
    document = {"results": [{"circuit": circuit} for circuit in circuits]}
    return Outcome(
        document=json.dumps(document).encode(),
        members={f"memory/{circuit}/c.npy": npy(circuit) for circuit in circuits},
        metadata={"seed": 7, "method": "statevector", "times": {"run_s": float(len(circuits))}},
    )


def store(archive: Archive, job, *circuits: int):
    """Store a part, and commit it."""
    return committed(job, archive.put_part(job, [results(*circuits)], count=len(circuits)))


def committed(job, part):
    return replace(job, parts=part.number, circuits_done=part.behind)


def circuits_in(document) -> list[int]:
    return [entry["circuit"] for entry in json.loads(bytes(document))["results"]]


def test_a_part_is_a_zip_with_a_manifest(archive, job):
    done = store(archive, store(archive, job, 0, 1), 2)
    with zipfile.ZipFile(io.BytesIO(archive.pending.get("lab/2026-01-31/id-1.part-0002.zip"))) as part:
        assert part.namelist() == ["part.json", "result.json", "memory/2/c.npy"]
        about = json.loads(part.read("part.json"))
        assert circuits_in(part.read("result.json")) == [2]
    assert (about["format"], about["job_id"], about["number"]) == (PART_FORMAT, "id-1", 2)
    assert (about["first"], about["count"], about["attempt"]) == (2, 1, 1)
    assert [member["name"] for member in about["manifest"]] == ["result.json", "memory/2/c.npy"]
    assert (done.parts, done.circuits_done) == (2, 3)


def test_results_that_came_one_by_one_make_one_part(archive, job):
    part = archive.put_part(job, [results(0), results(1, 2), results(3)], count=4)
    assert (part.first, part.count, part.behind) == (0, 4, 4)
    assert part.metadata == {"seed": 7, "method": "statevector", "times": {"run_s": 4.0}}
    assert circuits_in(b"".join(archive.open_parts(committed(job, part)))) == [0, 1, 2, 3]


def test_a_part_that_was_stored_and_not_committed_is_adopted(archive, job):
    first = archive.put_part(job, [results(0, 1)], count=2)
    again = archive.put_part(replace(job, attempt=2), [results(0, 1, 2)], count=3)
    assert again == first, "what is there says what is true, also where less of it is there"
    assert circuits_in(b"".join(archive.open_parts(committed(job, again)))) == [0, 1]


def test_a_part_in_the_way_is_not_written_over(archive, job):
    key = "lab/2026-01-31/id-1.part-0001.zip"
    archive.pending.create(key, b"rubbish")
    with pytest.raises(ArchiveDamagedError, match="part-0001"):
        archive.put_part(job, [results(0)], count=1)
    assert archive.pending.get(key) == b"rubbish"


@pytest.mark.parametrize("count", [0, 7])
def test_a_part_of_no_circuits_or_too_many_is_refused(archive, job, count):
    with pytest.raises(InternalError, match="cannot have a part"):
        archive.put_part(job, [results(*range(count))], count=count)


def test_what_is_stored_behind_the_row_is_found(archive, job):
    assert archive.stored_parts(job) == (0, 0)
    done = store(archive, job, 0, 1)
    archive.put_part(done, [results(2, 3)], count=2)
    assert archive.stored_parts(done) == (2, 4)
    assert archive.stored_parts(job) == (2, 4)


def test_parts_count_as_far_as_they_are_whole(archive, job):
    store(archive, store(archive, store(archive, job, 0), 1, 2), 3)
    content = archive.pending.get("lab/2026-01-31/id-1.part-0002.zip")
    archive.pending.replace("lab/2026-01-31/id-1.part-0002.zip", content.replace(b'"results"', b'"rosults"'))
    assert archive.stored_parts(job) == (1, 1)


def test_damaged_parts_can_be_stored_anew(archive, job):
    done = store(archive, store(archive, job, 0, 1), 2)
    archive.pending.replace("lab/2026-01-31/id-1.part-0001.zip", b"rubbish")
    with pytest.raises(ArchiveDamagedError):
        archive.gathered(done, [])
    archive.discard_parts(done, behind=0)
    assert circuits_in(b"".join(archive.open_parts(store(archive, job, 0, 1, 2)))) == [0, 1, 2]


def test_the_arrays_of_all_parts_are_one_file(archive, job):
    done = store(archive, store(archive, job, 0, 1), 2)
    arrays = np.load(io.BytesIO(b"".join(archive.open_part_arrays(done))))
    assert {name: list(arrays[name]) for name in arrays.files} == {
        "memory/0/c": [0],
        "memory/1/c": [1],
        "memory/2/c": [2],
    }


def test_the_whole_is_parts_and_rest_in_order(archive, job, record, finish):
    done = store(archive, replace(store(archive, job, 0, 1), attempt=2), 2)
    whole = archive.gathered(done, [results(3), results(4, 5)])
    assert circuits_in(whole.document) == [0, 1, 2, 3, 4, 5]
    assert {name: bytes(content) for name, content in whole.members.items()} == {
        f"memory/{circuit}/c.npy": npy(circuit) for circuit in range(6)
    }
    assert whole.metadata == {
        "seed": 7,
        "method": "statevector",
        "times": {"run_s": 6.0},
        "parts": [{"first": 0, "count": 2, "attempt": 1}, {"first": 2, "count": 1, "attempt": 2}],
    }
    final = finish(replace(done, circuits_done=6), record, outcome=whole)
    assert circuits_in(b"".join(archive.open_result(final))) == [0, 1, 2, 3, 4, 5]
    archive.verify(final)


def test_a_job_without_parts_has_the_outcome_as_it_came(archive, job):
    outcome = results(0, 1, 2, 3, 4, 5)
    assert archive.gathered(job, [outcome]) is outcome
    assert archive.gathered(job, []) is None


def test_a_bundle_that_is_adopted_says_how_many_circuits_are_done(archive, job, record, finish):
    done = store(archive, job, 0, 1)
    given = {"status": JobStatus.CANCELLED, "outcome": archive.gathered(done, [])}
    finish(done, record, **given)
    stored = archive.complete(
        job, request=record, failure=None, ended_at=record.created_at, events=[], **{**given, "outcome": None}
    )
    assert (stored.adopted, stored.circuits_done) == (True, 2)


def test_parts_go_with_the_other_pending_objects(archive, job):
    done = store(archive, store(archive, job, 0), 1)
    archive.put_part(done, [results(2)], count=1)
    archive.remove_pending(done, shared_in_use=False)
    assert list(archive.pending.scan()) == []


def test_parts_are_shown_and_verified(archive, job):
    done = store(archive, store(archive, job, 0), 1)
    shown = archive.objects(done)
    assert [entry["key"].partition(".")[2] for entry in shown] == ["part-0001.zip", "part-0002.zip", "request.json"]
    assert [member["name"] for member in shown[1]["members"]] == ["result.json", "memory/1/c.npy"]
    archive.verify(done)
    archive.pending.delete(["lab/2026-01-31/id-1.part-0001.zip"])
    with pytest.raises(ArchiveDamagedError, match=r"part-0001\.zip is damaged: it is missing"):
        archive.verify(done)


def test_parts_that_went_away_while_they_were_read_say_so(archive, job):
    done = store(archive, store(archive, job, 0), 1)
    pieces = archive.open_parts(done)
    next(pieces)
    archive.remove_pending(done, shared_in_use=False)
    with pytest.raises(ObjectNotFoundError):
        list(pieces)


def test_a_part_of_another_job_is_no_part_of_this_one(archive, job, make_record, make_job):
    other = make_job(make_record("id-2"), num_circuits=6)
    archive.put_part(other, [results(0)], count=1)
    content = archive.pending.get("lab/2026-01-31/id-2.part-0001.zip")
    archive.pending.create("lab/2026-01-31/id-1.part-0001.zip", content)
    assert archive.stored_parts(job) == (0, 0)


def test_a_row_that_tells_of_more_than_its_parts_hold_is_found_out(archive, job):
    done = store(archive, job, 0, 1)
    with pytest.raises(ArchiveDamagedError, match="ends at circuit 2, not at 3"):
        archive.verify(replace(done, circuits_done=3))
