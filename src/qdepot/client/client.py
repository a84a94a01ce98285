"""The blocking client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, overload

from qdepot.client import requests, token_requests
from qdepot.client.circuits import CircuitInput
from qdepot.client.courier import Courier
from qdepot.client.handle import JobHandle
from qdepot.client.jobspec import JobOptions, JobSpec, job_specs
from qdepot.client.listing import JobFilters, page_size, wire_filters
from qdepot.client.progress import is_watched, job_progress
from qdepot.client.settings import client_settings
from qdepot.client.submitting import Accepted, submitted, submitted_many
from qdepot.client.sweeps import Point, sweep_specs, swept
from qdepot.client.waiting import OnStatuses, all_until_final, statuses
from qdepot.errors import QDepotError
from qdepot.wire.answers import BackendAnswer, JobAnswer, StatusAnswer, VersionAnswer
from qdepot.wire.tokens import MeAnswer, NewTokenAnswer, TokenAnswer

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Unpack

    import httpx

    from qdepot.client.token_requests import TokenOptions


class Client:
    """A connection to one qdepot service; may be shared by threads.

    Reads and submissions are repeated on their own when a connection is lost or the service says "later": a submission
    carries an idempotency key, so that it is never accepted twice.

    Args:
        url: The service; else ``QDEPOT_URL``, else that of the last `qdepot login`, else http://127.0.0.1:8484.
        token: Else ``QDEPOT_TOKEN``, else that of the log-in to this service. Never shown.
        ca: A certificate, or that of an authority (PEM file), to trust as well; else ``QDEPOT_CA``.
        transport: How HTTP is spoken; for tests.

    Raises:
        InvalidRequestError: The address is none.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        ca: str | Path | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        settings = client_settings(url, token, ca)
        self.url = settings.url
        self._courier = Courier(settings, transport=transport)

    def __repr__(self) -> str:
        return f"Client(url={self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; jobs go on without."""
        self._courier.close()

    def submit(
        self,
        circuits: CircuitInput | Sequence[CircuitInput],
        *,
        backend: str = "aer",
        shots: int = 1024,
        name: str = "",
        tags: Sequence[str] = (),
        seed: int | None = None,
        memory: bool = False,
        optimization_level: int | None = None,
        method: str | None = None,
        noise: str | None = None,
        sampling: str | None = None,
        parameter_values: object = None,
        observables: object = None,
        precision: float | None = None,
        priority: int = 0,
        timeout_s: float | None = None,
        format: str | None = None,
        idempotency_key: str | None = None,
    ) -> JobHandle:
        """Submit one job and return as soon as it is accepted.

        Args:
            circuits: A ``QuantumCircuit``, the path of a ``.qasm`` or ``.qpy`` file, OpenQASM text, the bytes of
                either, a PUB ``(circuit, parameter_values, shots)`` or ``(circuit, observables, parameter_values,
                precision)``, or a list of these, which becomes one job of many circuits.
            backend: Name of the backend, see :meth:`backends`.
            shots: Executions of each circuit.
            name: The job's name, for people.
            tags: Words to find it by.
            seed: Makes a run on a simulator repeatable.
            memory: Also keep the outcome of each shot, see :meth:`JobHandle.arrays`.
            optimization_level: Of the transpiler, 0 to 3; None: the backend's choice.
            method: Simulation method.
            noise: Name of a fake device whose noise is simulated.
            sampling: ``"aer"`` has the simulator draw every shot, also where the exact distribution would be faster.
            parameter_values: By name or as an array in Qiskit's order; of several circuits: a list, one entry each.
            observables: Makes the job an estimator: a Pauli string, ``{"ZZ": 1.0}``, one of Qiskit's operators
                (``SparsePauliOp``, ``SparseObservable``, ``Pauli``, ``PauliList``), or lists and arrays of these; of
                several circuits: one for all, or a list, one entry each. They act on the qubits of the circuit as it
                is sent: for a transpiled circuit give ``operator.apply_layout(circuit.layout)``.
            precision: Wanted standard error of the estimates; 0: exact, where the method allows.
            priority: -10 to 10; higher goes first among your own jobs.
            timeout_s: Longest run in seconds; then the job fails.
            format: Of OpenQASM that does not tell its version: ``openqasm2`` or ``openqasm3``.
            idempotency_key: Two submissions with the same key and body are one job; one is made if none is given.

        Raises:
            InvalidRequestError: Something is wrong with the job; nothing was accepted.
            ConflictError: The key was used for another job.
            UnavailableError: The service does not answer. ``details["idempotency_key"]`` makes a repeat safe.
        """
        spec = JobSpec(
            circuits=circuits,
            backend=backend,
            shots=shots,
            name=name,
            tags=tags,
            seed=seed,
            memory=memory,
            optimization_level=optimization_level,
            method=method,
            noise=noise,
            sampling=sampling,
            parameter_values=parameter_values,
            observables=observables,
            precision=precision,
            priority=priority,
            timeout_s=timeout_s,
            format=format,
        )
        job = self._courier.run(submitted(self._courier.peer, spec, idempotency_key=idempotency_key))
        return self._handle(job)

    @overload
    def submit_many(
        self,
        jobs: Iterable[CircuitInput | JobSpec],
        *,
        atomic: Literal[True] = True,
        idempotency_key: str | None = None,
        **options: Unpack[JobOptions],
    ) -> list[JobHandle]: ...
    @overload
    def submit_many(
        self,
        jobs: Iterable[CircuitInput | JobSpec],
        *,
        atomic: bool,
        idempotency_key: str | None = None,
        **options: Unpack[JobOptions],
    ) -> list[JobHandle | QDepotError]: ...
    def submit_many(
        self,
        jobs: Iterable[CircuitInput | JobSpec],
        *,
        atomic: bool = True,
        idempotency_key: str | None = None,
        **options: Unpack[JobOptions],
    ) -> Sequence[JobHandle | QDepotError]:
        """Submit many jobs in one request.

        Args:
            jobs: Circuits, which become a job each, or :class:`~qdepot.client.jobspec.JobSpec` with their own options.
            atomic: All jobs or none (up to 1,000); else each has its own error.
            idempotency_key: As for :meth:`submit`, for all of them together.
            options: As for :meth:`submit`; they hold for the circuits among ``jobs``.

        Returns:
            In the order of ``jobs``: a handle each or, unless ``atomic``, the error of one that was not accepted.

        Raises:
            InvalidRequestError: A job cannot be sent or, if ``atomic``, is refused; ``details["job"]`` says which.
            UnavailableError: The service does not answer.
        """
        specs = job_specs(jobs, options)
        flow = submitted_many(self._courier.peer, specs, atomic=atomic, idempotency_key=idempotency_key)
        return [self._handle(one) if isinstance(one, Accepted) else one for one in self._courier.run(flow)]

    def map(
        self,
        circuit: CircuitInput,
        parameter_sets: Iterable[object],
        *,
        progress: bool | None = None,
        **options: Unpack[JobOptions],
    ) -> list[Point]:
        """Run one circuit with many parameter sets; return one result for each set, in order.

        Each set is combined with each observable. A sweep of up to 1,000 sets is one job; a longer one is several, each
        with a seed derived from the one that was given.

        Args:
            circuit: As for :meth:`submit`.
            parameter_sets: Each a mapping of parameters to numbers, or the numbers in Qiskit's order of parameters.
            progress: Show a progress bar; None: if there is a terminal or a notebook to show it in.
            options: As for :meth:`submit`.

        Raises:
            JobFailedError: A job ended without a result.
            InvalidRequestError: The sets do not fit together, or the job is refused.
        """
        specs = sweep_specs(circuit, parameter_sets, options)
        shown = is_watched() if progress is None else progress
        with job_progress("sweep", jobs=len(specs), shown=shown) as update:
            return self._courier.run(swept(self._courier.peer, specs, on_statuses=update))

    def wait_all(
        self, jobs: Iterable[JobHandle], timeout_s: float | None = None, *, on_statuses: OnStatuses | None = None
    ) -> list[str]:
        """Wait until all of these jobs are final and return their statuses, in order; one request asks for up to 1,000.

        Args:
            jobs: Which.
            timeout_s: Longest wait in seconds; None: as long as it takes.
            on_statuses: Called after each round with all that is known, by id.

        Raises:
            WaitTimeoutError: Not all are final yet; they go on.
        """
        waited = list(jobs)
        ids = [job.id for job in waited]
        flow = all_until_final(self._courier.peer, ids, timeout_s=timeout_s, on_statuses=on_statuses)
        ends = self._courier.run(flow)
        return [job.heard(ends[job.id]) for job in waited]

    def statuses(self, job_ids: Sequence[str]) -> dict[str, StatusAnswer]:
        """Statuses of any number of jobs, by id.

        Raises:
            NotFoundError: One of them does not exist; ``details["ids"]`` lists those.
        """
        return self._courier.run(statuses(self._courier.peer, job_ids))

    def job(self, job_id: str) -> JobHandle:
        """Find a job again, also one that was submitted elsewhere.

        Raises:
            NotFoundError: There is no such job.
            GoneError: It was deleted.
        """
        return self._handle(self._courier.ask(requests.job_details(job_id)))

    def jobs(self, *, limit: int | None = None, **filters: Unpack[JobFilters]) -> Iterator[JobHandle]:
        """All jobs that fit, newest first; further pages are fetched as they are needed.

        Args:
            limit: At most so many; None: all.
            filters: ``status``, ``backend``, ``name``, ``tag``, ``created_from``, ``created_before``.
        """
        return (self._handle(job) for job in self.job_answers(limit=limit, **filters))

    def job_answers(self, *, limit: int | None = None, **filters: Unpack[JobFilters]) -> Iterator[JobAnswer]:
        """The same as :meth:`jobs`, as the service answers: all about each job, as it was when it was listed."""
        wanted = wire_filters(filters)
        cursor: str | None = None
        seen = 0
        while size := page_size(limit, seen):
            request = requests.list_jobs(wanted, limit=size, cursor=cursor)
            page = self._courier.ask(request)
            yield from page.jobs
            seen += len(page.jobs)
            cursor = page.next_cursor
            if cursor is None:
                return

    def backends(self) -> list[BackendAnswer]:
        """The backends that jobs can be sent to, and what they can do."""
        return self._courier.ask(requests.list_backends())

    def backend(self, name: str) -> BackendAnswer:
        """One backend.

        Raises:
            NotFoundError: There is none of this name.
        """
        return self._courier.ask(requests.one_backend(name))

    def version(self) -> VersionAnswer:
        """What the service is: versions, formats that it reads, limits."""
        return self._courier.ask(requests.version())

    def me(self) -> MeAnswer:
        """Who you are to the service, in which project, and what you may do there."""
        return self._courier.ask(token_requests.me())

    def create_token(self, name: str = "", **options: Unpack[TokenOptions]) -> NewTokenAnswer:
        """Make a token; its text is in the answer and nowhere else.

        Args:
            name: What it is for.
            options: ``user``, ``project``, ``role``, ``scopes``, ``expires_at``: see
                :class:`~qdepot.client.token_requests.TokenOptions`.

        Raises:
            PermissionDeniedError: You may not give that.
        """
        return self._courier.ask(token_requests.create_token(name, **options))

    def tokens(self, *, project: str | None = None) -> list[TokenAnswer]:
        """Your tokens or, as an admin, those of the project: newest first, also those that are worth nothing any more.

        Args:
            project: Another project, for ``service:admin``.
        """
        return self._courier.ask(token_requests.list_tokens(project))

    def revoke_token(self, token_id: str, *, derived: bool | None = None) -> None:
        """Make a token worthless, by its id.

        Args:
            token_id: Which.
            derived: Whether the tokens that were made with it, and with those, are revoked too; None: if it is one that
                expires.

        Raises:
            NotFoundError: There is none that you may see.
        """
        self._courier.ask(token_requests.revoke_token(token_id, derived=derived))

    def _handle(self, known: JobAnswer | Accepted) -> JobHandle:
        return JobHandle(known.id, self._courier, known=known)
