"""How many threads a simulation has."""

from __future__ import annotations

import threading

import pytest

from qdepot.adapters.providers.aer import AerProvider
from qdepot.domain.program import Circuit, Program, ProgramFormat, ProgramKind
from qdepot.ports.compute_pool import Limits, Payload
from qdepot.ports.provider import Submission
from qdepot.testing.compute_pool import wait_until
from qdepot.testing.fake_pool import FunctionPool

PROGRAM = Program(kind=ProgramKind.SAMPLER, circuits=(Circuit(format=ProgramFormat.OPENQASM2, source=b"..."),), shots=1)


@pytest.fixture
def threads():
    """Threads of each simulation that has begun, in order; they all end with the test."""
    return []


@pytest.fixture
def aer(threads):
    done = threading.Event()

    def simulate(payload: Payload) -> Payload:
        threads.append(payload.meta["threads"])
        done.wait()
        return Payload(meta={"metadata": {}}, parts={"result.json": b"{}"})

    pool = FunctionPool({"simulate": simulate}, size=3)
    yield AerProvider(pool=pool, limits=Limits(), cores=8, describe=dict)
    done.set()
    pool.close()


def large_job(number: int) -> Submission:
    """One of which nobody knows that it is small."""
    job_id = f"job-{number}"
    return Submission(tag=f"{job_id}.1", job_id=job_id, backend="aer", program=PROGRAM, options={}, owner="ada")


def test_one_alone_has_all_processors_and_those_beside_each_other_share_them(aer, threads):
    for number in (1, 2, 3):
        aer.submit(large_job(number))
        wait_until(lambda number=number: len(threads) == number)
    assert threads == [8, 4, 2]


def test_what_waits_behind_them_takes_nothing_away(aer, threads):
    for number in range(1, 7):
        aer.submit(large_job(number))
    wait_until(lambda: len(threads) == 3)
    aer.cancel("aer-job-1.1")
    wait_until(lambda: len(threads) == 4)
    assert min(threads) == 8 // 3
