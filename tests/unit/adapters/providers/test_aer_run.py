"""A job on Aer is a chain of tasks: what they are, what they give, how they end."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

from qdepot.adapters.providers.aer import AerProvider, AerSettings
from qdepot.domain.program import Circuit, Program, ProgramFormat, ProgramKind
from qdepot.errors import InvalidProgramError, NotFinishedError, NotFoundError, WorkerLostError
from qdepot.ports.compute_pool import Limits, Payload
from qdepot.ports.provider import ProviderStatus, Submission
from qdepot.testing.clock import FrozenClock
from qdepot.testing.compute_pool import wait_until
from qdepot.testing.fake_pool import FunctionPool

LAST = {ProviderStatus.DONE, ProviderStatus.FAILED, ProviderStatus.CANCELLED}


class Bench:
    """A provider over functions. A circuit's source is how many seconds of a frozen clock it takes, or a word.

    Attributes:
        tasks: The ``meta`` of each task, in order.
        heard: Whom the provider announced.
        gate, second_gate: Circuits that say "wait" or "wait again" do so until it is set.
    """

    def __init__(self, **settings):
        self.clock = FrozenClock()
        self.tasks: list[dict] = []
        self.heard: list[str] = []
        self.gate, self.second_gate = threading.Event(), threading.Event()
        self.pool = FunctionPool({"simulate": self._simulate}, monotonic=self.clock.monotonic)
        self.provider = self.make_provider(**settings)
        self.provider.on_change(self.heard.append)

    def make_provider(self, *, time_s: float = 3600.0, **settings) -> AerProvider:
        return AerProvider(
            pool=self.pool,
            limits=Limits(time_s=time_s),
            cores=1,
            describe=dict,
            settings=AerSettings(**settings),
            monotonic=self.clock.monotonic,
        )

    def submit(self, *sources: object, **fields) -> str:
        circuits = tuple(Circuit(format=ProgramFormat.OPENQASM3, source=str(source).encode()) for source in sources)
        program = Program(kind=ProgramKind.SAMPLER, circuits=circuits, shots=1)
        given = {"tag": "job.1", "job_id": "job", "backend": "aer", "program": program, **fields}
        return self.provider.submit(Submission(**given))

    def run(self, *sources: object, **fields) -> ProviderStatus:
        return self.end(self.submit(*sources, **fields))

    def end(self, job: str = "aer-job.1") -> ProviderStatus:
        wait_until(lambda: self.provider.status(job).status in LAST)
        return self.provider.status(job).status

    def rest(self, after: int = 0, job: str = "aer-job.1"):
        return self.provider.rest(job, after=after)

    @property
    def sizes(self) -> list[int]:
        return [len(meta["circuits"]) for meta in self.tasks]

    def _simulate(self, payload: Payload) -> Payload:
        self.tasks.append(dict(payload.meta))
        first = payload.meta["first_circuit"]
        entries, members = [], {}
        for place, circuit in enumerate(payload.meta["circuits"], first):
            self._play(bytes(payload.parts[circuit["part"]]).decode(), place)
            entries.append({"circuit": place})
            members[f"prepared/{place}.qpy"] = b"qpy"
        metadata = {"seed": payload.meta["options"]["seed"], "times": {"total_s": 1.0}}
        document = json.dumps({"results": entries}).encode()
        return Payload(meta={"metadata": metadata}, parts={"result.json": document, **members})

    def _play(self, source: str, place: int) -> None:
        if source == "wait":
            self.gate.wait(60)
        elif source == "wait again":
            self.second_gate.wait(60)
        elif source == "broken":
            raise InvalidProgramError("this is broken", details={"circuit": place})
        elif source == "away":
            self.pool._closed = True
        else:
            self.clock.advance(float(source))


def circuits_in(*results) -> list[int]:
    return [entry["circuit"] for result in results for entry in json.loads(bytes(result.document))["results"]]


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.gate.set()
    made.second_gate.set()
    made.provider.close()
    made.pool.close()


def test_a_job_of_one_circuit_is_one_task(bench):
    assert bench.run(0.1) is ProviderStatus.DONE
    assert bench.sizes == [1]
    assert bench.provider.part("aer-job.1", after=0) is None, "it goes into the bundle"


def test_quick_circuits_take_few_tasks(bench):
    assert bench.run(*[0.001] * 200) is ProviderStatus.DONE
    assert bench.sizes == [1, 4, 16, 64, 115]
    assert [meta["first_circuit"] for meta in bench.tasks] == [0, 1, 5, 21, 85]


def test_heavy_circuits_run_one_by_one(bench):
    assert bench.run(*[10] * 4) is ProviderStatus.DONE
    assert bench.sizes == [1, 1, 1, 1]


def test_a_task_has_as_many_circuits_as_take_a_few_seconds(bench):
    assert bench.run(*[1] * 10, *[6] * 3) is ProviderStatus.DONE
    assert bench.sizes == [1, 3, 3, 3, 3]


def test_tasks_are_no_longer_than_the_time_between_parts():
    bench = Bench(part_interval_s=0.5)
    assert bench.run(*[0.25] * 9) is ProviderStatus.DONE
    assert bench.sizes == [1, 2, 2, 2, 2]


def test_the_result_is_that_of_all_tasks_in_order(bench):
    bench.run(*[1] * 5)
    result = bench.provider.result("aer-job.1")
    assert circuits_in(result) == [0, 1, 2, 3, 4]
    assert sorted(result.members) == [f"prepared/{circuit}.qpy" for circuit in range(5)]
    assert result.metadata["times"] == {"total_s": 3.0}


def test_a_part_becomes_due_when_its_time_has_come(bench):
    job = bench.submit(2, 2, 2, "wait")
    wait_until(lambda: len(bench.tasks) == 4)
    part = bench.provider.part(job, after=0)
    assert (part.first, part.count, circuits_in(*part.results)) == (0, 3, [0, 1, 2])
    assert bench.heard == ["job"]
    assert bench.provider.part(job, after=0) == part, "it is not known to be stored yet"
    assert bench.provider.part(job, after=3) is None


def test_a_part_is_not_due_before_its_time(bench):
    job = bench.submit(2, 2, "wait")
    wait_until(lambda: len(bench.tasks) == 3)
    assert bench.provider.part(job, after=0) is None
    assert bench.heard == []
    bench.clock.advance(1)
    assert bench.provider.part(job, after=0).count == 2


def test_the_time_to_the_next_part_begins_when_the_last_was_given(bench):
    job = bench.submit(6, "wait", "wait again")
    wait_until(lambda: len(bench.tasks) == 2)
    assert bench.provider.part(job, after=0).count == 1
    bench.clock.advance(4)
    bench.gate.set()
    wait_until(lambda: len(bench.tasks) == 3)
    assert bench.provider.part(job, after=1) is None
    bench.clock.advance(1)
    assert circuits_in(*bench.provider.part(job, after=1).results) == [1]


def test_large_results_are_a_part_at_once(bench, monkeypatch):
    monkeypatch.setattr("qdepot.adapters.providers.aer_run._PART_BYTES", 10)
    job = bench.submit(0.1, "wait")
    wait_until(lambda: len(bench.tasks) == 2)
    assert bench.provider.part(job, after=0).count == 1


def test_what_is_stored_is_dropped_and_the_rest_is_given(bench):
    bench.run(*[2] * 5)
    rest = bench.rest(after=3)
    assert (rest.first, rest.count, circuits_in(*rest.results)) == (3, 2, [3, 4])
    assert circuits_in(bench.provider.result("aer-job.1")) == [3, 4]
    with pytest.raises(NotFoundError, match="begin with circuit 0"):
        bench.rest(after=0)


def test_nothing_is_given_that_does_not_begin_where_the_stored_ends(bench):
    bench.run(*[1] * 4)
    assert bench.sizes == [1, 3]
    with pytest.raises(NotFoundError, match="begin with circuit 2"):
        bench.provider.part("aer-job.1", after=2)


def test_what_an_earlier_attempt_has_stored_is_not_run_again(bench):
    assert bench.run(*[1] * 6, done=4) is ProviderStatus.DONE
    assert [(meta["first_circuit"], len(meta["circuits"])) for meta in bench.tasks] == [(4, 1), (5, 1)]
    assert circuits_in(*bench.rest(after=4).results) == [4, 5]


def test_where_everything_is_stored_nothing_is_run(bench):
    assert bench.run(1, 1, done=2) is ProviderStatus.DONE
    assert bench.tasks == []
    assert bench.heard == ["job"]
    assert (bench.rest(after=2).count, bench.rest(after=2).results) == (0, ())


def test_every_attempt_has_the_same_seed_and_another_job_another(bench):
    bench.run(1, 1, 1)
    bench.run(1, 1, 1, tag="job.2", done=1)
    bench.end("aer-job.2")
    bench.run(1, tag="other.1", job_id="other")
    bench.end("aer-other.1")
    seeds = [meta["options"]["seed"] for meta in bench.tasks]
    assert len(set(seeds[:-1])) == 1
    assert seeds[-1] != seeds[0]
    assert 0 <= seeds[0] < 2**53


def test_a_seed_that_was_given_is_kept(bench):
    bench.run(1, 1, options={"seed": 42})
    assert [meta["options"]["seed"] for meta in bench.tasks] == [42, 42]


def test_the_time_limit_is_that_of_the_whole_job():
    bench = Bench(time_s=5.0)
    assert bench.run(*[2] * 9) is ProviderStatus.FAILED
    failure = bench.provider.status("aer-job.1").failure
    assert (failure.code, failure.details) == ("time_limit_exceeded", {"time_s": 5.0})
    assert "5 s" in failure.message
    assert circuits_in(*bench.rest().results) == [0, 1, 2]


def test_a_task_may_run_no_longer_than_what_is_left(bench):
    limits = []
    submit = bench.pool.submit

    def noted(task):
        limits.append(task.limits.time_s)
        return submit(task)

    bench.pool.submit = noted
    bench.run(2, 3, 1, timeout_s=60)
    assert limits == [60, 58, 55]


def test_a_failure_leaves_what_came_before_it(bench):
    assert bench.run(1, 1, "broken", 1) is ProviderStatus.FAILED
    assert bench.provider.status("aer-job.1").failure.details == {"circuit": 2}
    assert circuits_in(*bench.rest().results) == [0]
    wait_until(lambda: bench.heard == ["job"])
    with pytest.raises(NotFinishedError):
        bench.provider.result("aer-job.1")


def test_a_cancel_leaves_what_came_before_it(bench):
    job = bench.submit(5, "wait", 1)
    wait_until(lambda: len(bench.tasks) == 2)
    bench.provider.cancel(job)
    assert bench.end() is ProviderStatus.CANCELLED
    assert circuits_in(*bench.rest().results) == [0]
    bench.gate.set()
    assert len(bench.tasks) == 2, "nothing is begun after a cancel"


def test_a_pool_that_takes_no_more_is_no_fault_of_the_job(bench):
    assert bench.run("away", 1) is ProviderStatus.FAILED
    assert bench.provider.status("aer-job.1").failure.code == WorkerLostError.code
    assert circuits_in(*bench.rest().results) == [0]


def test_a_job_counts_once_however_many_tasks_it_has(bench):
    depth = bench.provider.room()
    bench.submit(1, 1, "wait")
    wait_until(lambda: len(bench.tasks) == 2)
    assert bench.provider.room() == depth - 8, "the room of so many small ones"
    assert bench.provider.live_jobs() == ["job"]
    bench.gate.set()
    bench.end()
    assert bench.provider.room() == depth


@pytest.mark.parametrize(("size", "depth"), [(1, 64), (32, 64), (33, 66), (500, 1000)])
def test_as_many_jobs_are_taken_as_the_pool_keeps_busy(bench, size, depth):
    bench.pool.resize(size)
    assert bench.provider.room() == 8 * depth


@pytest.mark.parametrize("depth", [1, 100])
def test_a_depth_that_was_set_counts_however_large_the_pool_is(bench, depth):
    provider = bench.make_provider(depth=depth)
    for size in (1, 500):
        bench.pool.resize(size)
        assert provider.room() == 8 * depth


def test_a_job_that_waits_between_tasks_is_running(bench):
    job = bench.submit(1, "wait")
    wait_until(lambda: len(bench.tasks) == 2)
    assert bench.provider.status(job).status is ProviderStatus.RUNNING


def test_a_submission_that_found_the_pool_closed_leaves_nothing(bench):
    bench.pool.close()
    with pytest.raises(Exception, match="closed"):
        bench.submit(1)
    assert bench.provider.live_jobs() == []


def test_a_run_is_planned_for_the_program_that_was_sent(bench):
    submission = Submission(
        tag="job.1",
        job_id="job",
        backend="aer",
        program=Program(
            kind=ProgramKind.ESTIMATOR,
            circuits=(Circuit(format=ProgramFormat.OPENQASM3, source=b"1", observables={"Z": 1.0}),) * 2,
            precision=0.1,
        ),
    )
    bench.provider.submit(replace(submission, owner="lab"))
    bench.end()
    assert [(meta["kind"], meta["precision"], len(meta["circuits"])) for meta in bench.tasks] == [
        ("estimator", 0.1, 1),
        ("estimator", 0.1, 1),
    ]
