"""Jobs of one project that break a step each time, and a job of another project in the same batches.

The tests of each duty look at one job at a time, and the hostile programs are run in a pool without duties: so neither
could see that the error of one job became that of its whole batch.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from qdepot.adapters.object_stores.memory import MemoryStore
from qdepot.adapters.providers.aer import AerProvider, AerSettings
from qdepot.domain.caller import Caller
from qdepot.domain.job import Duty, Job, JobStatus, Stage
from qdepot.errors import ArchiveDamagedError, InternalError, QDepotError, UnavailableError, WorkerLostError
from qdepot.ports.compute_pool import Limits, Payload
from qdepot.ports.ledger import JobFilter
from qdepot.ports.provider import ProviderReport, RawResult, Submission
from qdepot.testing.compute_pool import wait_until
from qdepot.testing.fake_pool import FunctionPool
from qdepot.testing.scripted import BulkScriptedProvider
from support.world import World, check, order, simulate

MALLORY = Caller(project="mallory", user="mallory")
ADA = Caller(project="ada", user="ada")
TEXT = "POISON\0\u202e\x1b[2J\ud800"
"""What every error of these jobs says; nobody else may read it, and no database takes it as it is."""
POISONOUS = 30


@pytest.fixture(autouse=True)
def _captures_no_log(monkeypatch):
    """Log records quote the text, and pytest-xdist cannot send a lone surrogate to the process that reports."""
    monkeypatch.setattr(logging.getLogger("qdepot.reconciler.isolation"), "disabled", True)


class PoisonousCloud(BulkScriptedProvider):
    """Fails as a vendor's library does that nobody foresaw, whenever a poisonous job is concerned."""

    def __init__(self, step: str, error: Exception, **options: Any) -> None:
        super().__init__(**options)
        self.step = step
        self.error = error
        self.poisonous: set[str] = set()

    def submit(self, submission: Submission) -> str:
        is_poisonous = submission.owner == MALLORY.project
        if is_poisonous and self.step == "submit":
            raise self.error
        provider_job_id = super().submit(submission)
        if is_poisonous:
            self.poisonous.add(provider_job_id)
        return provider_job_id

    def statuses(self, provider_job_ids: Sequence[str]) -> Mapping[str, ProviderReport | QDepotError]:
        self._fail("statuses", provider_job_ids)
        found = super().statuses(provider_job_ids)
        if self.step != "words":
            return found
        return {it: replace(told, vendor_status=TEXT) if it in self.poisonous else told for it, told in found.items()}

    def cancel(self, provider_job_id: str) -> None:
        self._fail("cancel", [provider_job_id])
        super().cancel(provider_job_id)

    def result(self, provider_job_id: str) -> RawResult:
        self._fail("result", [provider_job_id])
        result = super().result(provider_job_id)
        return RESULTS.get(self.step, _same)(result) if provider_job_id in self.poisonous else result

    def _fail(self, step: str, provider_job_ids: Sequence[str]) -> None:
        if self.step == step and self.poisonous & set(provider_job_ids):
            raise self.error


def _same(result: RawResult) -> RawResult:
    return result


def _other_shots(result: RawResult) -> RawResult:
    document = json.loads(bytes(result.document))
    document["results"][0]["shots"] += 1
    return replace(result, document=json.dumps(document).encode())


RESULTS: Mapping[str, Callable[[RawResult], RawResult]] = {
    "names": lambda result: replace(result, members={f"memory/0/../../{TEXT}.npy": b"x", "job.json": b"y"}),
    "no JSON": lambda result: replace(result, document=TEXT.encode(errors="surrogatepass")),
    "metadata": lambda result: replace(result, metadata={TEXT: object()}),
    "format": lambda result: replace(result, format=TEXT),
    "shots": _other_shots,
}
COMPLETED = {"names", "words"}
"""Poison that harms nothing."""
LASTING = [ValueError(TEXT), InternalError(TEXT)]
STEPS = [(step, error) for step in ("submit", "statuses", "result") for error in LASTING]
STEPS += [
    ("statuses", UnavailableError(TEXT)),
    ("result", UnavailableError(TEXT)),
    ("result", ArchiveDamagedError(TEXT)),
]
STEPS += [(step, LASTING[0]) for step in ("cancel", "words", *RESULTS)]


def told_to(world: World, caller: Caller) -> str:
    """All that the owner of a project can read about its jobs, as text."""
    jobs = world.jobs()
    page = jobs.ledger.page(JobFilter(project=caller.project), limit=500).jobs
    told = [repr(jobs.get(job.id, caller=caller)) + repr(jobs.events(job.id, caller=caller)) for job in page]
    return "\n".join(told)


def submitted(world: World, caller: Caller, **kwargs: Any) -> Job:
    return world.jobs().submit(order(**kwargs), caller=caller).job


def play(world: World, victims: Sequence[Job], seconds: int) -> None:
    process = world.process()
    for _ in range(seconds):
        process.run_until_idle()
        world.clock.advance(1)
        process.keeper.run_once()
        if all(world.job(job).pending_removed for job in victims):
            break


