"""What is done of a job is kept, whatever becomes of the process, of the job, or of the store."""

from __future__ import annotations

import json
import threading
import zipfile
from collections import Counter
from dataclasses import replace
from io import BytesIO

import pytest

from qdepot.adapters.providers.aer import AerProvider, AerSettings
from qdepot.archive import Archive
from qdepot.domain.job import Duty, Job, JobStatus, Stage
from qdepot.domain.program import Program
from qdepot.domain.result import Outcome
from qdepot.errors import InvalidProgramError, WorkerLostError
from qdepot.ports.compute_pool import Limits, Payload
from qdepot.ports.provider import ProviderReport, ProviderStatus
from qdepot.reconciler.poller import Poller
from qdepot.services.orders import JobOrder
from qdepot.testing.archive import validate_archive
from qdepot.testing.compute_pool import PATIENCE_S, wait_until
from qdepot.testing.fake_pool import FunctionPool
from qdepot.testing.faulty_store import FaultyStore
from support.world import ME, Process, World, check


class Killed(BaseException):
    """The process dies on this line."""


class Shop:
    """Runs circuits one at a time, each when the test lets it; the clock stands still but for what they take.

    A circuit's source is how many seconds it takes, or a word.

    Attributes:
        ran: How often each circuit was run to its end.
        deadly: Circuits that say so kill their worker.
    """

    def __init__(self, world: World):
        self.world = world
        self.ran: Counter[int] = Counter()
        self.deadly = True
        self._gate = threading.Condition()
        self._permits = 0
        self._waiting = 0
        self._killed = 0
        self._providers: list[AerProvider] = []
        world.pool.close()
        world.pool = FunctionPool({"check": check, "simulate": self._simulate}, size=8, monotonic=world.clock.monotonic)
        world.providers = {"aer": self._provider()}

    def _provider(self) -> AerProvider:
        made = AerProvider(
            pool=self.world.pool,
            limits=Limits(),
            cores=1,
            describe=dict,
            settings=AerSettings(part_interval_s=5.0),
            monotonic=self.world.clock.monotonic,
        )
        self._providers.append(made)
        return made

    def process(self) -> Process:
        """With a provider of its own, that knows nothing of other processes' runs."""
        provider = self._provider()
        process = self.world.process({"aer": provider})
        [poller] = [duty for _, duty in process.duties if isinstance(duty, Poller)]
        provider.on_change(lambda job_id: poller.announced.note([job_id]))
        return process

    def kill(self) -> None:
        """All processes so far are dead, and their leases lapse."""
        with self._gate:
            self._killed += 1
            self._gate.notify_all()
            assert self._gate.wait_for(lambda: not self._waiting, timeout=PATIENCE_S)
        self._providers.clear()
        self.world.clock.advance(16)

    def submit(self, *sources: object) -> Job:
        circuits = [{"format": "openqasm3", "source": str(source)} for source in sources]
        program = {"kind": "sampler", "shots": 4, "circuits": circuits}
        body = json.dumps({"backend": "aer", "program": program}).encode()
        order = JobOrder(body=body, backend="aer", program=Program.from_document(program))
        return self.world.jobs().submit(order, caller=ME).job

    def job(self, job: Job) -> Job:
        return self.world.job(job)

    def let_run(self, circuits: int = 1) -> None:
        """Let so many circuits run, and wait until the next ones wait or all is over."""
        for _ in range(circuits):
            with self._gate:
                assert self._gate.wait_for(lambda: self._waiting, timeout=PATIENCE_S), "no circuit waits to be run"
                self._permits = 1
                self._gate.notify_all()
                assert self._gate.wait_for(lambda: not self._permits, timeout=PATIENCE_S)
            wait_until(lambda: self._waiting or self._is_idle())

    def work(self, process: Process, circuits: int = 1) -> None:
        """Let so many circuits run one after the other, and the duties after each."""
        process.run(Duty.SUBMIT)
        for _ in range(circuits):
            self.let_run()
            process.keeper.run_once()
            process.run(Duty.POLL)
            self.world.clock.advance(0.5)
            process.run(Duty.POLL)

    def bring_home(self, process: Process, job: Job) -> Job:
        for _ in range(200):
            process.run()
            process.keeper.run_once()
            if self.job(job).is_final:
                break
            if self._waiting:
                self.let_run()
            else:
                self.world.clock.advance(0.5)
        process.run_until_idle()
        assert self.job(job).is_final
        validate_archive(self.world.archive, self.world.ledger)
        return self.job(job)

    def result(self, job: Job) -> list[int]:
        """The circuits in the bundle's result."""
        with zipfile.ZipFile(BytesIO(self.world.completed.get(self.job(job).result_key))) as bundle:
            return [entry["circuit"] for entry in json.loads(bundle.read("result.json"))["results"]]

    def about(self, job: Job) -> dict:
        with zipfile.ZipFile(BytesIO(self.world.completed.get(self.job(job).result_key))) as bundle:
            return json.loads(bundle.read("job.json"))

    def _is_idle(self) -> bool:
        return all(run.ended for provider in self._providers for run in list(provider._runs.values()))

    def _simulate(self, payload: Payload) -> Payload:
        entries = []
        for place, circuit in enumerate(payload.meta["circuits"], payload.meta["first_circuit"]):
            self._wait_for_permit()
            self._play(bytes(payload.parts[circuit["part"]]).decode())
            self.ran[place] += 1
            entries.append({"circuit": place})
        document = json.dumps({"results": entries}).encode()
        return Payload(meta={"metadata": {"seed": 1}}, parts={"result.json": document})

    def _wait_for_permit(self) -> None:
        with self._gate:
            mine = self._killed
            self._waiting += 1
            self._gate.notify_all()
            self._gate.wait_for(lambda: self._permits or self._killed != mine)
            self._waiting -= 1
            self._gate.notify_all()
            if self._killed != mine:
                raise WorkerLostError("its process is dead")
            self._permits = 0

    def _play(self, source: str) -> None:
        if source == "unfit":
            raise InvalidProgramError("this one does not fit")
        if source == "deadly" and self.deadly:
            raise WorkerLostError("its child died by signal 11")
        self.world.clock.advance(float(source) if source != "deadly" else 1.0)


