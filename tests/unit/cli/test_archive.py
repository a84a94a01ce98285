from __future__ import annotations

import json

import pytest

from qdepot.client.files import write_whole
from qdepot.errors import ArchiveDamagedError
from support.fake_api import problem


@pytest.fixture(autouse=True)
def _an_export(api):
    api.arrays = b"PK the folder"


def test_a_job_is_written_to_a_file_of_its_name(run, job_id, tmp_path):
    done = run("archive", "export", job_id)
    assert (done.code, done.out) == (0, f"qdepot-{job_id}.zip\n")
    assert (tmp_path / f"qdepot-{job_id}.zip").read_bytes() == b"PK the folder"


def test_the_file_or_its_folder_can_be_chosen(run, job_id, tmp_path):
    assert run("archive", "export", job_id, "-o", "mine.zip").out == "mine.zip\n"
    (tmp_path / "folder").mkdir()
    done = run("archive", "export", job_id, "-o", "folder", "--json")
    assert json.loads(done.out) == {"id": job_id, "file": f"folder/qdepot-{job_id}.zip"}
    assert (tmp_path / "folder" / f"qdepot-{job_id}.zip").is_file()


def test_a_job_that_goes_on_leaves_no_file(api, run, job_id, tmp_path):
    before = set(tmp_path.iterdir())
    api.faults.extend([None, problem(409, "not_finished", "wait")])
    assert run("archive", "export", job_id).code == 5
    assert set(tmp_path.iterdir()) == before


def test_a_place_that_cannot_be_written_is_an_error_in_words(run, job_id):
    done = run("archive", "export", job_id, "-o", "nowhere/x.zip")
    assert done.code == 2
    assert "nowhere/x.zip cannot be written" in done.err


def test_a_file_whose_pieces_end_in_an_error_is_not_there(tmp_path):
    def pieces():
        yield b"PK"
        raise ArchiveDamagedError

    with pytest.raises(ArchiveDamagedError):
        write_whole(tmp_path / "x.zip", pieces())
    assert list(tmp_path.iterdir()) == []


def test_an_operator_names_a_folder_that_is_there(run, tmp_path):
    for command in (("archive", "verify"), ("archive", "export", "x"), ("ledger", "rebuild")):
        done = run(*command, "--data", "typo")
        assert done.code in {3, 4}, "not found; or, without the service's packages, not available"
    assert not (tmp_path / "typo").exists()
