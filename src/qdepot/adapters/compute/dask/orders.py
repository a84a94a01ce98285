"""A task on its way to a worker."""

from __future__ import annotations

from dataclasses import dataclass

from distributed import Future

from qdepot.adapters.compute.dask.link import Link
from qdepot.adapters.compute.dask.roster import Post
from qdepot.adapters.compute.handle import Handle
from qdepot.ports.task_end import Outcome


class RemoteHandle(Handle):
    """A handle that takes the worker's word for how long a child worked: the way there and back is no work.

    Attributes:
        ran_s: By the worker's clock; None while it has not told.
    """

    ran_s: float | None = None

    @property
    def run_s(self) -> float:
        """Seconds that a child has worked on it."""
        return super().run_s if self.ran_s is None else self.ran_s

    def finish_as_told(self, outcome: Outcome, *, ran_s: float) -> None:
        """End it with what a worker says, unless it has ended."""
        if not self.done:
            self.begin_once()
            self.ran_s = ran_s
            self.finish(outcome)

    def begin_once(self) -> None:
        """Mark it as started, if it is not."""
        if not self.started:
            self.begin()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Order:
    """A task as the pool keeps it.

    Attributes:
        number: Unique in the pool.
        owner, operation: Of the task.
        parcel: The bytes for the worker.
        handle: What the caller holds.
    """

    number: int
    owner: str
    operation: str
    parcel: bytes
    handle: RemoteHandle


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """An order that a worker has.

    Attributes:
        order: See there.
        post: The worker.
        boot: The station on it that was asked.
        link: The connection by which it was given.
        future: Dask's; to release it is to cancel the task.
    """

    order: Order
    post: Post
    boot: str
    link: Link
    future: Future[memoryview]
