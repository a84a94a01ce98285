"""Large answers, and answers that are too large."""

from __future__ import annotations

import gc
import mmap
import weakref

import pytest

from qdepot.errors import ResourceLimitError, WorkerLostError
from qdepot.testing.compute_pool import ends, start
from support.processes import open_files


def test_small_results_lie_in_the_heap_and_large_ones_in_a_mapped_file(make_pool):
    pool = make_pool(in_memory_bytes=1000)
    small = ends(start(pool, "big", {"bytes": 1000})).parts["data"]
    large = ends(start(pool, "big", {"bytes": 1001})).parts["data"]
    assert isinstance(small.obj, bytearray)
    assert isinstance(large.obj, mmap.mmap)
    assert (bytes(small), bytes(large)) == (b"\0" * 1000, b"\0" * 1001)


def test_a_large_result_leaves_no_file_behind(make_pool, tmp_path):
    pool = make_pool(spool_dir=tmp_path, in_memory_bytes=1000)
    before = open_files()
    payload = ends(start(pool, "big", {"bytes": 10**7}))
    assert list(tmp_path.iterdir()) == []
    gone = weakref.ref(payload.parts["data"].obj)
    del payload
    gc.collect()
    assert gone() is None
    assert open_files() <= before + 10


def test_a_handle_that_is_kept_keeps_the_request_no_longer(make_pool):
    pool = make_pool()

    class Bytes(bytearray):
        pass

    part = Bytes(b"x" * 1000)
    gone = weakref.ref(part)
    handle = start(pool, "sleep", parts={"data": part})
    ends(handle)
    del part
    assert gone() is None


def test_a_result_beyond_the_limit_is_told_with_both_sizes(make_pool):
    pool = make_pool(max_result_bytes=1000)
    with pytest.raises(ResourceLimitError) as caught:
        ends(start(pool, "big", {"bytes": 1001}))
    assert caught.value.details == {"size_bytes": 1001, "limit_bytes": 1000}
    assert len(ends(start(pool, "big", {"bytes": 1000})).parts["data"]) == 1000


def test_a_result_that_cannot_be_stored_costs_that_task_alone(make_pool, tmp_path):
    pool = make_pool(spool_dir=tmp_path / "missing", in_memory_bytes=1000)
    with pytest.raises(WorkerLostError, match="could not be stored"):
        ends(start(pool, "big", {"bytes": 10**6}))
    assert ends(start(pool, "echo", {"n": 1})).meta == {"n": 1}


def test_a_result_of_which_half_comes_is_none(pool):
    with pytest.raises(WorkerLostError):
        ends(start(pool, "mumble"))
