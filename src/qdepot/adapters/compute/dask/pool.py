"""A compute pool on the workers of a Dask cluster."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import TracebackType

from qdepot.adapters.compute.dask.dispatcher import Dispatcher
from qdepot.adapters.compute.dask.options import ClusterOptions
from qdepot.adapters.compute.dask.orders import Order, RemoteHandle
from qdepot.adapters.compute.dask.parcels import packed_task
from qdepot.errors import UnavailableError
from qdepot.ports.compute_pool import ComputePool, Lane, Task, TaskHandle


class DaskPool:
    """A :class:`~qdepot.ports.compute_pool.ComputePool` whose runs are done by the workers of a Dask cluster.

    Checks are done by another pool, close by: they are short, and somebody waits for them.

    Beside each worker a supervisor is started with the first connection; each run is done by a child of it, under the
    same limits and walls as on one machine. A worker that is lost takes its tasks with it (WorkerLostError). So does a
    scheduler that is lost, or the way to it; then the details hold ``outage: True``, because no task can have caused
    that. The pool connects again by itself. While there is no scheduler or no usable worker, tasks that wait are given
    back with that error, and new ones are refused with UnavailableError.

    A task that is cancelled ends here at once; its child is killed as soon as the message has reached the worker.

    Args:
        options: Where the cluster is.
        checks: The pool that does checks; closed with this one.
    """

    def __init__(self, options: ClusterOptions, *, checks: ComputePool) -> None:
        self._checks = checks
        self._numbers = itertools.count(1)
        self._dispatcher = Dispatcher(options)

    def submit(self, task: Task) -> TaskHandle:
        """Hand in a task; see the port. Buffers of its payload may change once this has returned.

        Raises:
            UnavailableError: The pool is closed, or the cluster is away.
            InternalError: The payload is not plain data and bytes.
        """
        if task.lane is Lane.CHECK:
            return self._checks.submit(task)
        parcel = packed_task(task)
        if self._dispatcher.trouble is not None:
            raise _away(self._dispatcher.trouble)
        handle = RemoteHandle(on_cancel=lambda: self._dispatcher.cancel(order))
        order = Order(
            number=next(self._numbers), owner=task.owner, operation=task.operation, parcel=parcel, handle=handle
        )
        if not self._dispatcher.submit(order):
            raise UnavailableError("the pool of Dask workers is closed", solution="The service is shutting down.")
        return handle

    def ready(self, lane: Lane) -> bool:
        """True if a child of that lane is warm; see the port."""
        return self._checks.ready(lane) if lane is Lane.CHECK else self._dispatcher.ready

    def size(self, lane: Lane) -> int:
        """Runs: what the workers do at once that are there now; see the port."""
        return self._checks.size(lane) if lane is Lane.CHECK else max(1, self._dispatcher.slots)

    def check(self) -> None:
        """Return if a worker of the cluster has a warm child.

        Raises:
            UnavailableError: None has, and why.
        """
        if not self._dispatcher.ready:
            raise _away(self._dispatcher.problem)

    def on_return(self, callback: Callable[[], None]) -> None:
        """Call ``callback``, from any thread, when new tasks are taken again after they were refused."""
        self._dispatcher.on_return(callback)

    def close(self) -> None:
        """Stop all tasks and end all processes that are only ours; see the port.

        Supervisors beside the workers stay: other services may use them, and the next start of this one.
        """
        self._dispatcher.close()
        self._checks.close()

    def __enter__(self) -> DaskPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _away(why: str) -> UnavailableError:
    return UnavailableError(
        why,
        solution="See that scheduler and workers of the Dask cluster run and can be reached.",
        details={"outage": True},
    )
