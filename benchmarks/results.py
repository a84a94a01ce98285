"""Reading results: a thousand small ones, and a large one, against the same bytes through an empty route.

The large one holds the outcome of every shot. While it is read, the memory of the service is watched.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from harness.circuits import BELL
from harness.figures import interleaved, show
from harness.service import empty_route, running

from qdepot import Client

SMALL = 1000
QUBITS, SHOTS = 100, 520_000
ROUNDS = 3
MB = 1e6

WIDE = f'OPENQASM 2.0; include "qelib1.inc"; qreg q[{QUBITS}]; creg c[{QUBITS}]; h q; measure q -> c;'


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def growth(pid: int, action: Callable[[], object]) -> int:
    """By how much the process was larger at most while the action ran, in bytes."""
    before, ended, seen = resident_bytes(pid), threading.Event(), [0]

    def watch() -> None:
        while not ended.wait(0.005):
            seen.append(resident_bytes(pid))

    thread = threading.Thread(target=watch)
    thread.start()
    action()
    ended.set()
    thread.join()
    return max(0, max(seen) - before)


def small_ones(client: Client, url: str, empty_url: str) -> None:
    jobs = client.submit_many([BELL] * SMALL, shots=1024)
    for job in jobs:
        job.wait(timeout_s=600)
    paths = [f"/v1/jobs/{job.id}/result" for job in jobs]
    with httpx.Client(base_url=url) as service, httpx.Client(base_url=empty_url) as empty:
        actions: dict[str, Callable[[], object]] = {
            "an empty route": lambda: [empty.get("/empty").raise_for_status() for _ in paths],
            "small results": lambda: [service.get(path).raise_for_status() for path in paths],
        }
        times = interleaved(actions, rounds=ROUNDS)
    for name, seconds in times.items():
        show(f"{SMALL} requests: {name}", f"{SMALL / min(seconds):7.0f}/s")


def large_one(client: Client, url: str, pid: int) -> None:
    job = client.submit(WIDE, backend="aer_stabilizer", shots=SHOTS, memory=True, seed=1)
    job.wait(timeout_s=900)
    for name, query in (("JSON", ""), ("npz", "?format=npz")):
        read = [0]

        def fetch(query: str = query, read: list[int] = read) -> None:
            with httpx.stream("GET", f"{url}/v1/jobs/{job.id}/result{query}", timeout=300) as answer:
                read[0] = sum(len(piece) for piece in answer.iter_bytes())

        begin = time.perf_counter()
        grown = growth(pid, fetch)
        rate = read[0] / MB / (time.perf_counter() - begin)
        show(f"{read[0] / MB:.0f} MB as {name}", f"{rate:7.0f} MB/s; the service grew by {grown / MB:.0f} MB")


def main() -> None:
    print(__doc__)
    with running() as (url, pid), empty_route() as empty_url:
        client = Client(url)
        small_ones(client, url, empty_url)
        large_one(client, url, pid)


if __name__ == "__main__":
    main()
