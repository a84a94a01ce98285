"""The ``async`` client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, overload

from qdepot.client import requests, token_requests
from qdepot.client.circuits import CircuitInput
from qdepot.client.courier import AsyncCourier
from qdepot.client.handle import AsyncJobHandle
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


class AsyncClient:
    """A connection to one qdepot service, for one asyncio event loop.

    Methods, errors and promises are those of :class:`~qdepot.client.client.Client`. Files are read, and circuits are
    written as QPY, in the event loop.

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
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        settings = client_settings(url, token, ca)
        self.url = settings.url
        self._courier = AsyncCourier(settings, transport=transport)

    def __repr__(self) -> str:
        return f"AsyncClient(url={self.url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; jobs go on without."""
        await self._courier.close()

    async def submit(
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
    ) -> AsyncJobHandle:
        """See :meth:`Client.submit <qdepot.client.client.Client.submit>`."""
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
        job = await self._courier.run(submitted(self._courier.peer, spec, idempotency_key=idempotency_key))
        return self._handle(job)

    @overload
    async def submit_many(
        self,
        jobs: Iterable[CircuitInput | JobSpec],
        *,
        atomic: Literal[True] = True,
        idempotency_key: str | None = None,
        **options: Unpack[JobOptions],
    ) -> list[AsyncJobHandle]: ...
    @overload
    async def submit_many(
        self,
        jobs: Iterable[CircuitInput | JobSpec],
        *,
        atomic: bool,
        idempotency_key: str | None = None,
        **options: Unpack[JobOptions],
    ) -> list[AsyncJobHandle | QDepotError]: ...
    async def submit_many(
        self,
        jobs: Iterable[CircuitInput | JobSpec],
        *,
        atomic: bool = True,
        idempotency_key: str | None = None,
        **options: Unpack[JobOptions],
    ) -> Sequence[AsyncJobHandle | QDepotError]:
        """See :meth:`Client.submit_many <qdepot.client.client.Client.submit_many>`."""
        specs = job_specs(jobs, options)
        flow = submitted_many(self._courier.peer, specs, atomic=atomic, idempotency_key=idempotency_key)
        return [self._handle(one) if isinstance(one, Accepted) else one for one in await self._courier.run(flow)]

    async def map(
        self,
        circuit: CircuitInput,
        parameter_sets: Iterable[object],
        *,
        progress: bool | None = None,
        **options: Unpack[JobOptions],
    ) -> list[Point]:
        """See :meth:`Client.map <qdepot.client.client.Client.map>`."""
        specs = sweep_specs(circuit, parameter_sets, options)
        shown = is_watched() if progress is None else progress
        with job_progress("sweep", jobs=len(specs), shown=shown) as update:
            return await self._courier.run(swept(self._courier.peer, specs, on_statuses=update))

    async def wait_all(
        self, jobs: Iterable[AsyncJobHandle], timeout_s: float | None = None, *, on_statuses: OnStatuses | None = None
    ) -> list[str]:
        """See :meth:`Client.wait_all <qdepot.client.client.Client.wait_all>`."""
        waited = list(jobs)
        ids = [job.id for job in waited]
        flow = all_until_final(self._courier.peer, ids, timeout_s=timeout_s, on_statuses=on_statuses)
        ends = await self._courier.run(flow)
        return [job.heard(ends[job.id]) for job in waited]

    async def statuses(self, job_ids: Sequence[str]) -> dict[str, StatusAnswer]:
        """See :meth:`Client.statuses <qdepot.client.client.Client.statuses>`."""
        return await self._courier.run(statuses(self._courier.peer, job_ids))

    async def job(self, job_id: str) -> AsyncJobHandle:
        """See :meth:`Client.job <qdepot.client.client.Client.job>`."""
        return self._handle(await self._courier.ask(requests.job_details(job_id)))

    async def jobs(self, *, limit: int | None = None, **filters: Unpack[JobFilters]) -> AsyncIterator[AsyncJobHandle]:
        """See :meth:`Client.jobs <qdepot.client.client.Client.jobs>`; for ``async for``."""
        async for job in self.job_answers(limit=limit, **filters):
            yield self._handle(job)

    async def job_answers(self, *, limit: int | None = None, **filters: Unpack[JobFilters]) -> AsyncIterator[JobAnswer]:
        """See :meth:`Client.job_answers <qdepot.client.client.Client.job_answers>`; for ``async for``."""
        wanted = wire_filters(filters)
        cursor: str | None = None
        seen = 0
        while size := page_size(limit, seen):
            request = requests.list_jobs(wanted, limit=size, cursor=cursor)
            page = await self._courier.ask(request)
            for job in page.jobs:
                yield job
            seen += len(page.jobs)
            cursor = page.next_cursor
            if cursor is None:
                return

    async def backends(self) -> list[BackendAnswer]:
        """See :meth:`Client.backends <qdepot.client.client.Client.backends>`."""
        return await self._courier.ask(requests.list_backends())

    async def backend(self, name: str) -> BackendAnswer:
        """See :meth:`Client.backend <qdepot.client.client.Client.backend>`."""
        return await self._courier.ask(requests.one_backend(name))

    async def version(self) -> VersionAnswer:
        """See :meth:`Client.version <qdepot.client.client.Client.version>`."""
        return await self._courier.ask(requests.version())

    async def me(self) -> MeAnswer:
        """See :meth:`Client.me <qdepot.client.client.Client.me>`."""
        return await self._courier.ask(token_requests.me())

    async def create_token(self, name: str = "", **options: Unpack[TokenOptions]) -> NewTokenAnswer:
        """See :meth:`Client.create_token <qdepot.client.client.Client.create_token>`."""
        return await self._courier.ask(token_requests.create_token(name, **options))

    async def tokens(self, *, project: str | None = None) -> list[TokenAnswer]:
        """See :meth:`Client.tokens <qdepot.client.client.Client.tokens>`."""
        return await self._courier.ask(token_requests.list_tokens(project))

    async def revoke_token(self, token_id: str, *, derived: bool | None = None) -> None:
        """See :meth:`Client.revoke_token <qdepot.client.client.Client.revoke_token>`."""
        await self._courier.ask(token_requests.revoke_token(token_id, derived=derived))

    def _handle(self, known: JobAnswer | Accepted) -> AsyncJobHandle:
        return AsyncJobHandle(known.id, self._courier, known=known)
