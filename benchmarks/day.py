"""A simulated day: jobs by the thousand through ledger and reconciler alone, on SQLite; nothing is simulated by Aer.

    python benchmarks/day.py [JOBS] [FOLDER]

Jobs come in waves, go to a cloud on paper that answers at once and can be asked in bulk, and are archived in memory, so
that what is measured is what qdepot itself costs. A day of 1,000,000 jobs is 11.6 jobs a second: the last line says how
much of a day the machine would be busy with them. Tenths of the run are compared, so that a slope would show.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import uuid6
from harness.circuits import BELL
from harness.figures import show

from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.adapters.object_stores.memory import MemoryStore
from qdepot.adapters.system_clock import SystemClock
from qdepot.archive.archive import Archive
from qdepot.archive.request import RequestRecord
from qdepot.domain.program import Program
from qdepot.ports.compute_pool import Limits
from qdepot.ports.ledger import Ledger
from qdepot.reconciler.cleaner import Cleaner
from qdepot.reconciler.collector import Collector
from qdepot.reconciler.desk import Desk
from qdepot.reconciler.loop import RunsOnce, Waker
from qdepot.reconciler.poller import Poller
from qdepot.reconciler.preparer import Preparer
from qdepot.reconciler.submitter import Submitter
from qdepot.services.acceptance import Accepted
from qdepot.services.backends import Backends
from qdepot.services.orders import JobOrder
from qdepot.services.registering import Entry, Registrar
from qdepot.testing.fake_pool import FunctionPool
from qdepot.testing.scripted import BulkScriptedProvider, Script

JOBS = 20_000
WAVE = 1_000
DAY_S = 86_400
DAYS_JOBS = 1_000_000


class Day:
    """A ledger on disk, an archive in memory, a cloud on paper, and the duties between them."""

    def __init__(self, ledger: Ledger) -> None:
        clock = SystemClock()
        cloud = BulkScriptedProvider(clock=clock, script=Script(words=("Completed",)))
        backends = Backends(providers={cloud.name: cloud}, clock=clock)
        self.clock, self.ledger = clock, ledger
        self.stores = MemoryStore(), MemoryStore()
        archive = Archive(pending=self.stores[0], completed=self.stores[1])
        self.registrar = Registrar(ledger, archive, lambda jobs: None)
        desk = Desk(
            ledger=ledger,
            archive=archive,
            backends=backends,
            clock=clock,
            holder="day",
            lease_s=3600.0,
            wake=Waker().wake,
        )
        poller, cleaner = Poller(desk=desk, provider=cloud), Cleaner(desk=desk)
        self.duties: list[RunsOnce] = [
            Preparer(
                desk=desk,
                provider=cloud,
                checker=FunctionPool({"check": lambda payload: payload}),
                limits=Limits(),
                max_total_shots=lambda _: 10**6,
            ),
            Submitter(desk=desk, provider=cloud, note_ended=poller.announced.note),
            poller,
            Collector(
                desk=desk, provider=cloud, cleaner=cleaner, finished=poller.finished, look_again=poller.look_again
            ),
            cleaner,
        ]
        self.backend = backends.get(cloud.backend.name)

    def accept(self, count: int) -> None:
        """A batch of jobs comes in."""
        self.registrar.register_together([self._entry() for _ in range(count)])

    def bring_home(self, count: int) -> None:
        """Run the duties until so many jobs are in the archive, and forget their bundles."""
        pending, completed = self.stores
        while len(stored := [info.key for info in completed.scan()]) < count or next(pending.scan(), None):
            if not sum(duty.run_once() for duty in self.duties):
                time.sleep(0.001)
        completed.delete(stored)

    def _entry(self) -> Entry:
        program = {"kind": "sampler", "shots": 4, "circuits": [{"format": "openqasm3", "source": BELL}]}
        body = json.dumps({"backend": self.backend.name, "program": program}).encode()
        order = JobOrder(body=body, backend=self.backend.name, program=Program.from_document(program))
        record = RequestRecord(
            job_id=str(uuid6.uuid7()),
            project="default",
            owner="local",
            created_at=self.clock.now(),
            backend=order.backend,
            request_sha256=hashlib.sha256(body).hexdigest(),
            body=body,
        )
        return Entry(record=record, accepted=Accepted(backend=self.backend, summary={"circuits": []}), order=order)


def main() -> None:
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else JOBS
    print(__doc__)
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        with contextlib.closing(open_ledger(url, clock=SystemClock())) as ledger:
            day, rates = Day(ledger), []
            cpu = time.process_time()
            for _ in range(max(1, jobs // WAVE)):
                begin = time.perf_counter()
                day.accept(WAVE)
                day.bring_home(WAVE)
                rates.append(WAVE / (time.perf_counter() - begin))
            cpu = time.process_time() - cpu
    report(rates, cpu_s=cpu, jobs=len(rates) * WAVE)


def report(rates: list[float], *, cpu_s: float, jobs: int) -> None:
    tenth = max(1, len(rates) // 10)
    first, last = statistics.median(rates[:tenth]), statistics.median(rates[-tenth:])
    median = statistics.median(rates)
    show(f"{jobs} jobs, accepted until archived and cleaned up", f"{median:7.0f}/s (median of waves of {WAVE})")
    show("first tenth, last tenth of the run", f"{first:7.0f}/s, {last:.0f}/s: {last / first:.2f} of its rate")
    show("processor time a job", f"{1e3 * cpu_s / jobs:7.2f} ms")
    show(f"a day of {DAYS_JOBS} jobs keeps this machine busy for", f"{DAYS_JOBS / median / DAY_S:7.1%} of the day")


if __name__ == "__main__":
    main()
