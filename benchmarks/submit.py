"""Submitting, durable, against an empty route that reads the same body on the same kind of server.

The reconciler is off, so that only acceptance is measured: check in a child, fsynced object, committed row. "same
circuit" lets the service know the circuit from its first check, "new circuits" are never seen before.
"""

from __future__ import annotations

import http.client
import itertools
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from harness.circuits import BELL, tilted
from harness.figures import interleaved, show, spread
from harness.jobs import batch_body, sampler_body
from harness.service import empty_route, service

SECONDS = 4.0
ROUNDS = 3
BATCH = 1000
BATCH_ROUNDS = 5

numbers = itertools.count(1)


SAME = sampler_body(BELL, seed=7)


def new_body() -> str:
    return sampler_body(tilted(next(numbers) / 1e6), seed=7)


def same_bodies() -> Iterator[str]:
    return itertools.repeat(SAME)


def new_bodies() -> Iterator[str]:
    return (new_body() for _ in itertools.count())


def hammer(url: str, bodies: Iterator[str], deadline: float) -> list[float]:
    """Post until the deadline over one kept connection; seconds per request."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    times = []
    while (begin := time.perf_counter()) < deadline:
        post(connection, "/v1/jobs", next(bodies))
        times.append(time.perf_counter() - begin)
    connection.close()
    return times


def post(connection: http.client.HTTPConnection, path: str, body: str) -> None:
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 201:
        sys.exit(f"unexpected answer {answer.status}: {content[:500]!r}")


def measure(url: str, clients: int, bodies: Callable[[], Iterator[str]] = same_bodies) -> tuple[float, list[float]]:
    """Requests a second, and the time of each."""
    deadline = time.perf_counter() + SECONDS
    with ThreadPoolExecutor(clients) as pool:
        parts = pool.map(lambda _: hammer(url, bodies(), deadline), range(clients))
        times = [t for part in parts for t in part]
    return len(times) / SECONDS, times


def one_by_one(submit_url: str, empty_url: str) -> None:
    candidates = {
        "empty route": (empty_url, same_bodies),
        "submit, same circuit": (submit_url, same_bodies),
        "submit, new circuits": (submit_url, new_bodies),
    }
    for clients in (1, 16):
        rates: dict[str, list[float]] = {name: [] for name in candidates}
        for _ in range(ROUNDS):
            for name, (url, bodies) in candidates.items():
                rate, times = measure(url, clients, bodies)
                rates[name].append(rate)
                p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
                show(f"{clients} clients: {name}", f"{rate:7.0f}/s   p50 {p50 * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms")
        base, *others = (statistics.median(found) for found in rates.values())
        for name, rate in zip(list(candidates)[1:], others, strict=True):
            show(f"{clients} clients: {name} / empty route", f"{rate / base:.2f} of its rate (medians of {ROUNDS})")


def batches(url: str) -> None:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)

    def send(bodies: Sequence[str]) -> None:
        post(connection, "/v1/jobs:batch", batch_body(bodies))

    same = [SAME] * BATCH
    send(same)
    actions = {
        f"batch of {BATCH}, same circuit": lambda: send(same),
        f"batch of {BATCH}, new circuits": lambda: send([new_body() for _ in range(BATCH)]),
    }
    for name, seconds in interleaved(actions, rounds=BATCH_ROUNDS).items():
        show(name, f"{spread(seconds)}   {BATCH / statistics.median(seconds):.0f} jobs/s")


def main() -> None:
    print(__doc__)
    with service("--no-reconciler") as submit_url, empty_route() as empty_url:
        one_by_one(submit_url, empty_url)
        batches(submit_url)


if __name__ == "__main__":
    main()