@pytest.mark.parametrize(("step", "error"), STEPS, ids=lambda it: it if isinstance(it, str) else type(it).__name__)
def test_no_job_of_another_project_notices(world: World, step, error):
    world.providers = {"scripted": PoisonousCloud(step, error, clock=world.clock)}
    poison = [submitted(world, MALLORY) for _ in range(POISONOUS // 2)]
    victim = submitted(world, ADA)
    poison += [submitted(world, MALLORY) for _ in range(POISONOUS // 2)]
    if step == "cancel":
        world.process().run(Duty.PREPARE, Duty.SUBMIT)
        for job in poison:
            world.jobs().cancel(job.id, caller=MALLORY)
    play(world, [victim], 120)
    home = world.job(victim)
    assert (home.status, home.attempt, home.failures_in_row) == (JobStatus.COMPLETED, 1, 0)
    assert "POISON" not in told_to(world, ADA)
    others = [story for story in world.story(victim) if "collecting" in story]
    assert len(others) <= 2
    play(world, poison, 400)
    for job in map(world.job, poison):
        if step in COMPLETED or step == "cancel":
            assert job.status is JobStatus.COMPLETED
        elif step == "submit":
            assert job.stage is Stage.IN_DOUBT  # an error of any other kind may have come behind the sending
        elif isinstance(error, UnavailableError | ArchiveDamagedError) or step == "statuses":
            assert not job.is_final
            assert job.failures_in_row >= 4
        else:
            assert job.status is JobStatus.FAILED, job.why
        assert job.attempt == 1
        assert job.why.isprintable()
        assert (job.vendor_status or "").isprintable()


class Busy:
    """A checker that has no time while the caller waits."""

    def submit(self, task: object) -> None:
        raise UnavailableError("busy")


CRASHES = [*LASTING, WorkerLostError(TEXT, details={"crashed": True})]


@pytest.mark.parametrize("error", CRASHES, ids=lambda error: type(error).__name__)
def test_a_check_that_always_fails_holds_up_no_other_job(world: World, error):
    def check_or_fail(payload: Payload) -> Payload:
        if any(b"broken" in bytes(part) for part in payload.parts.values()):
            raise error
        return check(payload)

    accepting = world.jobs(checker=Busy())
    poison = [accepting.submit(order(f"broken {number}"), caller=MALLORY).job for number in range(3)]
    victim = accepting.submit(order(), caller=ADA).job
    world.pool.close()
    with closing(FunctionPool({"check": check_or_fail, "simulate": simulate})) as world.pool:
        play(world, [victim, *poison], 120)
    assert world.job(victim).status is JobStatus.COMPLETED
    assert [world.job(job).status for job in poison] == [JobStatus.FAILED] * 3
    assert "POISON" not in told_to(world, ADA)


@pytest.mark.parametrize("step", ["no JSON", "shots"])
def test_what_a_simulation_gives_that_cannot_be_stored_is_simulated_once(world: World, step):
    """A result that is not stored stays with its process: a run is never made again because of the archive."""
    runs: list[int] = []

    def simulate_poison(payload: Payload) -> Payload:
        runs.append(1)
        good = simulate(payload)
        raw = RawResult(format="qdepot", document=bytes(good.parts["result.json"]))
        raw = RESULTS[step](raw)
        parts = {"result.json": raw.document, **raw.members}
        return Payload(meta={"metadata": dict(raw.metadata)}, parts=parts)

    with closing(FunctionPool({"check": check, "simulate": simulate_poison})) as pool:
        aer = AerProvider(pool=pool, limits=Limits(), cores=1, describe=dict)
        world.providers = {"aer": aer}
        job = submitted(world, MALLORY, backend="aer")
        process = world.process()
        for _ in range(120):
            process.run_until_idle()
            wait_until(lambda: all(run.ended for run in aer._runs.values()))
            world.clock.advance(1)
            process.keeper.run_once()
        home = world.job(job)
    assert (home.attempt, len(runs)) == (1, 1)
    assert home.status is JobStatus.FAILED
    assert home.failure is not None
    assert home.failure.code == "result_not_stored"
    assert aer.live_jobs() == []


def test_while_the_archive_is_away_a_simulation_waits_with_its_process(world: World, monkeypatch):
    with closing(FunctionPool({"check": check, "simulate": simulate})) as pool:
        aer = AerProvider(pool=pool, limits=Limits(), cores=1, describe=dict)
        world.providers = {"aer": aer}
        jobs = [submitted(world, ADA, backend="aer") for _ in range(5)]
        process = world.process()
        monkeypatch.setattr(MemoryStore, "create_many", _away)
        for second in range(150):
            if second == 60:
                monkeypatch.undo()
            process.run_until_idle()
            wait_until(lambda: all(run.ended for run in aer._runs.values()))
            world.clock.advance(1)
            process.keeper.run_once()
    assert [(world.job(job).status, world.job(job).attempt) for job in jobs] == [(JobStatus.COMPLETED, 1)] * 5


def test_while_the_archive_is_away_results_are_kept_of_so_many_jobs_and_no_more(world: World, monkeypatch):
    with closing(FunctionPool({"check": check, "simulate": simulate})) as pool:
        aer = AerProvider(pool=pool, limits=Limits(), cores=1, describe=dict, settings=AerSettings(depth=1))
        world.providers = {"aer": aer}
        jobs = [submitted(world, ADA, backend="aer") for _ in range(60)]
        process = world.process()
        monkeypatch.setattr(MemoryStore, "create_many", _away)
        for _ in range(30):
            process.run_until_idle()
            wait_until(lambda: all(run.ended for run in aer._runs.values()))
            world.clock.advance(1)
            process.keeper.run_once()
        assert 8 <= len(aer.live_jobs()) <= 16
        monkeypatch.undo()
        for _ in range(120):
            process.run_until_idle()
            wait_until(lambda: all(run.ended for run in aer._runs.values()))
            world.clock.advance(1)
            process.keeper.run_once()
    assert {(world.job(job).status, world.job(job).attempt) for job in jobs} == {(JobStatus.COMPLETED, 1)}


def _away(_store: MemoryStore, _objects: object) -> None:
    raise UnavailableError("the store does not answer")
