"""A task's way to a warm child and back, against the same bytes through a pipe to a bare process.

Both send 200 bytes and get them back. The pool's way goes through its thread (queue, limits, owners) and two frames of
JSON; the pipe's is as short as it can be, and pickles.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import statistics
import threading
import time
from multiprocessing.connection import Connection

from harness.figures import interleaved, show, spread, timed

from qdepot.adapters.compute.processes import PoolOptions, ProcessPool
from qdepot.ports.compute_pool import Lane, Payload, Task

ROUNDS = 3000
OWNERS = 200
DATA = os.urandom(200)
MEGABYTES = 100


def echo(channel: Connection) -> None:
    while True:
        channel.send(channel.recv())


def pass_back(channel: socket.socket) -> None:
    while token := channel.recv(1):
        channel.send(token)


def task(operation: str = "echo", owner: str = "ada", **meta: object) -> Task:
    return Task(operation=operation, payload=Payload(meta=meta, parts={"data": DATA}), lane=Lane.CHECK, owner=owner)


def main() -> None:
    print(__doc__)
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=echo, args=(theirs,), daemon=True)
    process.start()
    here, there = socket.socketpair()
    threading.Thread(target=pass_back, args=(there,), daemon=True).start()
    with ProcessPool(PoolOptions(module="qdepot.testing.drill")) as pool:

        def through_pool() -> None:
            pool.submit(task()).result()

        def through_pipe() -> None:
            ours.send(({"n": 1}, DATA))
            ours.recv()

        def between_threads() -> None:
            here.send(b"x")
            here.recv(1)

        through_pool()
        through_pipe()
        times = interleaved(
            {
                "multiprocessing.Pipe to a bare process": through_pipe,
                "hop to a thread and back": between_threads,
                "pool: submit to result, warm child": through_pool,
            },
            rounds=ROUNDS,
        )
        for name, seconds in times.items():
            show(name, spread(seconds))
        pipe, _, whole = (statistics.median(seconds) for seconds in times.values())
        show("pool / pipe", f"{whole / pipe:9.1f} x")

        started = time.perf_counter()
        for handle in [pool.submit(task()) for _ in range(ROUNDS)]:
            handle.result()
        show(f"{ROUNDS} tasks handed in at once, one child", f"{ROUNDS / (time.perf_counter() - started):9.0f} /s")
        fresh = [timed(lambda n=n: pool.submit(task(owner=f"owner {n}")).result()) for n in range(OWNERS)]
        show("pool: each task another owner's (a fresh child each)", spread(fresh))
        large = [timed(lambda: pool.submit(task("big", bytes=MEGABYTES << 20)).result()) for _ in range(5)]
        show(f"pool: a result of {MEGABYTES} MB, made and mapped", spread(large))
    process.kill()


if __name__ == "__main__":
    main()