@pytest.fixture
def shop(world: World):
    made = Shop(world)
    yield made
    made.kill()


def parts_of(shop: Shop) -> list[str]:
    return sorted(info.key for info in shop.world.pending.scan() if ".part-" in info.key)


def test_a_long_job_is_stored_in_parts_that_become_one_result(shop: Shop):
    job, process = shop.submit(*[6] * 5), shop.process()
    shop.work(process, 3)
    stored = shop.job(job)
    assert (stored.status, stored.stage) == (JobStatus.RUNNING, Stage.RUNNING)
    assert (len(parts_of(shop)), stored.parts, stored.circuits_done) == (3, 3, 3)
    final = shop.bring_home(process, job)
    assert (final.status, final.circuits_done, final.attempt) == (JobStatus.COMPLETED, 5, 1)
    assert shop.result(job) == [0, 1, 2, 3, 4]
    assert shop.ran == dict.fromkeys(range(5), 1)
    assert list(shop.world.pending.scan()) == []
    metadata = shop.about(job)["metadata"]
    assert metadata["seed"] == 1
    assert metadata["parts"] == [{"first": first, "count": 1, "attempt": 1} for first in range(4)]


def test_results_that_come_often_are_stored_together(shop: Shop):
    job, process = shop.submit(*[2] * 8), shop.process()
    shop.work(process, 6)
    assert shop.job(job).parts == 2
    assert shop.job(job).circuits_done >= 4


