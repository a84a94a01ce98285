"""Workers, schedulers and networks that go, and what the pool on a Dask cluster makes of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import ExitStack

import pytest

pytest.importorskip("distributed", reason="the extra dask is not installed")

from qdepot.adapters.compute.dask.options import ClusterOptions, StationOptions
from qdepot.adapters.compute.dask.pool import DaskPool
from qdepot.errors import UnavailableError, WorkerLostError
from qdepot.ports.compute_pool import Lane
from qdepot.testing.compute_pool import ends, start, wait_until
from qdepot.testing.fake_pool import FunctionPool
from qdepot.testing.fault_proxy import Fault, FaultProxy
from support import dask_cluster
from support.processes import offspring, wait_for_death

SLEEP = {"seconds": 600.0}
SERVICE = """
import signal, sys
from qdepot.adapters.compute.dask.options import ClusterOptions, StationOptions
from qdepot.adapters.compute.dask.pool import DaskPool
from qdepot.ports.compute_pool import Payload, Task
from qdepot.testing.fake_pool import FunctionPool
options = ClusterOptions(scheduler=sys.argv[1], station=StationOptions(module="qdepot.testing.drill"), patience_s=60)
pool = DaskPool(options, checks=FunctionPool({}))
busy = pool.submit(Task(operation="sleep", payload=Payload(meta={"seconds": 600.0})))
while not busy.started:
    pass
