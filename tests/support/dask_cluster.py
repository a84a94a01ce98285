"""A real Dask cluster on this machine: a scheduler and workers as processes, which may be killed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qdepot.testing.compute_pool import wait_until
from support.cloud_server import end_with_parent

SETTINGS = {"DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "False", "PYTHONWARNINGS": "ignore"}


@dataclass(eq=False)
class Cluster:
    """One scheduler and its workers.

    Attributes:
        folder: Where logs and the scheduler's address lie.
        port: Of the scheduler, on 127.0.0.1; the same after it was started anew.
        workers: All that were started, the dead included.
    """

    folder: Path
    tls: Sequence[str] = ()
    port: int = 0
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def protocol(self) -> str:
        return "tls" if self.tls else "tcp"

    @property
    def address(self) -> str:
        return f"{self.protocol}://127.0.0.1:{self.port}"

    def start_scheduler(self) -> None:
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        where = ["--host", f"{self.protocol}://127.0.0.1", "--port", str(self.port), "--scheduler-file", str(file)]
        self.scheduler = self._start("scheduler", [*where, "--no-dashboard"])
        wait_until(lambda: _address_in(file) is not None or self.scheduler.poll() is not None)
        assert self.scheduler.poll() is None, self.logs()
        self.port = int(_address_in(file).rpartition(":")[2])

    def start_worker(self, *, threads: int = 1, scheduler: str | None = None, more: Sequence[str] = ()) -> int:
        """Returns its process id."""
        size = ["--nthreads", str(threads), "--no-nanny", "--no-dashboard", "--memory-limit", "0"]
        where = ["--host", f"{self.protocol}://127.0.0.1", "--local-directory", str(self.folder)]
        self.workers.append(self._start("worker", [scheduler or self.address, *size, *where, *more]))
        return self.workers[-1].pid

    def wait_for_workers(self) -> None:
        """Until each one that lives has once reached a scheduler."""
        logs = [self.folder / f"worker-{worker.pid}.log" for worker in self.workers if worker.poll() is None]
        wait_until(lambda: all("Registered to" in log.read_text() for log in logs))

    def kill_scheduler(self) -> None:
        assert self.scheduler is not None
        self.scheduler.kill()
        self.scheduler.wait()

    def kill_worker(self, pid: int, number: signal.Signals = signal.SIGKILL) -> None:
        worker = next(worker for worker in self.workers if worker.pid == pid)
        worker.send_signal(number)
        worker.wait()

    def living_workers(self) -> list[int]:
        return [worker.pid for worker in self.workers if worker.poll() is None]

    def logs(self) -> str:
        return "\n".join(f"{log.name}: {log.read_text()}" for log in sorted(self.folder.glob("*.log")))

    def close(self) -> None:
        """Kill all; their children notice."""
        for process in [*self.workers, *([self.scheduler] if self.scheduler else [])]:
            process.kill()
            process.wait()

    def _start(self, part: str, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        unnamed = self.folder / f"{part}.log"
        with unnamed.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{part}", *self.tls, *arguments],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, **SETTINGS},
                preexec_fn=end_with_parent,
            )
        unnamed.rename(self.folder / f"{part}-{process.pid}.log")
        return process


@contextlib.contextmanager
def running(folder: Path, *, workers: int = 2, tls: Sequence[str] = ()) -> Iterator[Cluster]:
    """A cluster that ends with the block."""
    cluster = Cluster(folder, tls=tls)
    with contextlib.closing(cluster):
        cluster.start_scheduler()
        for _ in range(workers):
            cluster.start_worker()
        cluster.wait_for_workers()
        yield cluster


def _address_in(file: Path) -> str | None:
    with contextlib.suppress(FileNotFoundError, ValueError):
        address = json.loads(file.read_text()).get("address", "")
        return address if re.fullmatch(r"\w+://127.0.0.1:\d+", address) else None
    return None
