"""Children that are killed at random under load cost time, and nothing else."""

from __future__ import annotations

import os
import random
import signal
import threading
import time

import pytest

from qdepot import Client
from support.processes import offspring
from support.service import Service

WIDTH = 12
SHOTS = 64
PATIENCE_S = 240.0


def telling(number: int) -> str:
    """A circuit whose only outcome is its own number."""
    flips = "".join(f"x q[{bit}];\n" for bit in range(WIDTH) if number >> bit & 1)
    work = "".join(f"h q[{bit}];\ncx q[{bit}], q[{(bit + 1) % WIDTH}];\n" for bit in range(WIDTH))
    undone = "".join(f"cx q[{bit}], q[{(bit + 1) % WIDTH}];\nh q[{bit}];\n" for bit in reversed(range(WIDTH)))
    return (
        f'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[{WIDTH}] q;\nbit[{WIDTH}] c;\n'
        f"{flips}{(work + undone) * 4}c = measure q;\n"
    )


class Killer:
    """Kills two of a supervisor's children every second, for some time; leaving waits until that is over."""

    def __init__(self, service: Service, *, seconds: float, seed: int) -> None:
        assert service.process is not None
        self.killed = 0
        self._service_pid = service.process.pid
        self._chance = random.Random(seed)
        self._seconds = seconds
        self._failed = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        until = time.monotonic() + self._seconds
        while not self._failed.wait(1.0) and time.monotonic() < until:
            children = [pid for pid in offspring(self._service_pid) if not offspring(pid)]
            for pid in self._chance.sample(sorted(children), min(2, len(children))):
                self.killed += _kill(pid)

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._failed.set()
        self._thread.join()

    @property
    def is_at_work(self) -> bool:
        return self._thread.is_alive()


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def under_fire(service: Service, *, seconds: float) -> tuple[dict[int, str], int]:
    """Jobs that were submitted while children were killed, by the number that each must give back."""
    client = Client(service.url)
    jobs: dict[int, str] = {}
    with Killer(service, seconds=seconds, seed=11) as killer:
        while killer.is_at_work and len(jobs) < 2**WIDTH:
            first = len(jobs)
            for number in range(first, first + 10):
                jobs[number] = client.submit(telling(number), shots=SHOTS).id
    return jobs, killer.killed


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seconds", [6, pytest.param(60, marks=pytest.mark.slow)])
def test_no_job_is_lost_or_wrong_where_two_children_are_killed_every_second(services, seconds):
    service = services()
    jobs, killed = under_fire(service, seconds=seconds)
    assert killed >= seconds / 2, "too little was killed: the test tests nothing"
    client = Client(service.url)
    for number, job_id in jobs.items():
        counts = client.job(job_id).result(timeout_s=PATIENCE_S)[0].counts
        assert dict(counts) == {f"{number:0{WIDTH}b}": SHOTS}, f"job {number}"
