"""How many requests a job costs at a real object store, counted where they pass."""

from __future__ import annotations

import re
import threading
import uuid
from collections import Counter
from dataclasses import replace

import pytest

from qdepot.adapters.object_stores.cloud import CloudStore
from qdepot.adapters.providers.aer import AerProvider
from qdepot.archive.archive import Archive
from qdepot.domain.job import Duty, JobStatus
from qdepot.ports.compute_pool import Limits
from qdepot.testing.compute_pool import wait_until
from qdepot.testing.fault_proxy import FaultProxy
from support.world import ME, World, order

_REQUEST = re.compile(rb"^(GET|PUT|POST|DELETE|HEAD) (\S+) HTTP/1\.1\r$", re.MULTILINE)


class Counting:
    """Notes the requests that pass."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, data: bytes) -> None:
        with self._lock:
            for method, target in _REQUEST.findall(data):
                is_list = method == b"GET" and b"list-type" in target
                self.seen["LIST" if is_list else method.decode()] += 1


@pytest.fixture
def counted(world: World, s3_server):
    """The world's archive is in a bucket; all that is asked of it is counted."""
    counting = Counting()
    with FaultProxy(s3_server.port, tap=counting) as proxy:
        options = replace(s3_server.options, endpoint=f"http://127.0.0.1:{proxy.port}")
        place = uuid.uuid4().hex
        pending, completed = (CloudStore.open(s3_server.url(f"{place}/{it}"), options) for it in ("p", "c"))
        world.archive = Archive(pending=pending, completed=completed)
        yield counting


def test_a_job_for_a_cloud_puts_four_objects_and_lists_nothing(world: World, counted):
    job = world.submit()
    assert counted.seen == {"PUT": 1}, "the request is stored before the job is accepted"
    world.bring_home(world.process(), seconds=20)
    assert world.job(job).status is JobStatus.COMPLETED
    assert counted.seen == {"PUT": 4, "GET": 2, "POST": 1}


def test_a_simulation_puts_two_objects_and_lists_nothing(world: World, counted):
    aer = AerProvider(pool=world.pool, limits=Limits(), cores=1, describe=dict)
    world.providers = {"aer": aer}
    job = world.jobs().submit(order(backend="aer"), caller=ME).job
    process = world.process()
    process.run(Duty.SUBMIT)
    [run] = aer._runs.values()
    wait_until(lambda: run.ended)
    world.bring_home(process, seconds=3)
    assert world.job(job).status is JobStatus.COMPLETED
    assert counted.seen == {"PUT": 2, "GET": 2, "POST": 1}
