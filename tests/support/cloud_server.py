"""A scripted cloud in a process of its own."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudServer:
    """Where it listens, and what a test may know and change that a user of the cloud may not."""

    url: str
    client: httpx.Client

    def change(self, **script: Any) -> None:
        self.client.patch("/admin/script", json=script).raise_for_status()

    def submissions(self) -> Counter[str]:
        """How often a job was taken, by its tag."""
        return Counter(self._log()["submissions"])

    def calls(self) -> Counter[str]:
        return Counter(self._log()["calls"])

    def _log(self) -> dict[str, Any]:
        answer = self.client.get("/admin/log").raise_for_status()
        log: dict[str, Any] = answer.json()
        return log


@contextmanager
def cloud_server(folder: Path, *options: str) -> Iterator[CloudServer]:
    """One that ends with the block, or with this process."""
    command = [sys.executable, "-m", "qdepot.testing.scripted_server", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--state", str(folder / "submissions.jsonl"), *options],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=end_with_parent,
    )
    assert process.stdout is not None
    with process, process.stdout:
        try:
            line = process.stdout.readline()
            assert "ready at" in line, f"the cloud did not start: {line}"
            url = line.split()[-1]
            with httpx.Client(base_url=url, verify=False, trust_env=False) as client:
                yield CloudServer(url=url, client=client)
        finally:
            process.kill()


def end_with_parent() -> None:
    """Ask the kernel for a SIGKILL when the parent dies, so that nothing outlives a test run that is killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