def test_a_job_that_is_over_soon_has_no_parts(shop: Shop):
    stores = [FaultyStore(store) for store in (shop.world.pending, shop.world.completed)]
    shop.world.archive = Archive(pending=stores[0], completed=stores[1])
    job, process = shop.submit(*[0.1] * 20), shop.process()
    process.run(Duty.SUBMIT)
    shop.let_run(20)
    process.run(Duty.POLL, Duty.COLLECT)
    assert (shop.job(job).status, shop.job(job).parts) == (JobStatus.COMPLETED, 0)
    assert "parts" not in shop.about(job)["metadata"]
    writes = ("create", "replace", "create_many")
    assert sum(store.calls[verb] for store in stores for verb in writes) == 2
    assert sum(store.calls["scan"] for store in stores) == 0


def test_each_part_is_one_write_more(shop: Shop):
    stores = [FaultyStore(store) for store in (shop.world.pending, shop.world.completed)]
    shop.world.archive = Archive(pending=stores[0], completed=stores[1])
    job, process = shop.submit(*[6] * 4), shop.process()
    shop.work(process, 3)
    shop.let_run()
    for duty in (Duty.POLL, Duty.COLLECT, Duty.CLEAN):
        process.run(duty)
    assert (shop.job(job).status, shop.job(job).parts) == (JobStatus.COMPLETED, 3)
    writes = ("create", "replace", "create_many")
    assert sum(store.calls[verb] for store in stores for verb in writes) == 2 + 3
    assert sum(store.calls["scan"] for store in stores) == 0


def test_a_killed_process_costs_only_what_was_not_stored(shop: Shop):
    job = shop.submit(*[6] * 3, 1, *[6] * 3)
    process = shop.process()
    shop.work(process, 3)
    shop.let_run()
    shop.kill()
    final = shop.bring_home(shop.process(), job)
    assert (final.status, final.attempt, final.circuits_done) == (JobStatus.COMPLETED, 2, 7)
    assert shop.result(job) == list(range(7))
    assert [shop.ran[circuit] for circuit in range(7)] == [1, 1, 1, 2, 1, 1, 1]
    attempts = [(part["first"], part["attempt"]) for part in shop.about(job)["metadata"]["parts"]]
    assert attempts[:4] == [(0, 1), (1, 1), (2, 1), (3, 2)]


def die_at(monkeypatch, where: type, verb: str, condition, *, after: bool = False) -> None:
    """Let the next call for which the condition holds be the last of its process."""
    call = getattr(where, verb)

    def deadly(self, *args, **kwargs):
        if not condition(*args):
            return call(self, *args, **kwargs)
        monkeypatch.undo()
        if after:
            call(self, *args, **kwargs)
        raise Killed

    monkeypatch.setattr(where, verb, deadly)


def has_parts(changes) -> bool:
    return any(change.after.parts != change.before.parts for change in changes)


@pytest.mark.parametrize("after", [False, True], ids=["not stored", "stored"])
def test_a_process_killed_at_a_part_leaves_it_whole_or_not_at_all(shop: Shop, monkeypatch, after):
    job = shop.submit(6, 6)
    process = shop.process()
    die_at(monkeypatch, Archive, "put_part", lambda *_: True, after=after)
    with pytest.raises(Killed):
        shop.work(process)
    assert (len(parts_of(shop)), shop.job(job).circuits_done) == (int(after), 0)
    shop.kill()
    final = shop.bring_home(shop.process(), job)
    assert (final.status, shop.result(job)) == (JobStatus.COMPLETED, [0, 1])
    assert shop.ran[0] == (1 if after else 2), "what is stored is used, also where the row did not say so"


@pytest.mark.parametrize("after", [False, True], ids=["not committed", "committed"])
def test_a_process_killed_at_the_commit_of_a_part_leaves_it(shop: Shop, monkeypatch, after):
    job = shop.submit(6, 6)
    process = shop.process()
    die_at(monkeypatch, type(shop.world.ledger), "save", has_parts, after=after)
    with pytest.raises(Killed):
        shop.work(process)
    assert (len(parts_of(shop)), shop.job(job).circuits_done) == (1, int(after))
    shop.kill()
    shop.bring_home(shop.process(), job)
    assert (shop.result(job), shop.ran[0]) == ([0, 1], 1)


