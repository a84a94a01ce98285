"""The tasks that workers have, from the sending to the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from qdepot.adapters.compute.dask.link import Link
from qdepot.adapters.compute.dask.options import ClusterOptions
from qdepot.adapters.compute.dask.orders import Order, Run
from qdepot.adapters.compute.dask.parcels import unpacked_outcome
from qdepot.adapters.compute.dask.roster import Post
from qdepot.errors import QDepotError, TaskCancelledError, WorkerLostError
from qdepot.ports.task_end import Outcome

_AGAIN = "It may be handed in again."


def brief(error: BaseException) -> str:
    """An error in a line; its own words may be many, and name what it was about."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def outage(why: str) -> WorkerLostError:
    """The loss of a task that no task can have caused."""
    return WorkerLostError(why, solution=_AGAIN, details={"outage": True})


class Runs:
    """Gives tasks to workers, and ends each once. Used on the pool's thread alone, in its event loop.

    Args:
        options: How results are taken in.
        on_free: A worker has become free.
        on_broken: The connection is of no more use.
    """

    def __init__(self, options: ClusterOptions, *, on_free: Callable[[], None], on_broken: Callable[[], None]) -> None:
        self._options = options
        self._on_free = on_free
        self._on_broken = on_broken
        self._runs: dict[str, Run] = {}
        self._carrying: set[asyncio.Task[None]] = set()

    def start(self, link: Link, order: Order, post: Post) -> None:
        """Give a task to a worker that has room."""
        assert post.boot is not None
        try:
            future = link.send(order.parcel, operation=order.operation, address=post.address, boot=post.boot)
        except Exception as error:
            order.handle.finish(outage(f"it could not be given to a worker: {brief(error)}"))
            return
        run = Run(order=order, post=post, boot=post.boot, link=link, future=future)
        post.busy += 1
        self._runs[str(future.key)] = run
        carrying = asyncio.create_task(self._carry(run))
        self._carrying.add(carrying)
        carrying.add_done_callback(self._carrying.discard)

    def started(self, key: str) -> None:
        """A child works on the task with this key, which may be another service's."""
        run = self._runs.get(key)
        if run is not None:
            run.order.handle.begin_once()

    def cancel(self, order: Order) -> None:
        """End a task here; its worker kills the child."""
        for run in [run for run in self._runs.values() if run.order is order]:
            self._finish(run, TaskCancelledError("the task was cancelled while it ran"))

    def lose(self, post: Post) -> None:
        """End all that a worker had which is gone."""
        for run in [run for run in self._runs.values() if run.boot == post.boot]:
            self._finish(run, WorkerLostError("the worker that had it was lost", solution=_AGAIN))

    def end_all(self, error: QDepotError) -> None:
        """End them here, wherever they are."""
        for run in list(self._runs.values()):
            self._finish(run, error)

    async def _carry(self, run: Run) -> None:
        """Wait for one task's end. Never cancelled itself: Dask lets several tasks wait for one answer together."""
        try:
            parcel = await run.future
            outcome, ran_s = self._unpacked(parcel)
        except Exception as error:
            self._finish(run, self._loss(run, error))
            return
        run.order.handle.finish_as_told(outcome, ran_s=ran_s)
        self._finish(run, outcome)

    def _unpacked(self, parcel: memoryview) -> tuple[Outcome, float]:
        options = self._options
        try:
            return unpacked_outcome(
                parcel,
                max_bytes=options.station.max_result_bytes,
                in_memory_bytes=options.in_memory_bytes,
                folder=options.spool_dir,
            )
        except QDepotError as error:
            return error, 0.0
        except OSError as error:
            return WorkerLostError(f"its result could not be stored: {error.strerror}", solution=_AGAIN), 0.0

    def _loss(self, run: Run, error: Exception) -> QDepotError:
        """What it means for a task that Dask gives no answer."""
        if not run.link.is_sound or isinstance(error, OSError):
            self._on_broken()
            return outage(f"the connection to the Dask scheduler was lost: {brief(error)}")
        return WorkerLostError(f"the worker that it was given to gave no answer: {brief(error)}", solution=_AGAIN)

    def _finish(self, run: Run, outcome: Outcome) -> None:
        """The end of a run, the first time that it is called for it; its place is free."""
        if self._runs.pop(str(run.future.key), None) is None:
            return
        if run.post.boot == run.boot:
            run.post.busy -= 1
        run.future.release()  # type: ignore[no-untyped-call]
        run.order.handle.finish(outcome)
        self._on_free()
