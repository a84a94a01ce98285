"""Submitting: `POST /v1/jobs`, durable, against an empty route that reads the same body on the same kind of server.

The reconciler is off, so that only acceptance is measured: check in a child, fsynced object, committed row.
"""

from __future__ import annotations

import http.client
import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from harness.figures import show
from harness.service import empty_route, service

BELL = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
BODY = json.dumps(
    {
        "backend": "aer",
        "program": {"kind": "sampler", "shots": 1024, "circuits": [{"format": "openqasm3", "source": BELL}]},
        "options": {"seed": 7},
    }
)
SECONDS = 4.0
ROUNDS = 3


def hammer(url: str, deadline: float) -> list[float]:
    """Post until the deadline over one kept connection; seconds per request."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    times = []
    while (begin := time.perf_counter()) < deadline:
        connection.request("POST", "/v1/jobs", BODY, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 201:
            sys.exit(f"unexpected answer {answer.status}: {content[:500]!r}")
        times.append(time.perf_counter() - begin)
    connection.close()
    return times


def measure(url: str, clients: int) -> tuple[float, list[float]]:
    """Requests a second, and the time of each."""
    deadline = time.perf_counter() + SECONDS
    with ThreadPoolExecutor(clients) as pool:
        times = [t for part in pool.map(hammer, [url] * clients, [deadline] * clients) for t in part]
    return len(times) / SECONDS, times


def main() -> None:
    print(__doc__)
    with service("--no-reconciler") as submit_url, empty_route() as empty_url:
        for clients in (1, 16):
            rates: dict[str, list[float]] = {"submit": [], "empty route": []}
            for _ in range(ROUNDS):
                for name, url in (("submit", submit_url), ("empty route", empty_url)):
                    rate, times = measure(url, clients)
                    rates[name].append(rate)
                    p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
                    show(
                        f"{clients} clients: {name}", f"{rate:7.0f}/s   p50 {p50 * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms"
                    )
            ratio = statistics.median(rates["submit"]) / statistics.median(rates["empty route"])
            show(f"{clients} clients: submit / empty route", f"{ratio:.2f} of its rate (medians of {ROUNDS})")


if __name__ == "__main__":
    main()
