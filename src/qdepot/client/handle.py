"""A job as its user holds it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from qdepot.client import requests
from qdepot.client.courier import AsyncCourier, Courier
from qdepot.client.exchange import Flow, Request, T
from qdepot.client.files import written_export
from qdepot.client.repeating import Peer
from qdepot.client.results import Counts, Result, arrays_from_npz
from qdepot.client.submitting import Accepted
from qdepot.client.waiting import OnStatus, once_completed, until_final
from qdepot.wire.answers import EventAnswer, JobAnswer, ObjectAnswer, StatusAnswer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


K = TypeVar("K", bound=JobAnswer | Accepted)
Decision: TypeAlias = Literal["adopt", "resubmit", "fail"]


class _KnownJob:
    """What is known of a job without asking.

    Attributes:
        id: Its id; all that is needed to find it again.
        name, backend, tags: As last heard; empty where only the id is known.
        last_status: As last heard, e.g. ``"QUEUED"``; empty where nothing was heard yet.
    """

    def __init__(self, job_id: str, peer: Peer, known: JobAnswer | Accepted | None) -> None:
        self.id = job_id
        self._peer = peer
        self.name = ""
        self.backend = ""
        self.tags: tuple[str, ...] = ()
        self.last_status = ""
        self._result: Result | None = None
        if known is not None:
            self._learn(known)

    def __repr__(self) -> str:
        shown = {"id": self.id, "name": self.name, "status": self.last_status, "backend": self.backend}
        return f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in shown.items() if value)})"

    def _repr_html_(self) -> str:
        cells = (self.id, self.name, self.last_status, self.backend)
        shown = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        return (
            "<table><thead><tr><th>job</th><th>name</th><th>status</th><th>backend</th></tr></thead>"
            f"<tbody><tr>{shown}</tr></tbody></table>"
        )

    def _learn(self, job: K) -> K:
        self.name, self.backend, self.tags, self.last_status = job.name, job.backend, tuple(job.tags), job.status
        return job

    def heard(self, status: StatusAnswer) -> str:
        """Take note of a status that came by another way, and return its word."""
        self.last_status = status.status
        return status.status

    def _until_final(self, timeout_s: float | None, on_status: OnStatus | None) -> Flow[StatusAnswer]:
        def hear(status: StatusAnswer) -> None:
            self.heard(status)
            if on_status is not None:
                on_status(status)

        return until_final(self._peer, self.id, timeout_s=timeout_s, on_status=hear, every_change=on_status is not None)

    def _once_completed(self, request: Request[T], timeout_s: float | None) -> Flow[T]:
        return once_completed(self._peer, self.id, request, timeout_s=timeout_s, on_status=self.heard)


class JobHandle(_KnownJob):
    """One job, seen through a blocking client.

    Attributes:
        id: Its id; ``client.job(id)`` finds it again, from anywhere.
        name, backend, tags: As last heard.
        last_status: As last heard; :meth:`status` asks.
    """

    def __init__(self, job_id: str, courier: Courier, *, known: JobAnswer | Accepted | None = None) -> None:
        super().__init__(job_id, courier.peer, known)
        self._courier = courier

    def status(self) -> str:
        """Ask for the status.

        Returns:
            A word of :class:`~qdepot.domain.job.JobStatus`, which it can be compared with, or ``"CANCELLING"``.
        """
        answer = self._courier.ask(requests.job_status(self.id))
        return self.heard(answer)

    def wait(self, timeout_s: float | None = None, *, on_status: OnStatus | None = None) -> str:
        """Wait until the job is final and return its status; survives lost connections and restarts of the service.

        Args:
            timeout_s: Longest wait in seconds; None: as long as it takes.
            on_status: Called with each status that is news.

        Raises:
            WaitTimeoutError: It is not final yet; it goes on.
            UnavailableError: The service has not answered for ten minutes.
        """
        return self._courier.run(self._until_final(timeout_s, on_status)).status

    def result(self, timeout_s: float | None = None, *, partial: bool = False) -> Result:
        """Wait for the job and return its result, which is kept here from then on.

        Args:
            timeout_s: Longest wait in seconds; None: as long as it takes.
            partial: Do not wait, and return the results of the leading circuits that are stored by now, maybe none:
                of a job in any status, also of one that failed or was cancelled. Not kept here.

        Raises:
            JobFailedError: It ended without one; ``details["failure"]`` and ``solution`` say why and what to do.
            WaitTimeoutError: It is not final yet; it goes on.
        """
        if partial:
            return self._courier.ask(requests.job_result(self.id, partial=True))
        if self._result is None:
            request = requests.job_result(self.id)
            self._result = self._courier.run(self._once_completed(request, timeout_s))
        return self._result

    def result_document(self, timeout_s: float | None = None, *, partial: bool = False) -> dict[str, Any]:
        """The same as plain JSON data, just as the service sends it; not kept here."""
        if partial:
            return self._courier.ask(requests.job_result_document(self.id, partial=True))
        request = requests.job_result_document(self.id)
        return self._courier.run(self._once_completed(request, timeout_s))

    def counts(self, index: int = 0) -> Counts | list[Counts]:
        """Counts of one circuit; waits for the result. Bit 0 is rightmost; a list in C order where there is a shape."""
        return self.result().sampled(index).counts

    def arrays(self, index: int = 0) -> dict[str, NDArray[np.uint8]]:
        """Per-shot outcomes of one circuit, by register, of a job that was submitted with ``memory=True``.

        Each array is packed as Qiskit's ``BitArray`` is, which takes it as it is: shape
        ``(*shape, shots, ceil(num_bits / 8))``, most significant byte first.

        Raises:
            InvalidRequestError: NumPy is not installed.
            NotFoundError: The job did not ask for memory.
            NotFinishedError: It is not final yet.
        """
        return arrays_from_npz(self.npz(), circuit=index)

    def npz(self, *, partial: bool = False) -> bytes:
        """All per-shot outcomes as the bytes of an ``.npz`` file, with arrays ``memory/<circuit>/<register>``.

        With ``partial``, those of the circuits that are done, as for :meth:`result`.
        """
        return self._courier.ask(requests.job_arrays(self.id, partial=partial))

    def details(self) -> JobAnswer:
        """Ask for all about the job: times, failure, options, why it waits."""
        return self._learn(self._courier.ask(requests.job_details(self.id)))

    def events(self) -> list[EventAnswer]:
        """Its history, oldest first."""
        return self._courier.ask(requests.job_events(self.id))

    def program(self) -> dict[str, Any]:
        """The program as it was sent."""
        return self._courier.ask(requests.job_program(self.id))

    def objects(self) -> list[ObjectAnswer]:
        """Where it lies in the object store, with checksums."""
        return self._courier.ask(requests.job_objects(self.id))

    def export(self, path: str | PathLike[str]) -> Path:
        """Write all that is kept of the final job to a zip file that a colleague opens without qdepot.

        Args:
            path: The file, which is written whole or not at all; or a folder to put ``qdepot-<id>.zip`` into.

        Returns:
            The file.

        Raises:
            NotFinishedError: It is not final yet.
            InvalidRequestError: The file cannot be written.
        """
        return written_export(path, self.id, self._courier.ask(requests.job_export(self.id)))

    def download(self, path: str | PathLike[str]) -> Path:
        """Write the final job's bundle as it lies in the archive, from the store itself where the service leads there.

        Args:
            path: As for :meth:`export`, which raises the same.
        """
        return written_export(path, self.id, self._courier.ask(requests.job_bundle(self.id)))

    def cancel(self) -> str:
        """Wish that the job ends; returns its status, ``CANCELLING`` as long as that is not confirmed.

        Raises:
            ConflictError: It has ended otherwise.
        """
        return self._learn(self._courier.ask(requests.cancel_job(self.id))).status

    def edit(self, *, name: str | None = None, tags: Sequence[str] | None = None) -> JobAnswer:
        """Change name or tags; None leaves them. Not repeated on its own when the connection is lost."""
        request = requests.edit_job(self.id, name=name, tags=tags)
        return self._learn(self._courier.ask(request))

    def resolve(self, action: Decision, *, provider_job_id: str | None = None) -> JobAnswer:
        """Decide about a job that waits for a person. Not repeated on its own when the connection is lost.

        Args:
            action: ``"adopt"``: the backend has it, go on there. ``"resubmit"``: send it (again); where nobody can tell
                whether the backend has it already, it may be paid twice. ``"fail"``: give it up.
            provider_job_id: The backend's own id of the job, with ``"adopt"``.

        Raises:
            ConflictError: The job is neither held nor in doubt.
        """
        request = requests.resolve_job(self.id, action=action, provider_job_id=provider_job_id)
        return self._learn(self._courier.ask(request))

    def delete(self) -> None:
        """Delete the final job with its objects, for good. Not repeated on its own when the connection is lost.

        Raises:
            ConflictError: It is not final.
        """
        self._courier.ask(requests.delete_job(self.id))


class AsyncJobHandle(_KnownJob):
    """One job, seen through an ``async`` client. Methods, errors and promises are those of :class:`JobHandle`."""

    def __init__(self, job_id: str, courier: AsyncCourier, *, known: JobAnswer | Accepted | None = None) -> None:
        super().__init__(job_id, courier.peer, known)
        self._courier = courier

    async def status(self) -> str:
        """See :meth:`JobHandle.status`."""
        answer = await self._courier.ask(requests.job_status(self.id))
        return self.heard(answer)

    async def wait(self, timeout_s: float | None = None, *, on_status: OnStatus | None = None) -> str:
        """See :meth:`JobHandle.wait`."""
        return (await self._courier.run(self._until_final(timeout_s, on_status))).status

    async def result(self, timeout_s: float | None = None, *, partial: bool = False) -> Result:
        """See :meth:`JobHandle.result`."""
        if partial:
            return await self._courier.ask(requests.job_result(self.id, partial=True))
        if self._result is None:
            request = requests.job_result(self.id)
            self._result = await self._courier.run(self._once_completed(request, timeout_s))
        return self._result

    async def result_document(self, timeout_s: float | None = None, *, partial: bool = False) -> dict[str, Any]:
        """See :meth:`JobHandle.result_document`."""
        if partial:
            return await self._courier.ask(requests.job_result_document(self.id, partial=True))
        request = requests.job_result_document(self.id)
        return await self._courier.run(self._once_completed(request, timeout_s))

    async def counts(self, index: int = 0) -> Counts | list[Counts]:
        """See :meth:`JobHandle.counts`."""
        return (await self.result()).sampled(index).counts

    async def arrays(self, index: int = 0) -> dict[str, NDArray[np.uint8]]:
        """See :meth:`JobHandle.arrays`."""
        return arrays_from_npz(await self.npz(), circuit=index)

    async def npz(self, *, partial: bool = False) -> bytes:
        """See :meth:`JobHandle.npz`."""
        return await self._courier.ask(requests.job_arrays(self.id, partial=partial))

    async def details(self) -> JobAnswer:
        """See :meth:`JobHandle.details`."""
        return self._learn(await self._courier.ask(requests.job_details(self.id)))

    async def events(self) -> list[EventAnswer]:
        """See :meth:`JobHandle.events`."""
        return await self._courier.ask(requests.job_events(self.id))

    async def program(self) -> dict[str, Any]:
        """See :meth:`JobHandle.program`."""
        return await self._courier.ask(requests.job_program(self.id))

    async def objects(self) -> list[ObjectAnswer]:
        """See :meth:`JobHandle.objects`."""
        return await self._courier.ask(requests.job_objects(self.id))

    async def export(self, path: str | PathLike[str]) -> Path:
        """See :meth:`JobHandle.export`."""
        return written_export(path, self.id, await self._courier.ask(requests.job_export(self.id)))

    async def download(self, path: str | PathLike[str]) -> Path:
        """See :meth:`JobHandle.download`."""
        return written_export(path, self.id, await self._courier.ask(requests.job_bundle(self.id)))

    async def cancel(self) -> str:
        """See :meth:`JobHandle.cancel`."""
        return self._learn(await self._courier.ask(requests.cancel_job(self.id))).status

    async def edit(self, *, name: str | None = None, tags: Sequence[str] | None = None) -> JobAnswer:
        """See :meth:`JobHandle.edit`."""
        request = requests.edit_job(self.id, name=name, tags=tags)
        return self._learn(await self._courier.ask(request))

    async def resolve(self, action: Decision, *, provider_job_id: str | None = None) -> JobAnswer:
        """See :meth:`JobHandle.resolve`."""
        request = requests.resolve_job(self.id, action=action, provider_job_id=provider_job_id)
        return self._learn(await self._courier.ask(request))

    async def delete(self) -> None:
        """See :meth:`JobHandle.delete`."""
        await self._courier.ask(requests.delete_job(self.id))
