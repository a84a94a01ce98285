"""Aer as a provider: simulations in child processes of this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, PositiveInt

from qdepot.domain.backend import BackendInfo
from qdepot.domain.fitting import check_fits
from qdepot.domain.job import Failure
from qdepot.domain.program import ProgramKind
from qdepot.errors import (
    InternalError,
    NotFinishedError,
    NotFoundError,
    QDepotError,
    TaskCancelledError,
)
from qdepot.ports.compute_pool import ComputePool, Limits, Payload, TaskHandle
from qdepot.ports.operations import simulate_task
from qdepot.ports.provider import ProviderReport, ProviderStatus, RawResult, Submission

_METHODS = {
    "aer": ("automatic", "Aer simulator; picks the method by the circuit."),
    "aer_statevector": ("statevector", "Aer, state vector: exact; memory doubles with each qubit."),
    "aer_mps": ("matrix_product_state", "Aer, matrix product state: many qubits, little entanglement."),
    "aer_stabilizer": ("stabilizer", "Aer, stabilizer: Clifford circuits of thousands of qubits."),
    "aer_density_matrix": ("density_matrix", "Aer, density matrix: noise without sampling it; few qubits."),
}
_OPTIONS = frozenset({"seed", "memory", "optimization_level", "noise"})

_WORDS = {
    ProviderStatus.QUEUED: "waiting for a child",
    ProviderStatus.RUNNING: "running",
    ProviderStatus.DONE: "done",
    ProviderStatus.FAILED: "failed",
    ProviderStatus.CANCELLED: "cancelled",
}


class AerSettings(BaseModel):
    """Settings of the provider ``aer``.

    Attributes:
        depth: Jobs that are handed to the child processes at a time; the others wait in the ledger, where any process
            may take them.
    """

    model_config = ConfigDict(extra="forbid")

    depth: PositiveInt = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    job_id: str
    handle: TaskHandle


class AerProvider:
    """Runs jobs with Aer through a compute pool.

    Its jobs live in this process: an id of a process that ended is not known any more, and the job is given again.
    """

    name = "aer"
    Settings = AerSettings

    def __init__(
        self,
        *,
        pool: ComputePool,
        limits: Limits,
        cores: int,
        describe: Callable[[], Mapping[str, object]],
        settings: AerSettings | None = None,
    ) -> None:
        """Nothing is started here.

        Args:
            pool: Where simulations run.
            limits: What one may use up.
            cores: Threads that a large simulation may use.
            describe: What the children can do, ``fake_devices`` among it; empty while that is not known.
            settings: See there.
        """
        self._pool = pool
        self._limits = limits
        self._cores = cores
        self._describe = describe
        self._settings = settings or AerSettings()
        self._runs: dict[str, _Run] = {}
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[str], None]] = []

    def __repr__(self) -> str:
        return f"AerProvider({len(self._runs)} live jobs)"

    def backends(self) -> Sequence[BackendInfo]:
        """One backend per simulation method, and one per fake device."""
        methods = [_backend(name, about, method=method) for name, (method, about) in _METHODS.items()]
        devices = self._describe().get("fake_devices", [])
        names = devices if isinstance(devices, list) else []
        return [*methods, *(_fake_device(str(device)) for device in names)]

    def submit(self, submission: Submission) -> str:
        """Start a simulation, or find the one with this tag.

        Raises:
            NotFoundError: There is no such backend.
            InvalidRequestError: It does not take this program.
            UnavailableError: The pool is closed.
        """
        backend = self._backend(submission.backend)
        check_fits(submission.program, options=submission.options, backend=backend)
        provider_job_id = f"aer-{submission.tag}"
        with self._lock:
            if provider_job_id in self._runs:
                return provider_job_id
        handle = self._pool.submit(
            simulate_task(
                submission.program,
                options=submission.options,
                backend=backend,
                threads=self._cores,
                owner=submission.owner,
                limits=self._limits_of(submission),
            )
        )
        with self._lock:
            self._runs[provider_job_id] = _Run(job_id=submission.job_id, handle=handle)
        handle.on_done(lambda: self._announce(submission.job_id))
        return provider_job_id

    def status(self, provider_job_id: str) -> ProviderReport:
        """What became of a simulation. Raises NotFoundError for one of another process."""
        handle = self._run(provider_job_id).handle
        if not handle.done:
            return _report(ProviderStatus.RUNNING if handle.started else ProviderStatus.QUEUED)
        try:
            handle.result()
        except TaskCancelledError:
            return _report(ProviderStatus.CANCELLED)
        except QDepotError as error:
            return _report(ProviderStatus.FAILED, _failure(error))
        return _report(ProviderStatus.DONE)

    def result(self, provider_job_id: str) -> RawResult:
        """The result document and what belongs to it.

        Raises:
            NotFoundError: The simulation is one of another process.
            NotFinishedError: It is not done.
            InternalError: The child did not answer with a result.
        """
        handle = self._run(provider_job_id).handle
        if not handle.done:
            raise NotFinishedError(f"simulation {provider_job_id} is not done")
        return _raw_result(handle.result())

    def cancel(self, provider_job_id: str) -> None:
        """Stop a simulation, whatever it is doing. Raises NotFoundError for one of another process."""
        self._run(provider_job_id).handle.cancel()

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call ``callback(job_id)`` whenever a simulation has ended."""
        self._callbacks.append(callback)

    def room(self) -> int:
        """How many more jobs it takes now."""
        with self._lock:
            return self._settings.depth - sum(not run.handle.done for run in self._runs.values())

    def live_jobs(self) -> Sequence[str]:
        """Our ids of the jobs it has."""
        with self._lock:
            return [run.job_id for run in self._runs.values()]

    def give_up(self, job_id: str) -> None:
        """Stop and forget a job."""
        with self._lock:
            mine = {pid: run for pid, run in self._runs.items() if run.job_id == job_id}
            for provider_job_id in mine:
                del self._runs[provider_job_id]
        for run in mine.values():
            run.handle.cancel()

    def forget(self, provider_job_id: str) -> None:
        """Drop the result of a job that is in the archive."""
        with self._lock:
            self._runs.pop(provider_job_id, None)

    def close(self) -> None:
        """Stop all simulations."""
        for job_id in self.live_jobs():
            self.give_up(job_id)

    def _announce(self, job_id: str) -> None:
        for callback in self._callbacks:
            callback(job_id)

    def _run(self, provider_job_id: str) -> _Run:
        with self._lock:
            run = self._runs.get(provider_job_id)
        if run is None:
            raise NotFoundError(f"no simulation {provider_job_id} in this process")
        return run

    def _backend(self, name: str) -> BackendInfo:
        for backend in self.backends():
            if backend.name == name:
                return backend
        raise NotFoundError(f"there is no backend {name!r}")

    def _limits_of(self, submission: Submission) -> Limits:
        time_s = min(self._limits.time_s, submission.timeout_s or self._limits.time_s)
        return Limits(time_s=time_s, memory_bytes=self._limits.memory_bytes)


