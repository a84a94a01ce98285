"""Jobs by the thousand, over plain HTTP: what a client library costs is not what is measured."""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

_OPEN = "/v1/jobs?limit=1&status=CREATED&status=QUEUED&status=RUNNING"
_FINAL = {"COMPLETED", "FAILED", "CANCELLED"}
_PAUSE_S = 0.01
_HEADERS = {"Content-Type": "application/json"}


class Service:
    """A service's API. One connection; of one thread."""

    def __init__(self, url: str) -> None:
        self.url = url
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=600)

    def call(self, method: str, path: str, body: str | None = None) -> Any:
        """The answer's JSON; anything but a success ends the benchmark."""
        self._connection.request(method, path, body, _HEADERS)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            sys.exit(f"unexpected answer {answer.status}: {content[:500]!r}")
        return json.loads(content)

    def submit_batch(self, bodies: Sequence[str]) -> list[str]:
        """Submit jobs in one request; their ids."""
        answer = self.call("POST", "/v1/jobs:batch", batch_body(bodies))
        return [job["id"] for job in answer["jobs"]]

    def wait_for_all(self, ids: Sequence[str]) -> None:
        """Wait until no job is under way: each result is in the archive, and the ledger says so.

        Asked for the last of them first, the service answers when that has ended, and has no questions to answer until
        then.
        """
        while self.call("GET", f"/v1/jobs/{ids[-1]}/status?wait=30")["status"] not in _FINAL:
            continue
        while self.call("GET", _OPEN)["jobs"]:
            time.sleep(_PAUSE_S)
        answer = self.call("POST", "/v1/statuses", json.dumps({"ids": list(ids)}))
        statuses = {job["id"]: job["status"] for job in answer["statuses"]}
        if {statuses[job_id] for job_id in ids} != {"COMPLETED"}:
            sys.exit(f"not all jobs were completed: {sorted(set(statuses.values()))}")


def submit_separately(url: str, bodies: Sequence[str], *, clients: int) -> list[str]:
    """Submit jobs one by one, from so many clients at a time."""

    def submit(some: Sequence[str]) -> list[str]:
        service = Service(url)
        return [service.call("POST", "/v1/jobs", body)["id"] for body in some]

    with ThreadPoolExecutor(clients) as pool:
        shares = [bodies[number::clients] for number in range(clients)]
        return [job_id for ids in pool.map(submit, shares) for job_id in ids]


def batch_body(bodies: Sequence[str]) -> str:
    """Several jobs in one request."""
    return f'{{"jobs": [{",".join(bodies)}]}}'


def sampler_body(source: str, *, shots: int = 1024, circuit_format: str = "openqasm3", **options: object) -> str:
    """A job of one circuit."""
    circuit = {"format": circuit_format, "source": source}
    program = {"kind": "sampler", "shots": shots, "circuits": [circuit]}
    return json.dumps({"backend": "aer", "program": program, "options": options})
