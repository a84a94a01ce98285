from __future__ import annotations

import pytest

from qdepot.adapters.compute.spool import Spool, storage_for
from qdepot.domain.framing import InMemory


def test_a_spool_gives_back_what_was_written_read_only(tmp_path):
    spool = Spool(tmp_path)
    for chunk in (b"ab", b"", b"cde"):
        spool.write(memoryview(chunk))
    whole = spool.whole()
    assert (bytes(whole), whole.readonly, list(tmp_path.iterdir())) == (b"abcde", True, [])


def test_a_spool_can_be_let_go_before_it_is_whole(tmp_path):
    spool = Spool(tmp_path)
    spool.write(memoryview(b"ab"))
    spool.discard()
    with pytest.raises(ValueError, match="closed"):
        spool.whole()


def test_the_size_decides_where_a_body_lies(tmp_path):
    small = storage_for(10, in_memory_bytes=10, folder=tmp_path)
    large = storage_for(11, in_memory_bytes=10, folder=tmp_path)
    large.discard()
    assert (type(small), type(large)) == (InMemory, Spool)


def test_a_folder_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="missing"):
        storage_for(11, in_memory_bytes=10, folder=tmp_path / "missing")