def _backend(name: str, description: str, *, method: str, device: str | None = None) -> BackendInfo:
    options = _OPTIONS | {"method"} if name == "aer" else _OPTIONS
    return BackendInfo(
        name=name,
        provider=AerProvider.name,
        description=description,
        max_shots=10_000_000,
        kinds=frozenset(ProgramKind),
        simulator=True,
        repeatable=True,
        runs_here=True,
        takes_key=True,
        options=options if device is None else options - {"noise"},
        properties={"method": method, **({"device": device} if device else {})},
    )


def _fake_device(device: str) -> BackendInfo:
    about = f"Aer with the qubits, gates and noise of the device behind {device}, from a recorded calibration."
    return _backend(f"fake_devices/{device.removeprefix('fake_')}", about, method="automatic", device=device)


def _report(status: ProviderStatus, failure: Failure | None = None) -> ProviderReport:
    return ProviderReport(status=status, vendor_status=_WORDS[status], failure=failure)


def _failure(error: QDepotError) -> Failure:
    return Failure(code=error.code, message=error.message, solution=error.solution, details=error.details)


def _raw_result(answer: Payload) -> RawResult:
    members = dict(answer.parts)
    document = members.pop("result.json", None)
    metadata = answer.meta.get("metadata", {})
    if document is None or not isinstance(metadata, Mapping):
        raise InternalError("the child's answer holds no result")
    return RawResult(format="qdepot", document=document, members=members, metadata=metadata)