print("at work", flush=True)
signal.pause()
"""


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """A scheduler without workers; each test brings its own."""
    with dask_cluster.running(tmp_path_factory.mktemp("dask"), workers=0) as cluster:
        yield cluster


@pytest.fixture
def cluster(scheduler):
    """The scheduler; the workers that a test starts end with it."""
    yield scheduler
    for pid in scheduler.living_workers():
        scheduler.kill_worker(pid)


@pytest.fixture
def connect():
    """Makes pools of drill operations, and closes them."""
    with ExitStack() as pools:

        def make(address: str, **options) -> DaskPool:
            usual = {"station": StationOptions(module="qdepot.testing.drill"), "probe_s": 0.1, "patience_s": 60.0}
            made = ClusterOptions(**{"scheduler": address, **usual, **options})
            return pools.enter_context(DaskPool(made, checks=FunctionPool({})))

        yield make


def sleeping(pool):
    handle = start(pool, "sleep", SLEEP)
    wait_until(lambda: handle.started)
    return handle


def lost(handle) -> WorkerLostError:
    with pytest.raises(WorkerLostError) as caught:
        ends(handle)
    return caught.value


def test_the_size_of_the_pool_follows_the_workers(cluster, connect):
    pool = connect(cluster.address)
    assert pool.size(Lane.RUN) == 1, "however few there are"
    wide = cluster.start_worker(threads=3)
    wait_until(lambda: pool.size(Lane.RUN) == 3)
    cluster.start_worker(threads=2)
    wait_until(lambda: pool.size(Lane.RUN) == 5)
    cluster.kill_worker(wide)
    wait_until(lambda: pool.size(Lane.RUN) == 2)


def test_a_worker_that_is_killed_takes_only_its_own_task_and_dask_repeats_none(cluster, connect):
    pool = connect(cluster.address)
    doomed = cluster.start_worker()
    handle = sleeping(pool)
    family = offspring(doomed)
    cluster.start_worker()
    neighbour = sleeping(pool)
    cluster.kill_worker(doomed)
    assert "outage" not in lost(handle).details
    wait_for_death(*family)
    assert not neighbour.done
    neighbour.cancel()
    # Its place would be taken if Dask had given the lost task to this worker.
    assert ends(start(pool, "echo", {"n": 1})).meta == {"n": 1}


@pytest.mark.slow
def test_a_worker_that_comes_back_under_the_same_address_does_not_take_up_the_lost_task(cluster, connect):
    pool = connect(cluster.address)
    with FaultProxy(0) as unused:
        port = ["--worker-port", str(unused.port)]
    doomed = cluster.start_worker(more=port)
    handle = sleeping(pool)
    cluster.kill_worker(doomed)
    cluster.start_worker(more=port)
    lost(handle)
    assert ends(start(pool, "echo", {"n": 2})).meta == {"n": 2}


def test_a_worker_that_is_told_to_end_gives_its_task_back(cluster, connect):
    pool = connect(cluster.address)
    leaving = cluster.start_worker()
    handle = sleeping(pool)
    family = offspring(leaving)
    cluster.kill_worker(leaving, signal.SIGTERM)
    lost(handle)
    wait_for_death(*family)


def test_the_tasks_of_a_service_that_is_killed_end_on_the_workers(cluster, connect):
    cluster.start_worker()
    service = subprocess.Popen([sys.executable, "-c", SERVICE, cluster.address], stdout=subprocess.PIPE)
    with service:
        assert service.stdout.readline() == b"at work\n"
        service.kill()
    # The worker has one place: this waits until the sleeper's child is dead.
    assert ends(start(connect(cluster.address), "echo", {"n": 6})).meta == {"n": 6}


def test_a_scheduler_that_dies_shows_and_another_one_is_found(tmp_path, connect):
    with dask_cluster.running(tmp_path, workers=1) as cluster:
        pool = connect(cluster.address, patience_s=0.5)
        wait_until(lambda: pool.ready(Lane.RUN))
        pool.check()
        running, waiting = sleeping(pool), start(pool, "sleep", SLEEP)
        [worker] = cluster.living_workers()
        family = offspring(worker)
        cluster.kill_scheduler()
        assert [lost(handle).details for handle in (running, waiting)] == [{"outage": True}] * 2
        assert not pool.ready(Lane.RUN)
        with pytest.raises(UnavailableError, match=r"does not answer|was lost"):
            pool.check()
        wait_until(lambda: _refuses(pool))
        wait_for_death(*family)
        cluster.start_scheduler()
        cluster.start_worker()
        wait_until(lambda: pool.ready(Lane.RUN))
        assert ends(start(pool, "echo", {"n": 3})).meta == {"n": 3}


def _refuses(pool) -> bool:
    try:
        start(pool, "echo")
    except UnavailableError as error:
        return error.details == {"outage": True}
    return False


@pytest.mark.parametrize("fault", [Fault(reset=True), Fault(black_hole=True)], ids=["reset", "silence"])
def test_a_network_that_is_cut_before_the_scheduler_ends_what_runs_and_heals(cluster, connect, fault):
    cluster.start_worker()
    with FaultProxy(cluster.port) as proxy:
        pool = connect(f"tcp://127.0.0.1:{proxy.port}", silence_s=2.0, connect_s=1.0)
        handle = sleeping(pool)
        proxy.play(fault)
        assert lost(handle).details == {"outage": True}
        proxy.heal()
        # The worker has one place: this waits until the child that nobody asks for any more is dead.
        assert ends(start(pool, "echo", {"n": 4})).meta == {"n": 4}
        pool.close()


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Fault(reset=True), Fault(black_hole=True)], ids=["reset", "silence"])
def test_a_worker_behind_a_cut_network_is_lost(cluster, connect, fault):
    with FaultProxy(cluster.port) as proxy:
        pool = connect(cluster.address, silence_s=3.0)
        cluster.start_worker(scheduler=f"tcp://127.0.0.1:{proxy.port}")
        handle = sleeping(pool)
        proxy.play(fault)
        lost(handle)
        cluster.start_worker()
        assert ends(start(pool, "echo", {"n": 5})).meta == {"n": 5}


def test_a_worker_with_another_version_gets_no_work(cluster, connect):
    cluster.start_worker()
    station = StationOptions(module="qdepot.testing.drill", version="0.0.0")
    pool = connect(cluster.address, station=station, patience_s=0.0)
    wait_until(lambda: "and the service has 0.0.0" in _complaint(pool))
    assert _refuses(pool)


def _complaint(pool) -> str:
    with pytest.raises(UnavailableError) as caught:
        pool.check()
    return caught.value.message
