"""What runs inside a Dask worker: a pool of children beside it, and the function that a task of Dask calls.

A circuit never comes into the worker's own process: there a thread waits for a child, as a thread of a service does.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from pathlib import Path

from distributed import Worker, WorkerPlugin, get_worker

from qdepot.adapters.compute.dask.options import StationOptions
from qdepot.adapters.compute.dask.parcels import packed_outcome, unpacked_task
from qdepot.adapters.compute.options import PoolOptions
from qdepot.adapters.compute.processes import ProcessPool
from qdepot.adapters.compute.undumpable import make_undumpable
from qdepot.errors import QDepotError, TaskCancelledError, UnavailableError, WorkerLostError
from qdepot.ports.compute_pool import Lane, Payload, TaskHandle

STARTED = "qdepot-started"
"""Topic of the keys of tasks that a child works on."""

_WORTH_TELLING_S = 0.05
"""A task that is over sooner is not announced: its end is news enough."""


class Station(WorkerPlugin):
    """One per worker process and options: made by the first service that comes, ended with the worker.

    The scheduler tells a worker to let go of a task when its service cancels it, and when the service has gone; Dask
    cannot stop a thread, but it calls :meth:`transition`, and the child is killed.

    Attributes:
        boot: Unlike that of any other worker process, before or after.
    """

    def __init__(self, options: StationOptions) -> None:
        """Nothing is started yet."""
        self.options = options
        self.boot = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._handles: dict[object, TaskHandle | None] = {}
        self._pool: ProcessPool | None = None

    def setup(self, worker: Worker) -> None:
        """Start the supervisor."""
        make_undumpable()
        self._pool = ProcessPool(
            PoolOptions(
                children={Lane.CHECK: 1, Lane.RUN: worker.state.nthreads},
                module=self.options.module,
                sandbox=self.options.sandbox,
                spool_dir=Path(worker.local_directory),
                max_result_bytes=self.options.max_result_bytes,
            )
        )
        worker.metrics[self.options.name] = self.report

    async def teardown(self, worker: Worker) -> None:
        """End all children."""
        worker.metrics.pop(self.options.name, None)
        if self._pool is not None:
            await asyncio.to_thread(self._pool.close)

    def report(self, worker: Worker) -> dict[str, object]:
        """What the worker's heartbeats tell of it."""
        del worker
        return {"boot": self.boot, "ready": self._pool is not None and self._pool.ready(Lane.RUN)}

    def transition(self, key: object, start: str, finish: str, **_: object) -> None:
        """Know which tasks the scheduler wants; kill the child of one that it wants no more."""
        if finish == "executing":
            with self._lock:
                self._handles[key] = None
        elif start == "executing":
            with self._lock:
                handle = self._handles.pop(key, None)
            if handle is not None and finish == "released":
                handle.cancel()

    def perform(self, parcel: bytes, key: object) -> memoryview:
        """Do a task in a child, and wait for its end."""
        try:
            task = unpacked_task(parcel)
            assert self._pool is not None
            handle = self._pool.submit(task)
        except UnavailableError as error:
            return packed_outcome(WorkerLostError(error.message), run_s=0.0)
        except QDepotError as error:
            return packed_outcome(error, run_s=0.0)
        with self._lock:
            if wanted := key in self._handles:
                self._handles[key] = handle
        if not wanted:
            handle.cancel()
        return packed_outcome(_outcome(handle, key), run_s=handle.run_s)


async def hire(options: StationOptions, dask_worker: Worker) -> dict[str, object]:
    """Make a station on this worker, or find the one that is there; called by ``Client.run``."""
    station = dask_worker.plugins.get(options.name)
    if station is None:
        station = Station(options)
        await dask_worker.plugin_add(station, name=options.name, catch_errors=False)
    assert isinstance(station, Station)
    return {"boot": station.boot, "slots": dask_worker.state.nthreads, "version": StationOptions().version}


def perform(parcel: bytes, *, station: str, boot: str) -> memoryview:
    """Do a task: what a task of Dask calls.

    Args:
        parcel: The task.
        station: Name of the station that shall do it.
        boot: The worker process that it was given to. Another one at the same address does not take it over: the
            service knows that the task was lost, and decides.
    """
    worker = get_worker()
    found = worker.plugins.get(station)
    if not isinstance(found, Station) or found.boot != boot:
        return packed_outcome(WorkerLostError("the worker that it was given to has ended"), run_s=0.0)
    return found.perform(parcel, worker.get_current_task())


def _outcome(handle: TaskHandle, key: object) -> Payload | QDepotError:
    try:
        try:
            return handle.result(_WORTH_TELLING_S)
        except TimeoutError:
            return _slow_outcome(handle, key)
    except TaskCancelledError:
        # Whoever cancelled it asks no more; if somebody does, the worker is about to end.
        return WorkerLostError("the worker ended while it worked on it", solution="It may be handed in again.")
    except QDepotError as error:
        return error


def _slow_outcome(handle: TaskHandle, key: object) -> Payload:
    while not handle.started:
        try:
            return handle.result(_WORTH_TELLING_S)
        except TimeoutError:
            continue
    get_worker().log_event(STARTED, key)
    return handle.result()
