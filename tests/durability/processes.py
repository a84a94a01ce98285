"""Real processes of qdepot, for tests that kill them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from typing import Any

from support.cloud_server import end_with_parent
from support.processes import offspring

PATIENCE_S = 120.0
TESTS = Path(__file__).parent.parent


@dataclass(eq=False)
class Process:
    """One command."""

    pid: int
    log: Path
    status: int | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def wait(self, timeout_s: float = PATIENCE_S) -> int:
        """Its exit status; negative for a signal."""
        if not self.ended.wait(timeout_s):
            raise AssertionError(f"process {self.pid} does not end:\n{self.tail()}")
        assert self.status is not None
        return self.status

    def send(self, number: signal.Signals) -> None:
        if not self.ended.is_set():
            os.kill(self.pid, number)

    def end(self) -> int:
        """As an operator ends it."""
        self.send(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.wait()

    def url(self) -> str | None:
        """Where a service listens, once it does; None if it has ended before."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = re.search(r"ready at (http://\S+)", self.log.read_text() if self.log.exists() else "")
            if found:
                return found[1]
            if self.ended.wait(0.02):
                return None
        raise AssertionError(f"the service does not start:\n{self.tail()}")

    def tail(self) -> str:
        return self.log.read_text()[-4000:] if self.log.exists() else ""


class Nursery:
    """Where processes are forked. Thread-safe."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._started: Queue[int] = Queue()
        self._lock = threading.Lock()
        self._processes: dict[int, Process] = {}
        self._book = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def start(
        self,
        *arguments: str,
        folder: Path,
        log: Path,
        environment: Mapping[str, str],
        kill: str | None = None,
        record: Path | None = None,
    ) -> Process:
        """Run a ``qdepot`` command; ``kill`` is the point at which it dies."""
        order = {
            "arguments": arguments,
            "folder": str(folder),
            "log": str(log),
            "environment": {"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
            "kill": kill,
            "record": str(record) if record else None,
        }
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(f"{json.dumps(order)}\n".encode())
            self._process.stdin.flush()
            pid = self._started.get(timeout=PATIENCE_S)
        with self._book:
            process = self._processes.setdefault(pid, Process(pid, log))
            if process.ended.is_set():  # before anybody could look
                del self._processes[pid]
        return process

    def living(self) -> int:
        """How many of its processes live, with all that they started."""
        return len(offspring(self._process.pid))

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            report: dict[str, Any] = json.loads(line)
            if "started" in report:
                self._started.put(report["started"])
            else:
                self._note_end(report["ended"], report["status"])

    def _note_end(self, pid: int, status: int) -> None:
        with self._book:
            process = self._processes.pop(pid, None)
            if process is None:
                process = self._processes[pid] = Process(pid, Path(os.devnull))
            process.status = status
            process.ended.set()


@contextmanager
def nursery() -> Iterator[Nursery]:
    """A nursery that ends with the block, with all its children."""
    process = subprocess.Popen(
        [sys.executable, "-m", "durability.nursery"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])},
        preexec_fn=end_with_parent,
    )
    assert process.stdout is not None
    with process:
        try:
            assert process.stdout.readline(), "the nursery did not start; it says why above"
            yield Nursery(process)
        finally:
            process.kill()