@pytest.mark.parametrize("after", [False, True], ids=["no bundle", "bundle"])
def test_a_process_killed_at_the_bundle_leaves_the_parts(shop: Shop, monkeypatch, after):
    job = shop.submit(6, 6, 1)
    process = shop.process()
    shop.work(process, 2)
    shop.let_run()
    process.run(Duty.POLL)
    die_at(monkeypatch, Archive, "complete_many", lambda *_: True, after=after)
    with pytest.raises(Killed):
        process.run(Duty.COLLECT)
    assert (shop.job(job).stage, shop.job(job).circuits_done) == (Stage.COLLECTING, 2)
    shop.kill()
    final = shop.bring_home(shop.process(), job)
    assert (final.status, final.circuits_done, shop.result(job)) == (JobStatus.COMPLETED, 3, [0, 1, 2])
    assert shop.ran == {0: 1, 1: 1, 2: 2}


def test_where_all_circuits_are_stored_none_is_run_again(shop: Shop, monkeypatch):
    job, process = shop.submit(6, 6), shop.process()
    shop.work(process)
    monkeypatch.setattr(AerProvider, "part", AerProvider.rest)
    monkeypatch.setattr(AerProvider, "status", lambda *_: replace(report, status=ProviderStatus.RUNNING))
    report = ProviderReport(status=ProviderStatus.RUNNING, vendor_status="late to notice that it is done")
    shop.work(process)
    assert (shop.job(job).circuits_done, shop.job(job).status) == (2, JobStatus.RUNNING)
    monkeypatch.undo()
    shop.kill()
    final = shop.bring_home(shop.process(), job)
    assert (final.status, final.attempt, shop.result(job)) == (JobStatus.COMPLETED, 2, [0, 1])
    assert shop.ran == {0: 1, 1: 1}


def test_a_cancelled_job_keeps_what_was_done(shop: Shop):
    job, process = shop.submit(6, 1, 6, 6), shop.process()
    shop.work(process, 2)
    assert shop.job(job).circuits_done == 1
    shop.world.jobs().cancel(job.id, caller=ME)
    process.run(Duty.POLL)
    final = shop.bring_home(process, job)
    assert (final.status, final.circuits_done) == (JobStatus.CANCELLED, 2)
    assert shop.result(job) == [0, 1], "also what was not worth a part yet"
    assert shop.about(job)["circuits_done"] == 2


def test_a_failed_job_keeps_what_was_done(shop: Shop):
    job, process = shop.submit(6, 6, "unfit", 1), shop.process()
    final = shop.bring_home(process, job)
    assert (final.status, final.failure.message) == (JobStatus.FAILED, "this one does not fit")
    assert (final.circuits_done, shop.result(job)) == (2, [0, 1])
    assert final.result_size_bytes is not None


def test_a_job_that_failed_at_once_has_no_result(shop: Shop):
    job, process = shop.submit("unfit", 1), shop.process()
    final = shop.bring_home(process, job)
    assert (final.status, final.circuits_done, final.result_size_bytes) == (JobStatus.FAILED, 0, None)


def test_a_lost_worker_costs_only_what_it_was_doing(shop: Shop):
    job, process = shop.submit(1, "deadly", 1), shop.process()
    shop.work(process, 2)
    assert (shop.job(job).attempt, shop.job(job).parts, shop.job(job).circuits_done) == (2, 1, 1)
    shop.deadly = False
    final = shop.bring_home(process, job)
    assert (final.status, shop.result(job)) == (JobStatus.COMPLETED, [0, 1, 2])
    assert shop.ran == {0: 1, 1: 1, 2: 1}


