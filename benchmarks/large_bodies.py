"""Bodies of 32 MB, 40 at once, of each kind: what they take from the service, and from others who ask for little.

Per kind a fresh service. Printed are the peak and the rest of its resident memory, with its processes that read bodies
(not the children that work on circuits), and the slowest of the calls of /v1/me meanwhile. There is no partner: the
figures are compared with those of an idle service, and with a limit.
"""

from __future__ import annotations

import argparse
import base64
import collections
import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import psutil
from harness.service import running

SIZE = 32 * 1024**2
PAUSE_S = 0.02
AFTER_S = 3.0

QASM = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; creg c[1]; measure q -> c;'
NUMBERS = 1000


def _job(values: str) -> bytes:
    circuit = f'{{"format": "openqasm2", "source": {json.dumps(QASM)}, "parameter_values": {values}}}'
    program = f'{{"kind": "sampler", "shots": 10, "circuits": [{circuit}]}}'
    return f'{{"backend": "aer", "program": {program}}}'.encode()


def _filled(item: str) -> bytes:
    count = (SIZE - 1000) // (len(item) + 1)
    return _job("[" + ",".join([item] * count) + "]")


def _sweep() -> bytes:
    """1,000 sets of 1,000 parameters, each number with as many digits as fill the body."""
    numbers = [f"{random.random():.16f}{'0' * 13}" for _ in range(NUMBERS)]
    one = "[" + ",".join(numbers) + "]"
    inputs = "".join(f"input angle t{n};" for n in range(NUMBERS))
    gates = "".join(f"rx(t{n}) q[0];" for n in range(NUMBERS))
    source = f'OPENQASM 3.0; include "stdgates.inc"; {inputs} qubit[1] q; bit[1] c; {gates} c[0] = measure q[0];'
    return (
        _job("[" + ",".join([one] * NUMBERS) + "]")
        .replace(json.dumps(QASM).encode(), json.dumps(source).encode(), 1)
        .replace(b'"openqasm2"', b'"openqasm3"', 1)
    )


def _batch_of_circuits() -> bytes:
    """1,000 jobs, each with a circuit in base64 that is no QPY file but as large as one."""
    source = base64.b64encode(random.randbytes(24 * 1024)).decode()
    job = {"backend": "aer", "program": {"kind": "sampler", "circuits": [{"format": "qpy", "source": source}]}}
    return json.dumps({"atomic": False, "jobs": [job] * 1000}).encode()


def _batch_of_lists() -> bytes:
    return b'{"atomic": false, "jobs": [' + _filled("[]") + b"]}"


KINDS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "empty lists": ("/v1/jobs", lambda: _filled("[]")),
    "empty objects": ("/v1/jobs", lambda: _filled("{}")),
    "objects": ("/v1/jobs", lambda: _filled('{"a":{"b":[]}}')),
    "short numbers": ("/v1/jobs", lambda: _filled("0.5")),
    "a sweep of 1,000 x 1,000": ("/v1/jobs", _sweep),
    "one text": ("/v1/jobs", lambda: _job('"' + "x" * (SIZE - 1000) + '"')),
    "a text beyond Latin-1": ("/v1/jobs", lambda: _job('"' + "\U0001f600" + "x" * (SIZE - 1000) + '"')),
    "brackets without end": ("/v1/jobs", lambda: b"[" * SIZE),
    "a batch of empty lists": ("/v1/jobs:batch", _batch_of_lists),
    "a batch of 1,000 circuits": ("/v1/jobs:batch", _batch_of_circuits),
}


class Attack:
    """Many bodies at once, with somebody who asks for little meanwhile and somebody who looks at the memory."""

    def __init__(self, url: str, pid: int) -> None:
        self.answers: collections.Counter[str] = collections.Counter()
        self.slowest_s = self.quiet_s = 0.0
        self.peak = 0
        self.seconds = 0.0
        self._url, self._pid = url, pid
        self._over = threading.Event()

    def run(self, path: str, body: bytes, *, at_once: int) -> None:
        watchers = [threading.Thread(target=work) for work in (self._ask, self._look)]
        senders = [threading.Thread(target=self._send, args=(path, body)) for _ in range(at_once)]
        for thread in watchers:
            thread.start()
        time.sleep(AFTER_S)
        self.quiet_s, self.slowest_s = self.slowest_s, 0.0
        began = time.monotonic()
        for thread in senders:
            thread.start()
        for thread in senders:
            thread.join()
        self.seconds = time.monotonic() - began
        time.sleep(AFTER_S)
        self._over.set()
        for thread in watchers:
            thread.join()

    def _send(self, path: str, body: bytes) -> None:
        try:
            self.answers[str(_call(self._url, "POST", path, body))] += 1
        except OSError as error:
            self.answers[type(error).__name__] += 1

    def _ask(self) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            try:
                _call(self._url, "GET", "/v1/me")
            except OSError as error:
                self.answers[f"me: {type(error).__name__}"] += 1
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            time.sleep(PAUSE_S)

    def _look(self) -> None:
        while not self._over.is_set():
            self.peak = max(self.peak, _resident(self._pid))
            time.sleep(PAUSE_S)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []])
    parser.add_argument("--at-once", type=int, default=40)
    given = parser.parse_args()
    print(__doc__)
    for name in given.kinds or KINDS:
        path, made = KINDS[name]
        body = made()
        with running() as (url, pid):
            idle = _resident(pid)
            attack = Attack(url, pid)
            attack.run(path, body, at_once=given.at_once)
            time.sleep(AFTER_S)
            print(
                f"{name:28} {len(body) / 1e6:5.1f} MB  idle {idle / 1e6:5.0f}  peak {attack.peak / 1e6:6.0f}  "
                f"after {_resident(pid) / 1e6:5.0f} MB   /v1/me at worst {attack.slowest_s:5.2f} s, "
                f"before {attack.quiet_s:5.2f} s   "
                f"all after {attack.seconds:5.1f} s   {dict(attack.answers)}",
                flush=True,
            )


def _call(url: str, method: str, path: str, body: bytes | None = None) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=300)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def _resident(pid: int) -> int:
    """Of the service and its processes that read bodies: not of the supervisor and its children."""
    service = psutil.Process(pid)
    processes = [service]
    for process in service.children():
        try:
            if "qdepot.quantum" not in " ".join(process.cmdline()):
                processes.append(process)
        except psutil.Error:
            continue
    total = 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


if __name__ == "__main__":
    main()
