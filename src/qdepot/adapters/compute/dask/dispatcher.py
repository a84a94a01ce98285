"""The pool's thread: it keeps the connection, gives waiting tasks to workers and takes in what they answer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from qdepot.adapters.compute.dask.link import Link
from qdepot.adapters.compute.dask.options import ClusterOptions
from qdepot.adapters.compute.dask.orders import Order
from qdepot.adapters.compute.dask.roster import Post, Roster
from qdepot.adapters.compute.dask.runs import Runs, brief, outage
from qdepot.adapters.compute.fair_queue import FairQueue
from qdepot.errors import InternalError, QDepotError, TaskCancelledError

_Value = TypeVar("_Value")

_log = logging.getLogger(__name__)


class Dispatcher:
    """All of a pool that has a state. Its public methods may be called from any thread; the rest runs on its own.

    A worker gets no more tasks than it does at once; the others wait here, where owners take turns.

    Attributes:
        ready: A worker can start a task at once, or is at one.
        slots: Tasks that all workers together do at once.
        trouble: Why there has been nobody to give tasks to for a while; None if that is not so.
        problem: Why there is nobody at present; empty if there is.
    """

    def __init__(self, options: ClusterOptions) -> None:
        self.ready = False
        self.slots = 0
        self.trouble: str | None = None
        self.problem = f"the Dask scheduler at {options.scheduler} has not answered yet"
        self._options = options
        self._queue: FairQueue[Order] = FairQueue()
        self._runs = Runs(options, on_free=self._match, on_broken=lambda: self._bell.set())
        self._link: Link | None = None
        self._roster = self._new_roster()
        self._usable_at = time.monotonic()
        self._callbacks: list[Callable[[], None]] = []
        self._asking: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._bell = asyncio.Event()
        self._step: asyncio.Future[Any] | None = None
        self._lock = threading.Lock()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="qdepot-dask-pool", daemon=True)
        self._thread.start()

    def submit(self, order: Order) -> bool:
        """Take an order; False if the pool is closed."""
        return self._call(lambda: self._enqueue(order))

    def cancel(self, order: Order) -> None:
        """Drop a waiting order; have the child of a running one killed."""
        self._call(lambda: self._cancel(order))

    def on_return(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` on the pool's thread whenever ``trouble`` is over."""
        self._call(lambda: self._callbacks.append(callback))

    def close(self) -> None:
        """End everything, and wait for it. May be repeated."""
        with self._lock:
            if not self._stopped:
                self._stopped = True
                self._loop.call_soon_threadsafe(self._interrupt)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _call(self, action: Callable[[], None]) -> bool:
        with self._lock:
            if not self._stopped:
                self._loop.call_soon_threadsafe(action)
            return not self._stopped

    # What follows runs on the pool's thread.

    def _work(self) -> None:
        error: QDepotError = TaskCancelledError("the pool was closed")
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._live())
            except asyncio.CancelledError:
                pass  # closed while it waited for the scheduler
            except Exception:
                _log.exception("dask_pool_failed")
                error = InternalError("the pool of Dask workers has failed", solution="Restart the service.")
            with self._lock:
                self._stopped = True
            self.ready = False
            runner.run(self._end(error))

    async def _live(self) -> None:
        while not self._stopped:
            try:
                self._link = await self._unless_closed(Link.open(self._options, on_started=self._runs.started))
            except Exception as error:  # refused, not a scheduler, wrong certificate, no such file ...
                self._unusable(f"the Dask scheduler at {self._options.scheduler} does not answer: {brief(error)}")
            else:
                _log.info("dask_connected", extra={"scheduler": self._options.scheduler})
                why = await self._serve(self._link)
                if not self._stopped:
                    _log.warning("dask_connection_lost", extra={"reason": why})
                    await self._hang_up(f"the connection to the Dask scheduler was lost: {why}")
            await self._pause()

    async def _serve(self, link: Link) -> str:
        """Work until the connection is lost; returns why."""
        while not self._stopped:
            if not link.is_sound:
                return "it broke"
            try:
                workers = await self._unless_closed(link.look())
            except Exception as error:
                return brief(error)
            now = time.monotonic()
            for post in self._roster.update(workers, now=now):
                _log.warning("dask_worker_lost", extra={"worker": post.address})
                self._runs.lose(post)
            for post in self._roster.to_ask(now=now):
                post.ask_at = float("inf")
                asking = asyncio.create_task(self._hire(link, post))
                self._asking.add(asking)
                asking.add_done_callback(self._asking.discard)
            self._look_around()
            await self._pause()
        return "the pool is closed"

    async def _unless_closed(self, step: Coroutine[None, None, _Value]) -> _Value:
        """What may take long. Raises asyncio.CancelledError when the pool is closed."""
        self._step = task = asyncio.ensure_future(step)
        return await task

    def _interrupt(self) -> None:
        self._bell.set()
        if self._step is not None:
            self._step.cancel()

    async def _pause(self) -> None:
        """Until the next look, or until something happens that asks for one."""
        if self._stopped:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._bell.wait(), self._options.probe_s)
        self._bell.clear()

    async def _hire(self, link: Link, post: Post) -> None:
        try:
            told = await link.hire(post.address)
            boot, slots, version = str(told["boot"]), int(str(told["slots"])), told["version"]
        except Exception as error:
            self._roster.refused(post, f"cannot work for qdepot: {brief(error)}", now=time.monotonic())
            _log.warning("dask_worker_refused", extra={"worker": post.address, "reason": brief(error)})
            return
        ours = self._options.station.version
        if version != ours:
            self._roster.refused(post, f"has qdepot {version}, and the service has {ours}", now=time.monotonic())
            return
        self._roster.hired(post, boot=boot, slots=slots)
        self._look_around()

    def _look_around(self) -> None:
        """Give out what can be given, and say how things are."""
        if self._roster.is_usable:
            self._usable_at = time.monotonic()
            self.problem = "" if self._roster.is_ready else "no worker of the Dask cluster has a warm child yet"
            self._return()
        else:
            self._unusable(f"no worker of the Dask cluster takes tasks: {self._roster.complaint()}")
        self.ready, self.slots = self._roster.is_ready, self._roster.slots
        self._match()

    def _return(self) -> None:
        """Take tasks again."""
        if self.trouble is not None:
            _log.info("dask_cluster_back")
            self.trouble = None
            for callback in self._callbacks:
                callback()

    def _unusable(self, why: str) -> None:
        """Do not let tasks wait for a cluster that does not come: elsewhere they may wait with a reason."""
        self.ready = False
        self.problem = why
        if time.monotonic() - self._usable_at < self._options.patience_s:
            return
        if self.trouble is None:
            _log.warning("dask_cluster_away", extra={"reason": why})
        self.trouble = why
        while self._queue:
            self._queue.take().handle.finish(outage(why))

    def _match(self) -> None:
        if self._link is None or not self._link.is_sound:
            return
        while self._queue and (post := self._roster.free()) is not None:
            order = self._queue.take()
            if not order.handle.done:
                self._runs.start(self._link, order, post)

    async def _hang_up(self, why: str) -> None:
        """The connection is of no more use: end all that went through it."""
        link, self._link = self._link, None
        self.ready, self.slots, self.problem = False, 0, why
        self._roster = self._new_roster()
        self._runs.end_all(outage(why))
        if link is not None:
            await link.close()

    async def _end(self, error: QDepotError) -> None:
        await asyncio.sleep(0)  # the last calls of other threads
        while self._queue:  # before a place becomes free
            self._queue.take().handle.finish(error)
        self._runs.end_all(error)
        await self._hang_up("the pool is closed")

    def _new_roster(self) -> Roster:
        return Roster(station=self._options.station.name, silence_s=self._options.silence_s)

    def _enqueue(self, order: Order) -> None:
        self._queue.add(order.owner, order.number, order)
        self._match()

    def _cancel(self, order: Order) -> None:
        self._queue.remove(order.owner, order.number)
        self._runs.cancel(order)
