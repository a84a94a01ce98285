"""The pool's thread: it gives waiting tasks to children and has as many children as are needed."""

from __future__ import annotations

import logging
import time

from qdepot.adapters.compute.child_link import ChildLink, ChildState
from qdepot.adapters.compute.crew import Crew
from qdepot.adapters.compute.event_loop import EventLoop
from qdepot.adapters.compute.options import PoolOptions
from qdepot.adapters.compute.orders import Order
from qdepot.adapters.compute.process_tree import Listener, ProcessTree
from qdepot.errors import InternalError, QDepotError, TaskCancelledError, WorkerLostError
from qdepot.ports.compute_pool import Lane

_log = logging.getLogger(__name__)

_HOPELESS_AFTER = 3


class Dispatcher:
    """All of a pool that has a state. Its public methods may be called from any thread; the rest runs on its own.

    Attributes:
        warm: Lanes with a child that is idle or works, and can.
        trouble: Why no child can be started at present; None if that is not so.
    """

    def __init__(self, options: PoolOptions) -> None:
        self.warm: frozenset[Lane] = frozenset()
        self.trouble: str | None = None
        self._ended = False
        self._crews = {lane: Crew(size=size) for lane, size in options.children.items()}
        self._loop = EventLoop(turn=self._turn, on_end=self._on_end)
        listener = Listener(on_supervisor=self._on_supervisor, on_idle=self._on_idle, on_gone=self._on_gone)
        self._tree = ProcessTree(options, self._loop, listener)
        self._loop.start()

    def submit(self, order: Order) -> bool:
        """Take an order; False if the pool is closed."""
        return self._loop.call(lambda: self._enqueue(order))

    def cancel(self, order: Order) -> None:
        """Drop a waiting order; kill the child of a running one."""
        self._loop.call(lambda: self._cancel(order))

    def close(self) -> None:
        """End everything, and wait for it. May be repeated."""
        self._loop.call(self._loop.stop)
        self._loop.join()

    # What follows runs on the loop's thread.

    def _turn(self, now: float) -> float:
        self._tree.tick(now)
        self._look_for_trouble()
        for lane, crew in self._crews.items():
            crew.look_at_clock(now)
            if crew.stale:
                self._look_after(lane, crew, now)
        return min([self._tree.next_tick(), *[min(crew.fork_at, crew.guest_at) for crew in self._crews.values()]])

    def _look_after(self, lane: Lane, crew: Crew, now: float) -> None:
        crew.stale = False
        self._match(crew, now)
        self._balance(lane, crew, now)
        usable = crew.is_warm and self._tree.problem is None
        if usable != (lane in self.warm):
            self.warm ^= {lane}

    def _match(self, crew: Crew, now: float) -> None:
        for order, child in crew.matches(now):
            if order.handle.begin():
                self._tree.give(child, order, now=now)

    def _balance(self, lane: Lane, crew: Crew, now: float) -> None:
        for child in crew.surplus():
            self._tree.doom(child)
        for _ in range(crew.missing()):
            try:
                forked = self._tree.fork(lane)
            except OSError as error:
                _log.warning("pool_fork_failed", extra={"lane": lane.value, "reason": str(error)})
                crew.fork_failed(now)
                return
            if forked is not None:
                crew.children[forked.number] = forked

    def _look_for_trouble(self) -> None:
        """Do not let tasks wait for a supervisor that does not come."""
        hopeless = self._tree.failed_starts >= _HOPELESS_AFTER
        self.trouble = self._tree.complaint or "its supervisor ends at once" if hopeless else None
        if hopeless:
            error = WorkerLostError(
                f"no process can be started that would work on it: {self.trouble}",
                solution="See the service's log, and hand it in again once that is mended.",
            )
            for crew in self._crews.values():
                _finish_all(crew, error)

    def _enqueue(self, order: Order) -> None:
        if self._ended:
            order.handle.finish(TaskCancelledError("the pool was closed"))
        else:
            crew = self._crews[order.lane]
            crew.queue.add(order.owner, order.number, order)
            crew.stale = True

    def _cancel(self, order: Order) -> None:
        crew = self._crews[order.lane]
        crew.queue.remove(order.owner, order.number)
        for child in list(crew.children.values()):
            if child.order is order and child.state is ChildState.BUSY:
                self._tree.doom(child, TaskCancelledError("the task was cancelled while it ran"))

    def _on_supervisor(self) -> None:
        for crew in self._crews.values():
            crew.stale = True

    def _on_idle(self, child: ChildLink) -> None:
        crew = self._crews[child.lane]
        crew.stale = True
        crew.fork_succeeded()

    def _on_gone(self, child: ChildLink) -> None:
        crew = self._crews[child.lane]
        crew.children.pop(child.number, None)
        crew.stale = True
        if not child.was_ready:
            crew.fork_failed(time.monotonic())

    def _on_end(self, reason: Exception | None) -> None:
        self._ended = True
        self.warm = frozenset()
        error: QDepotError = TaskCancelledError("the pool was closed")
        if reason is not None:
            _log.error("pool_thread_failed", exc_info=reason)
            error = InternalError("the pool of child processes has failed", solution="Restart the service.")
        for crew in self._crews.values():
            _finish_all(crew, error)
        self._tree.end(error)


def _finish_all(crew: Crew, error: QDepotError) -> None:
    """End all orders that wait."""
    while crew.queue:
        crew.queue.take().handle.finish(error)
