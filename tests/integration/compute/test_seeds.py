"""What a seed promises, through the provider and real children: repeated attempts, seeds that are told, groups."""

import json

import pytest

from qdepot.adapters.compute.processes import PoolOptions, ProcessPool
from qdepot.adapters.providers.aer import AerProvider
from qdepot.domain.program import Circuit, Program, ProgramFormat, ProgramKind
from qdepot.domain.result_document import joined, pieces_of
from qdepot.ports.compute_pool import Lane, Limits
from qdepot.ports.provider import ProviderStatus, Submission
from qdepot.testing.compute_pool import wait_until

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; input float a; qubit[2] q;'
SOURCES = (
    f"{HEAD} bit[2] c; h q; rz(a) q[0]; c = measure q;",
    f"{HEAD} bit[2] c; h q; rz(a) q[0]; c[0] = measure q[0]; h q[0]; c[1] = measure q[0];",
)
SETS = {"a": [0.1, 0.2, 0.3]}
SAMPLER = Program(
    kind=ProgramKind.SAMPLER,
    circuits=tuple(
        Circuit(format=ProgramFormat.OPENQASM3, source=source.encode(), parameter_values=SETS) for source in SOURCES * 2
    ),
    shots=200,
)
ESTIMATOR = Program(
    kind=ProgramKind.ESTIMATOR,
    circuits=tuple(
        Circuit(
            format=ProgramFormat.OPENQASM3,
            source=f"{HEAD} rx(a) q[0];".encode(),
            parameter_values=SETS,
            observables="IZ",
        )
        for _ in range(4)
    ),
    precision=0.1,
)
WAYS = {
    "sampler": (SAMPLER, {"memory": True}),
    "sampler, by Aer": (SAMPLER, {"memory": True, "sampling": "aer"}),
    "sampler, noise": (SAMPLER, {"memory": True, "noise": "fake_manila"}),
    "estimator": (ESTIMATOR, {}),
}


@pytest.fixture(scope="module")
def pool():
    with ProcessPool(PoolOptions(children={Lane.CHECK: 1, Lane.RUN: 2})) as pool:
        yield pool


class Jobs:
    """Jobs of one provider process."""

    def __init__(self, pool, *, cores=1):
        self._provider = AerProvider(pool=pool, limits=Limits(time_s=300), cores=cores, describe=dict)
        self._attempts = 0

    def run(self, program, options, *, job_id, done=0):
        """The results of a job's circuits from number ``done`` on, and the seed that its metadata name."""
        self._attempts += 1
        tag = f"{job_id}.{self._attempts}"
        job = self._provider.submit(
            Submission(tag=tag, job_id=job_id, backend="aer", program=program, options=options, done=done)
        )
        wait_until(lambda: self._provider.status(job).status in {ProviderStatus.DONE, ProviderStatus.FAILED})
        assert self._provider.status(job).status is ProviderStatus.DONE
        results = self._provider.rest(job, after=done).results
        whole = json.loads(b"".join(joined(pieces_of(bytes(each.document)) for each in results)))["results"]
        told = [{name: entry.get(name) for name in ("counts", "memory", "evs")} for entry in whole]
        return told, results[0].metadata["seed"]


@pytest.mark.parametrize("way", WAYS)
def test_a_job_without_a_seed_repeats_itself_in_every_attempt_and_from_every_place(pool, way):
    program, options = WAYS[way]
    first, seed = Jobs(pool).run(program, options, job_id="job")
    again, same_seed = Jobs(pool, cores=2).run(program, options, job_id="job")
    assert (again, same_seed) == (first, seed)
    for done in (1, 3):
        assert Jobs(pool).run(program, options, job_id="job", done=done) == (first[done:], seed)
    assert Jobs(pool).run(program, options, job_id="other")[0] != first


@pytest.mark.parametrize("way", WAYS)
def test_the_seed_in_the_metadata_gives_the_same_results_to_another_job(pool, way):
    program, options = WAYS[way]
    first, seed = Jobs(pool).run(program, options, job_id="job")
    assert Jobs(pool).run(program, {**options, "seed": seed}, job_id="other") == (first, seed)
    assert Jobs(pool).run(program, {**options, "seed": seed + 1}, job_id="job")[0] != first
