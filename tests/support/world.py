"""A whole qdepot in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.adapters.object_stores.memory import MemoryStore
from qdepot.archive.archive import Archive
from qdepot.domain.caller import Caller
from qdepot.domain.job import Duty, Job
from qdepot.domain.program import Program
from qdepot.errors import InvalidProgramError
from qdepot.ports.compute_pool import Limits, Payload
from qdepot.ports.provider import Provider
from qdepot.reconciler.cleaner import Cleaner
from qdepot.reconciler.collector import Collector
from qdepot.reconciler.desk import Desk
from qdepot.reconciler.keeper import Keeper
from qdepot.reconciler.loop import RunsOnce, Waker
from qdepot.reconciler.poller import Poller
from qdepot.reconciler.preparer import Preparer
from qdepot.reconciler.rescuer import Rescuer
from qdepot.reconciler.submitter import Submitter
from qdepot.services.acceptance import Acceptance
from qdepot.services.backends import Backends
from qdepot.services.in_flight import InFlight
from qdepot.services.jobs import Jobs
from qdepot.services.orders import JobOrder, ProjectLimits, SubmitLimits
from qdepot.services.registering import Registrar
from qdepot.services.submissions import Submissions
from qdepot.testing.clock import FrozenClock
from qdepot.testing.compute_pool import PATIENCE_S
from qdepot.testing.fake_pool import FunctionPool
from qdepot.testing.scripted import ScriptedProvider

ME = Caller()


def check(payload: Payload) -> Payload:
    """Refuses what says that it is broken."""
    for source in payload.parts.values():
        if b"broken" in bytes(source):
            raise InvalidProgramError("line 1, column 3: this is broken", details={"line": 1, "column": 3})
    return Payload(meta={"num_qubits": 2, "circuits": [{"num_qubits": 2}]})


def simulate(payload: Payload) -> Payload:
    check(payload)
    document = {"results": [{"shots": 4, "shape": [], "counts": {"01": 4}, "registers": {}, "metadata": {}}]}
    return Payload(meta={"metadata": {"seed": 1}}, parts={"result.json": json.dumps(document).encode()})


def order(source: str = "OPENQASM 3.0; ...", *, backend: str = "scripted_qpu", **options: object) -> JobOrder:
    program = {"kind": "sampler", "shots": 4, "circuits": [{"format": "openqasm3", "source": source}]}
    body = {"backend": backend, "program": program, "options": options}
    return JobOrder(
        body=json.dumps(body).encode(), backend=backend, program=Program.from_document(program), options=options
    )


@dataclass
class Process:
    """One reconciler with its own name."""

    desk: Desk
    duties: list[tuple[Duty, RunsOnce]]
    keeper: Keeper

    def run(self, *only: Duty) -> int:
        return sum(duty.run_once() for name, duty in self.duties if not only or name in only)

    def run_until_idle(self) -> None:
        for _ in range(50):
            if self.run() == 0:
                return
        raise AssertionError("the duties find no end")


@dataclass
class World:
    """A whole qdepot in memory, with a cloud on paper and a clock that stands still."""

    clock: FrozenClock
    ledger: MemoryLedger
    archive: Archive
    pending: MemoryStore
    completed: MemoryStore
    providers: dict[str, Provider]
    pool: FunctionPool
    _processes: int = field(default=0)

    @property
    def backends(self) -> Backends:
        return Backends(providers=self.providers, clock=self.clock)

    @property
    def cloud(self) -> ScriptedProvider:
        cloud = self.providers["scripted"]
        assert isinstance(cloud, ScriptedProvider)
        return cloud

    def jobs(
        self, *, checker: Any = None, backends: Backends | None = None, special: Any = None, **limits: Any
    ) -> Jobs:
        """The service; ``limits`` are those of all projects, ``special`` those of others by their names."""
        # A check may take long where other programs take the processors.
        usual = SubmitLimits(**{"check_budget_s": PATIENCE_S, **limits})
        project_limits = ProjectLimits(usual=usual, special=special or {})
        acceptance = Acceptance(
            backends=backends or self.backends,
            checker=checker or self.pool,
            clock=self.clock,
            limits=project_limits,
            check_limits=Limits(),
        )
        submissions = Submissions(
            ledger=self.ledger,
            archive=self.archive,
            clock=self.clock,
            acceptance=acceptance,
            registrar=Registrar(self.ledger, self.archive, lambda jobs: None),
            in_flight=InFlight(ledger=self.ledger, clock=self.clock, limits=project_limits),
        )
        return Jobs(
            ledger=self.ledger,
            archive=self.archive,
            clock=self.clock,
            submissions=submissions,
            on_work=lambda jobs: None,
        )

    def submit(self, **kwargs: Any) -> Job:
        return self.jobs().submit(order(**kwargs), caller=ME).job

    def job(self, job: Job) -> Job:
        return self.ledger.get(job.id)

    def story(self, job: Job) -> list[str]:
        return [f"{event.to_status}/{event.stage}" for event in self.ledger.events(job.id)]

    def process(self, providers: Mapping[str, Provider] | None = None) -> Process:
        self._processes += 1
        desk = Desk(
            ledger=self.ledger,
            archive=self.archive,
            backends=Backends(providers=providers or self.providers, clock=self.clock),
            clock=self.clock,
            holder=f"process-{self._processes}",
            lease_s=15.0,
            wake=Waker().wake,
        )
        duties: list[tuple[Duty, RunsOnce]] = []
        cleaner = Cleaner(desk=desk)
        for provider in (providers or self.providers).values():
            preparer = Preparer(
                desk=desk, provider=provider, checker=self.pool, limits=Limits(), max_total_shots=lambda _: 10**6
            )
            poller = Poller(desk=desk, provider=provider)
            collector = Collector(
                desk=desk, provider=provider, cleaner=cleaner, finished=poller.finished, look_again=poller.look_again
            )
            duties += [
                (Duty.PREPARE, preparer),
                (Duty.SUBMIT, Submitter(desk=desk, provider=provider, note_ended=poller.announced.note)),
                (Duty.RESCUE, Rescuer(desk=desk, provider=provider, send_deadline_s=60)),
                (Duty.POLL, poller),
                (Duty.COLLECT, collector),
            ]
        duties.append((Duty.CLEAN, cleaner))
        return Process(desk=desk, duties=duties, keeper=Keeper(desk=desk))

    def bring_home(self, process: Process, *, seconds: float = 300.0) -> None:
        """Let time pass and the duties run."""
        for _ in range(int(seconds)):
            process.run_until_idle()
            self.clock.advance(1)
            process.keeper.run_once()


def make_world() -> World:
    clock = FrozenClock()
    pending, completed = MemoryStore(), MemoryStore()
    return World(
        clock=clock,
        ledger=MemoryLedger(clock),
        archive=Archive(pending=pending, completed=completed),
        pending=pending,
        completed=completed,
        providers={"scripted": ScriptedProvider(clock=clock, visibility_delay=timedelta(seconds=30))},
        pool=FunctionPool({"check": check, "simulate": simulate}),
    )
