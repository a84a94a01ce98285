"""Circuits that run one at a time, each when a test lets it."""

from __future__ import annotations

import json
import threading
import zipfile
from collections import Counter
from io import BytesIO

from qdepot.adapters.providers.aer import AerProvider, AerSettings
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
            # What has been handed in may not have got as far as to wait.
            wait_until(lambda: self._waiting or self._is_idle())
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

    def parts(self) -> list[str]:
        """The keys of all parts that are stored."""
        return sorted(info.key for info in self.world.pending.scan() if ".part-" in info.key)

    def _is_idle(self) -> bool:
        return all(run.ended for provider in self._providers for run in list(provider._runs.values()))

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
