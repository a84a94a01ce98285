"""How results come back from the workers of a Dask cluster."""

from __future__ import annotations

import mmap
import socket

import pytest

pytest.importorskip("distributed", reason="the extra dask is not installed")

from qdepot.adapters.compute.dask.options import ClusterOptions, StationOptions
from qdepot.adapters.compute.dask.pool import DaskPool
from qdepot.errors import ResourceLimitError, TaskCancelledError
from qdepot.ports.compute_pool import Limits
from qdepot.testing.compute_pool import ends, start
from qdepot.testing.fake_pool import FunctionPool
from support import dask_cluster

MEGABYTE = 2**20


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with dask_cluster.running(tmp_path_factory.mktemp("dask"), workers=1) as cluster:
        yield cluster


def connected(address, *, max_result_bytes=2**32, **options):
    station = StationOptions(module="qdepot.testing.drill", max_result_bytes=max_result_bytes)
    made = ClusterOptions(scheduler=address, station=station, patience_s=60.0, **options)
    return DaskPool(made, checks=FunctionPool({}))


@pytest.mark.parametrize("direct", [False, True], ids=["through the scheduler", "from the worker"])
def test_a_large_result_lies_in_a_file_and_a_small_one_does_not(cluster, direct):
    with connected(cluster.address, direct=direct, in_memory_bytes=MEGABYTE) as pool:
        large = ends(start(pool, "big", {"bytes": 5 * MEGABYTE})).parts["data"]
        small = ends(start(pool, "big", {"bytes": 1000})).parts["data"]
    assert bytes(large) == b"".join(bytes([number]) * MEGABYTE for number in range(5))
    assert isinstance(large.obj, mmap.mmap)
    assert not isinstance(small.obj, mmap.mmap)


def test_a_result_above_the_limit_is_refused_on_the_worker_and_the_next_is_not(cluster):
    with connected(cluster.address, max_result_bytes=MEGABYTE) as pool:
        with pytest.raises(ResourceLimitError, match="1,048,576"):
            ends(start(pool, "big", {"bytes": 2 * MEGABYTE}))
        assert len(ends(start(pool, "big", {"bytes": MEGABYTE})).parts["data"]) == MEGABYTE


@pytest.mark.parametrize(
    ("operation", "meta", "limit"),
    [
        ("burn", {"seconds": 600.0}, {"cpu_time_s": 0.5}),
        ("hoard", {"files": 40}, {"open_files": 30}),
        ("sleep", {"seconds": 600.0}, {"time_s": 0.25}),
        ("allocate", {"bytes": 2**30}, {"memory_bytes": 2**27}),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_tasks_own_limits_go_with_it_to_the_worker(cluster, operation, meta, limit):
    with connected(cluster.address) as pool:
        with pytest.raises(ResourceLimitError) as caught:
            ends(start(pool, operation, meta, limits=Limits(**limit)))
        assert ends(start(pool, "echo", {"n": 1})).meta == {"n": 1}
    assert caught.value.details == limit


@pytest.mark.timeout(60)
def test_closing_does_not_wait_for_a_scheduler_that_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        pool = connected(f"tcp://127.0.0.1:{silent.getsockname()[1]}", connect_s=600.0)
        handle = start(pool, "echo")
        connection, _ = silent.accept()
        pool.close()
        connection.close()
    with pytest.raises(TaskCancelledError):
        ends(handle)
