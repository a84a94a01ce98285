"""A compute pool of child processes on this machine: the embedded default."""

from __future__ import annotations

import itertools
from types import TracebackType

from qdepot.adapters.compute.dispatcher import Dispatcher
from qdepot.adapters.compute.handle import Handle
from qdepot.adapters.compute.options import PoolOptions
from qdepot.adapters.compute.orders import Order
from qdepot.adapters.compute.undumpable import make_undumpable
from qdepot.errors import UnavailableError
from qdepot.ports.compute_pool import Lane, Task, TaskHandle

__all__ = ["PoolOptions", "ProcessPool", "make_undumpable"]


class ProcessPool:
    """A :class:`~qdepot.ports.compute_pool.ComputePool` of forked children under one supervisor.

    It starts in the background: making one takes no time, :meth:`ready` tells when it is warm, and tasks may be handed
    in before. A supervisor that dies is started again; what it was working on raises WorkerLostError. Nobody has to
    look after a pool whose process is killed: the supervisor notices, and ends with all children.

    A child serves one owner under the same limits of memory and files; another owner gets another child.

    Args:
        options: How it is laid out.
    """

    def __init__(self, options: PoolOptions | None = None) -> None:
        self._numbers = itertools.count(1)
        options = options or PoolOptions()
        self._children = options.children
        self._dispatcher = Dispatcher(options)

    def submit(self, task: Task) -> TaskHandle:
        """Hand in a task; see the port. Buffers of its payload must not change until it is done.

        Raises:
            UnavailableError: The pool is closed, or its supervisor cannot be started.
            InternalError: The payload is not plain data and bytes.
        """
        if self._dispatcher.trouble is not None:
            raise UnavailableError(
                f"no process can be started that would work on circuits: {self._dispatcher.trouble}",
                solution="See the service's log.",
            )
        handle = Handle(on_cancel=lambda: self._dispatcher.cancel(order))
        order = Order.of(task, number=next(self._numbers), handle=handle)
        handle.on_done(order.request.clear)
        if not self._dispatcher.submit(order):
            raise UnavailableError("the pool of child processes is closed", solution="The service is shutting down.")
        return handle

    def ready(self, lane: Lane) -> bool:
        """True if a child of that lane is warm; see the port."""
        return lane in self._dispatcher.warm

    def size(self, lane: Lane) -> int:
        """Its children of that lane, without guests; see the port."""
        return self._children[lane]

    def close(self) -> None:
        """Stop all tasks and end all processes; see the port."""
        self._dispatcher.close()

    def __enter__(self) -> ProcessPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
