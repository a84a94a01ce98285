from __future__ import annotations

import os
from contextlib import closing

import pytest

from qdepot.archive.spool import Spool
from qdepot.errors import UnavailableError


def test_files_come_back_as_they_were_written(tmp_path):
    spool = Spool(str(tmp_path))
    spool.add("a", [b"one", memoryview(b" two")])
    spool.add("empty", [])
    spool.add("b", iter([b"three"]))
    assert {name: bytes(view) for name, view in spool.mapped().items()} == {
        "a": b"one two",
        "empty": b"",
        "b": b"three",
    }


def test_a_file_of_the_same_name_replaces_the_first(tmp_path):
    spool = Spool(str(tmp_path))
    spool.add("a", [b"first"])
    spool.add("a", [b"second"])
    assert bytes(spool.mapped()["a"]) == b"second"


def test_nothing_at_all_can_be_mapped(tmp_path):
    spool = Spool(str(tmp_path))
    spool.add("a", [b""])
    assert bytes(spool.mapped()["a"]) == b""


def test_a_view_outlives_the_spool_and_no_file_stays(tmp_path):
    spool = Spool(str(tmp_path))
    spool.add("a", [b"here"])
    view = spool.mapped()["a"]
    del spool
    assert (bytes(view), os.listdir(tmp_path)) == (b"here", [])


def test_a_folder_that_is_not_there_is_said_to_be_away(tmp_path):
    with pytest.raises(UnavailableError, match="temporary file"):
        Spool(str(tmp_path / "no-such-folder"))


def test_what_fails_in_the_pieces_is_not_taken_for_a_full_disk(tmp_path):
    def pieces():
        yield b"x"
        raise FileNotFoundError("the source is gone")

    with closing(Spool(str(tmp_path))) as spool, pytest.raises(FileNotFoundError):
        spool.add("a", pieces())


def test_a_full_disk_is_unavailable():
    spool = Spool(None)
    spool._file.close()
    spool._file = open("/dev/full", "wb", buffering=0)  # noqa: SIM115 - closed by close()
    with pytest.raises(UnavailableError, match="No space left"):
        spool.add("a", [b"x"])
    spool.close()
