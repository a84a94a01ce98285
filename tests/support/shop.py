"""Circuits that run one at a time, each when a test lets it."""

from __future__ import annotations

import json
import threading
import time
import zipfile
from collections import Counter
from io import BytesIO

from qdepot.adapters.providers.aer import AerProvider, AerSettings
from qdepot.adapters.providers.aer_run import Run
from qdepot.domain.job import Duty, Job
from qdepot.domain.program import Program
from qdepot.errors import InvalidProgramError, WorkerLostError
from qdepot.ports.compute_pool import Limits, Payload
from qdepot.reconciler.poller import Poller
from qdepot.services.orders import JobOrder
from qdepot.testing.archive import validate_archive
from qdepot.testing.compute_pool import PATIENCE_S, wait_until
from qdepot.testing.fake_pool import FunctionPool
from support.world import ME, Process, World, check


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
        self._told: set[Run] = set()
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
        provider.on_change(lambda job_id: self._tell(provider, poller, job_id))
        return process

    def _tell(self, provider: AerProvider, poller: Poller, job_id: str) -> None:
        poller.announced.note([job_id])
        self._told |= {run for run in list(provider._runs.values()) if run.job_id == job_id and run.ended}

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
            wait_until(self._is_settled)

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
        """Let circuits run, time pass and the duties work until the job has ended."""
        give_up_at = time.monotonic() + PATIENCE_S
        while not self._is_final_after(process, job):
            assert time.monotonic() < give_up_at, f"the job does not end: {self.job(job)}"
            wait_until(self._is_settled)
            if self._waiting:
                self.let_run()
            else:
                self.world.clock.advance(0.5)
        process.run_until_idle()
        validate_archive(self.world.archive, self.world.ledger)
        return self.job(job)

    def _is_final_after(self, process: Process, job: Job) -> bool:
        process.run()
        process.keeper.run_once()
        return self.job(job).is_final

    def result(self, job: Job) -> list[int]:
        """The circuits in the bundle's result."""
        with zipfile.ZipFile(BytesIO(self.world.completed.get(self.job(job).result_key))) as bundle:
            return [entry["circuit"] for entry in json.loads(bundle.read("result.json"))["results"]]

    def about(self, job: Job) -> dict:
        with zipfile.ZipFile(BytesIO(self.world.completed.get(self.job(job).result_key))) as bundle:
            return json.loads(bundle.read("job.json"))

    def parts(self) -> list[str]:
        """The keys of all parts that are stored."""
        return sorted(info.key for info in self.world.pending.scan() if ".part-" in info.key)

    def _is_settled(self) -> bool:
        """All that other threads do by themselves is done: each run has ended, and its process was told, or waits."""
        runs = {run for provider in self._providers for run in list(provider._runs.values())}
        going_on = [run for run in runs if not run.ended]
        if going_on:
            return self._waiting > 0 and all(_is_handed_in(run) for run in going_on)
        return runs <= self._told

    def _simulate(self, payload: Payload) -> Payload:
        entries = []
        for place, circuit in enumerate(payload.meta["circuits"], payload.meta["first_circuit"]):
            self._wait_for_permit()
            self._play(bytes(payload.parts[circuit["part"]]).decode())
            self.ran[place] += 1
            entries.append({"circuit": place, "shots": 4})
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


def _is_handed_in(run: Run) -> bool:
    """True if the run knows the task that it waits for: only then does a cancel reach it."""
    with run._lock:
        handle = run._at.handle
    return handle is not None and handle.started and not handle.done
