"""Tasks that need a processor, on 1, 2 and 4 workers of a Dask cluster, against as many children on this machine.

Each task keeps a processor busy for a fixed CPU time, so that the ideal is known: CPU time / (number of workers or
processors, whichever is less). What is printed as efficiency is that ideal over the time that was measured. With more
workers than processors nothing more can be won; that line shows what they cost.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from harness.figures import show

from qdepot.adapters.compute.dask.options import ClusterOptions, StationOptions
from qdepot.adapters.compute.dask.pool import DaskPool
from qdepot.adapters.compute.options import processors
from qdepot.adapters.compute.processes import PoolOptions, ProcessPool
from qdepot.ports.compute_pool import ComputePool, Lane, Payload, Task
from qdepot.testing.fake_pool import FunctionPool

DRILL = "qdepot.testing.drill"
TASKS = 12
CPU_S = 0.1
EMPTY_TASKS = 100
ROUNDS = 3


@contextlib.contextmanager
def on_dask(workers: int) -> Iterator[ComputePool]:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as processes:

        def start(part: str, *arguments: str) -> None:
            command = [sys.executable, "-m", f"distributed.cli.dask_{part}", "--no-dashboard", *arguments]
            process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            processes.callback(process.wait)
            processes.callback(process.kill)

        file = Path(folder) / "scheduler.json"
        start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
        while not file.exists() or not file.read_text().endswith("}"):
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        for _ in range(workers):
            start("worker", address, "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", "--memory-limit", "0")
        options = ClusterOptions(scheduler=address, station=StationOptions(module=DRILL), probe_s=0.1, patience_s=60.0)
        with DaskPool(options, checks=FunctionPool({})) as pool:
            warm_up(pool, workers)
            yield pool


@contextlib.contextmanager
def on_processes(children: int) -> Iterator[ComputePool]:
    with ProcessPool(PoolOptions(module=DRILL, children={Lane.CHECK: 1, Lane.RUN: children})) as pool:
        warm_up(pool, children)
        yield pool


def warm_up(pool: ComputePool, places: int) -> None:
    """Until so many tasks run at the same time, each in a warm child."""
    while True:
        sleepers = [pool.submit(task("sleep", seconds=600.0)) for _ in range(places)]
        deadline = time.monotonic() + 1.0
        while not (all_run := all(sleeper.started for sleeper in sleepers)) and time.monotonic() < deadline:
            time.sleep(0.01)
        for sleeper in sleepers:
            sleeper.cancel()
        if all_run:
            return


def task(operation: str, **meta: object) -> Task:
    return Task(operation=operation, payload=Payload(meta=meta))


def time_of(pool: ComputePool, number: int, operation: str, **meta: object) -> float:
    begin = time.perf_counter()
    for handle in [pool.submit(task(operation, **meta)) for _ in range(number)]:
        handle.result()
    return time.perf_counter() - begin


def main() -> None:
    print(__doc__)
    cores = processors()
    show("processors", f"{cores:9d}")
    times: dict[str, float] = {}
    for places in (1, 2, 4):
        with on_dask(places) as dask, on_processes(places) as processes:
            pools = {"Dask": dask, "processes": processes}
            busy: dict[str, list[float]] = {name: [] for name in pools}
            for _ in range(ROUNDS):
                for name, pool in pools.items():
                    busy[name].append(time_of(pool, TASKS, "burn", seconds=CPU_S))
            for name, seconds in busy.items():
                times[f"{name} {places}"] = median = statistics.median(seconds)
                efficiency = TASKS * CPU_S / min(places, cores) / median
                show(f"{places} x {name}: {TASKS} tasks of {CPU_S} s", f"{median:9.2f} s   efficiency {efficiency:.2f}")
            show(f"{places}: Dask / processes", f"{times[f'Dask {places}'] / times[f'processes {places}']:9.2f} x")
            rates = [f"{EMPTY_TASKS / time_of(pool, EMPTY_TASKS, 'echo'):.0f}" for pool in pools.values()]
            show(f"{places}: empty tasks, Dask and processes", f"{' and '.join(rates):>9} /s")
    for places in (2, 4):
        show(f"Dask: 1 worker / {places} workers", f"{times['Dask 1'] / times[f'Dask {places}']:9.2f} x")


if __name__ == "__main__":
    main()
