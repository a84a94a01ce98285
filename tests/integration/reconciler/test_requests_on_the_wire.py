"""How many requests a job costs at a real object store, counted where they pass."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from qdepot.adapters.object_stores.cloud import CloudStore
from qdepot.adapters.providers.aer import AerProvider
from qdepot.archive.archive import Archive
from qdepot.domain.job import Duty, JobStatus
from qdepot.ports.compute_pool import Limits
from qdepot.services.verifying import Verification
from qdepot.testing.compute_pool import wait_until
from qdepot.testing.fault_proxy import FaultProxy
from support.world import ME, World, order

_REQUEST = re.compile(rb"^(GET|PUT|POST|DELETE|HEAD) (\S+) HTTP/1\.1\r$", re.MULTILINE)


class Counting:
    """Notes the requests that pass."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.rights: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, data: bytes) -> None:
        with self._lock:
            for method, target in _REQUEST.findall(data):
                is_list = method == b"GET" and b"list-type" in target
                self.seen["LIST" if is_list else method.decode()] += 1
                self.rights.add(right_for(method.decode(), target.decode()))


def right_for(method: str, target: str) -> str:
    """What S3 asks for before it does that."""
    path, _, query = target.partition("?")
    questions = {it.partition("=")[0] for it in query.split("&") if it}
    rights = {
        ("GET", frozenset()): "s3:GetObject",
        ("HEAD", frozenset()): "s3:GetObject",
        ("PUT", frozenset()): "s3:PutObject",
        ("DELETE", frozenset()): "s3:DeleteObject",
        ("POST", frozenset({"delete"})): "s3:DeleteObject",
    }
    if method == "GET" and "list-type" in questions:
        return "s3:ListBucket"
    return rights.get((method, frozenset(questions)), f"unheard of: {method} {path}?{query}")


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
    assert counted.seen == {"PUT": 4, "GET": 1, "POST": 1}


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
    assert counted.seen == {"PUT": 2, "GET": 1, "POST": 1}


def test_a_change_of_name_puts_one_object_more(world: World, counted):
    job = world.submit()
    world.bring_home(world.process(), seconds=20)
    before = counted.seen.copy()
    world.jobs().edit(job.id, caller=ME, name="another")
    assert counted.seen - before == {"PUT": 1}


def test_many_jobs_that_come_together_share_one_request(world: World, counted):
    world.jobs().submit_many([order(str(number)) for number in range(10)], caller=ME, atomic=True)
    assert counted.seen == {"PUT": 1}


def test_the_policy_in_the_documentation_allows_what_is_asked_and_no_more(world: World, counted):
    job = world.submit()
    world.bring_home(world.process(), seconds=20)
    world.jobs().edit(job.id, caller=ME, name="another")
    assert b"".join(world.jobs().result(job.id, caller=ME))
    world.archive.pending.check()
    Verification(ledger=world.ledger, archive=world.archive).run(at=world.clock.now())
    world.jobs().delete(job.id, caller=ME)
    page = Path(__file__).parents[3] / "docs" / "how-to" / "use-postgresql-and-s3.md"
    policy = json.loads(re.search(r"```json\n(.*?)```", page.read_text(), re.DOTALL)[1])
    allowed = [statement["Action"] for statement in policy["Statement"]]
    assert counted.rights == {it for action in allowed for it in ([action] if isinstance(action, str) else action)}
