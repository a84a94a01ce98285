"""A lab with a qdepot whose processes die, and whose users repeat what was not answered."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from durability.processes import PATIENCE_S, Nursery, Process
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.adapters.system_clock import SystemClock
from qdepot.archive.archive import Archive
from qdepot.config import Settings
from qdepot.domain.job import Job, JobStatus, Stage
from qdepot.ports.ledger import Ledger
from qdepot.testing.scripted_results import outcome_of
from qdepot.wiring import ledger_url, open_archive


def order(
    number: int,
    *,
    backend: str = "scripted_qpu",
    says: str = "Completed",
    circuits: int = 1,
    takes_s: float = 0.0,
    gives: str = "results",
) -> dict[str, Any]:
    """A job that is told from others by its results."""
    sources = [_source(number + place, says=says, takes_s=takes_s, gives=gives) for place in range(circuits)]
    program = {
        "kind": "sampler",
        "shots": 1 + number % 1000,
        "circuits": [{"format": "openqasm3", "source": source} for source in sources],
    }
    return {"backend": backend, "program": program, "name": f"job {number}"}


def _source(number: int, *, says: str, takes_s: float, gives: str) -> str:
    bits = f"{number % 32:05b}"
    flips = "".join(f"x q[{place}];\n" for place, bit in enumerate(reversed(bits)) if bit == "1")
    remarks = f"// says: {says}\n// takes: {takes_s}\n// gives: {gives}\n"
    return f"OPENQASM 3.0;\n{remarks}qubit[5] q;\nbit[5] c;\n{flips}c = measure q;\n"


def counts_of(program: Mapping[str, Any]) -> list[dict[str, int]]:
    """What an order's results must be."""
    outcomes = [outcome_of(circuit["source"].encode()) for circuit in program["circuits"]]
    return [{str(bits): program["shots"]} for bits in outcomes]


def until(condition: Callable[[], bool], what: str, *, patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"this never came true: {what}"
        time.sleep(0.02)


@dataclass
class Lab:
    """Settings, and the processes that run with them.

    Attributes:
        nursery: Where processes come from.
        folder: Of logs, and of the data if the settings do not say otherwise.
        settings: As the file ``qdepot.toml`` would say them.
        past: Settings for a look past what may be broken; None: the same.
        unanswered: Requests that got no answer; each was repeated.
    """

    nursery: Nursery
    folder: Path
    settings: dict[str, Any]
    past: dict[str, Any] | None = None
    unanswered: int = 0
    processes: list[Process] = field(default_factory=list)
    _service: Process | None = None
    _url: str | None = None
    _client: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=PATIENCE_S, trust_env=False, verify=False)
    )

    def serve(self, *, kill: str | None = None, record: Path | None = None) -> Process:
        """Start a service with a reconciler of its own."""
        self._service = self._start("serve", "--port", "0", kill=kill, record=record)
        self._url = self._service.url()
        return self._service

    @property
    def url(self) -> str:
        """Where the service listens."""
        assert self._url is not None
        return self._url

    def reconcile(self) -> Process:
        """Start a reconciler."""
        return self._start("reconcile", "--every", "0.1s")

    def _start(self, *arguments: str, kill: str | None = None, record: Path | None = None) -> Process:
        process = self.nursery.start(
            *arguments,
            folder=self.folder,
            log=self.folder / f"{len(self.processes)}.log",
            environment=environment_of({"data": str(self.folder), **self.settings}),
            kill=kill,
            record=record,
        )
        self.processes.append(process)
        return process

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """A request, repeated until it is answered; a service that has died is started again."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self._service is None or self._service.ended.is_set() or self._url is None:
                self.serve()
            try:
                answer = self._client.request(method, f"{self._url}{path}", **request)
            except httpx.TransportError:
                assert self._service is not None
                self._service.ended.wait(0.05)
                self.unanswered += 1
                continue
            if answer.status_code != 503:
                return answer
            time.sleep(0.05)
        raise AssertionError(f"{method} {path} was never answered")

    def submit(self, document: Mapping[str, Any], *, key: str) -> str:
        """The id of an accepted job."""
        answer = self.ask("POST", "/v1/jobs", content=json.dumps(document), headers=_json(key))
        assert answer.status_code in {200, 201}, answer.text
        return str(answer.json()["id"])

    def wait_for(self, condition: Callable[[], bool], *, reconcile: bool) -> None:
        """Wait; if the service dies meanwhile, start a reconciler, or the service again."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"the job does not get on:\n{self.processes[-1].tail()}"
            if all(process.ended.is_set() for process in self.processes):
                _ = self.reconcile() if reconcile else self.serve()
            time.sleep(0.02)

    def end_all(self) -> None:
        """As an operator ends a service."""
        self._client.close()
        for process in self.processes:
            process.end()

    @contextlib.contextmanager
    def opened(self) -> Iterator[tuple[Ledger, Archive]]:
        """Ledger and archive, without any process between."""
        settings = Settings(data=self.folder, **(self.past or self.settings))
        ledger = open_ledger(ledger_url(settings), clock=SystemClock())
        try:
            yield ledger, open_archive(settings)
        finally:
            ledger.close()


def is_settled(job: Job) -> bool:
    """Nothing moves it any more, unless a person does."""
    return job.pending_removed or job.stage is Stage.IN_DOUBT


def bring_home(ledger: Ledger, archive: Archive, job_ids: Sequence[str], *, patience_s: float = 120) -> None:
    """Wait until these jobs are over, which came of ``order(0)``, ``order(1)``...; each has its own right result."""
    until(lambda: all(is_settled(job) for job in ledger.get_many(job_ids).values()), "home", patience_s=patience_s)
    for number, job_id in enumerate(job_ids):
        job = ledger.get(job_id)
        assert job.status is JobStatus.COMPLETED, job.why
        assert result_of(archive, job) == counts_of(order(number)["program"])


def result_of(archive: Archive, job: Job) -> list[dict[str, int]]:
    """The counts of each circuit."""
    assert job.status is JobStatus.COMPLETED
    return [entry["counts"] for entry in json.loads(b"".join(archive.open_result(job)))["results"]]


def _json(key: str) -> dict[str, str]:
    return {"Content-Type": "application/json", "Idempotency-Key": key}


def environment_of(settings: Mapping[str, Any], prefix: str = "QDEPOT_") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= environment_of(value, f"{prefix}{name.upper()}__")
        else:
            found[f"{prefix}{name.upper()}"] = str(value)
    return found