def test_while_the_store_is_away_the_results_wait(shop: Shop):
    store = FaultyStore(shop.world.pending)
    shop.world.archive = Archive(pending=store, completed=shop.world.completed)
    job, process = shop.submit(6, 6, 6), shop.process()
    process.run(Duty.SUBMIT)
    store.go_down()
    shop.work(process, 2)
    assert (shop.job(job).status, shop.job(job).parts) == (JobStatus.RUNNING, 0)
    store.come_back()
    shop.world.clock.advance(5)
    process.run(Duty.POLL)
    final = shop.bring_home(process, job)
    assert (final.status, final.attempt, shop.result(job)) == (JobStatus.COMPLETED, 1, [0, 1, 2])
    assert shop.ran == {0: 1, 1: 1, 2: 1}
    assert shop.about(job)["metadata"]["parts"] == [{"first": 0, "count": 2, "attempt": 1}]


def test_an_edit_in_between_costs_no_part(shop: Shop, monkeypatch):
    job, process = shop.submit(6, 6, 6), shop.process()
    put_part = Archive.put_part

    def edit_meanwhile(self, job, *args, **kwargs):
        monkeypatch.undo()
        stored = put_part(self, job, *args, **kwargs)
        shop.world.jobs().edit(job.id, caller=ME, name="renamed")
        return stored

    monkeypatch.setattr(Archive, "put_part", edit_meanwhile)
    shop.work(process, 2)
    final = shop.bring_home(process, job)
    assert (final.name, final.status, final.attempt) == ("renamed", JobStatus.COMPLETED, 1)
    assert (shop.result(job), shop.ran) == ([0, 1, 2], {0: 1, 1: 1, 2: 1})


def test_a_run_that_does_not_fit_to_what_is_stored_is_given_up(shop: Shop):
    job, process = shop.submit(1, 1, 1, 6, 6), shop.process()
    process.run(Duty.SUBMIT)
    of_another = Outcome(document=b'{"results": [{"circuit": 0}, {"circuit": 1}]}')
    shop.world.archive.put_part(shop.job(job), [of_another], count=2)
    shop.work(process, 4)
    final = shop.bring_home(process, job)
    assert (final.status, final.attempt, shop.result(job)) == (JobStatus.COMPLETED, 2, [0, 1, 2, 3, 4])
    assert process.desk.backends.providers["aer"].live_jobs() == []


def test_a_damaged_part_is_run_again(shop: Shop):
    job, process = shop.submit(6, 6, 6), shop.process()
    shop.work(process, 2)
    shop.world.pending.replace(parts_of(shop)[1], b"rubbish")
    final = shop.bring_home(process, job)
    assert (final.status, final.attempt, shop.result(job)) == (JobStatus.COMPLETED, 2, [0, 1, 2])
    assert shop.ran == {0: 1, 1: 2, 2: 2}


def test_of_a_cancelled_job_the_parts_before_a_damaged_one_are_kept(shop: Shop):
    job, process = shop.submit(6, 6, 6, 6), shop.process()
    shop.work(process, 3)
    shop.world.pending.replace(parts_of(shop)[1], b"rubbish")
    shop.world.jobs().cancel(job.id, caller=ME)
    process.run(Duty.POLL)
    final = shop.bring_home(process, job)
    assert (final.status, final.circuits_done, shop.result(job)) == (JobStatus.CANCELLED, 1, [0])


def test_a_part_that_comes_after_the_end_is_removed(shop: Shop, monkeypatch):
    job = shop.submit(6, 1)
    sleeper = shop.process()
    put_part = Archive.put_part

    def sleep_through_everything(self, job, *args, **kwargs):
        monkeypatch.undo()
        shop.kill()
        shop.bring_home(shop.process(), job)
        return put_part(self, job, *args, **kwargs)

    monkeypatch.setattr(Archive, "put_part", sleep_through_everything)
    shop.work(sleeper)
    assert shop.job(job).status is JobStatus.COMPLETED
    assert list(shop.world.pending.scan()) == []
