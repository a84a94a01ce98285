"""Small simulations that go to children together give, bit for bit, what they give alone."""

import json

import pytest

from qdepot.adapters.compute.processes import PoolOptions, ProcessPool
from qdepot.adapters.providers.aer_gather import Gatherer
from qdepot.domain.backend import BackendInfo
from qdepot.domain.program import Circuit, Program, ProgramFormat, ProgramKind
from qdepot.errors import InvalidProgramError
from qdepot.ports.compute_pool import Lane, Limits
from qdepot.ports.operations import simulate_task

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c;'
BELL = f"{HEAD} h q[0]; cx q[0], q[1]; c = measure q;"
MIDWAY = f"{HEAD} h q[0]; c[0] = measure q[0]; h q[0]; cx q[0], q[1]; c[1] = measure q[1];"
ENDLESS = f"{HEAD} while (!c[0]) {{ c[0] = measure q[0]; }} c = measure q;"
NEVER_READ = "OPENQASM 3.0; this is none"
BACKEND = BackendInfo(name="aer", provider="aer", kinds=frozenset(ProgramKind), properties={"method": "automatic"})


@pytest.fixture(scope="module")
def pool():
    with ProcessPool(PoolOptions(children={Lane.CHECK: 1, Lane.RUN: 2})) as pool:
        yield pool


def task(source, *, seed, shots=100, time_s=60.0, memory=False):
    circuit = Circuit(format=ProgramFormat.OPENQASM3, source=source.encode())
    program = Program(kind=ProgramKind.SAMPLER, circuits=(circuit,), shots=shots)
    limits = Limits(time_s=time_s)
    options = {"seed": seed, "memory": memory}
    return simulate_task(program, options=options, backend=BACKEND, threads=1, owner="anna", limits=limits)


def told(handle):
    """All of an answer but its times."""
    answer = handle.result(60)
    (entry,) = json.loads(bytes(answer.parts["result.json"]))["results"]
    del entry["metadata"]["times"]
    others = {name: bytes(content) for name, content in answer.parts.items() if name != "result.json"}
    return entry, others, answer.meta["summary"], answer.meta["metadata"]["seed"]


def test_each_of_many_gives_what_it_gives_alone(pool):
    gatherer = Gatherer(pool)
    tasks = [
        task(source, seed=seed, shots=100 + seed, memory=bool(seed % 2))
        for seed in range(40)
        for source in (BELL, MIDWAY)
    ]
    together = [gatherer.submit(each) for each in tasks]
    assert [told(handle) for handle in together] == [told(pool.submit(each)) for each in tasks]


def test_a_bad_one_fails_alone_with_its_own_words(pool):
    gatherer = Gatherer(pool)
    sources = [BELL] * 10 + [NEVER_READ] + [BELL] * 10
    handles = [gatherer.submit(task(source, seed=1)) for source in sources]
    with pytest.raises(InvalidProgramError) as together:
        handles[10].result(60)
    with pytest.raises(InvalidProgramError) as alone:
        pool.submit(task(NEVER_READ, seed=1)).result(60)
    assert (together.value.message, together.value.details) == (alone.value.message, alone.value.details)
    assert len({str(told(handle)) for handle in handles if handle is not handles[10]}) == 1


def test_an_endless_one_can_be_cancelled_and_the_others_end(pool):
    gatherer = Gatherer(pool)
    handles = [gatherer.submit(task(source, seed=1)) for source in [BELL] * 10 + [ENDLESS] + [BELL] * 10]
    told(handles[0])
    handles[10].cancel()
    assert len({str(told(handle)) for handle in handles if handle is not handles[10]}) == 1
