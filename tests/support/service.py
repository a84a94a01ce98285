"""A real service in a real process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

QDEPOT = str(Path(sys.executable).parent / "qdepot")
START_TIMEOUT_S = 60.0


@dataclass
class Service:
    """`qdepot serve` on a free port; started again on the same folder it finds everything."""

    data: Path
    options: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)
    url: str = ""
    process: subprocess.Popen[str] | None = None
    output: list[str] = field(default_factory=list)

    def start(self, *, ready: bool = True) -> Service:
        command = [QDEPOT, "serve", "--port", "0", "--data", str(self.data), *self.options]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(self.data), **self.environment},
            cwd=self.data,
            start_new_session=True,
        )
        announced = threading.Event()
        self.url = ""
        threading.Thread(target=self._read, args=(self.process, announced), daemon=True).start()
        if not announced.wait(START_TIMEOUT_S) or not self.url:
            self.kill()
            raise AssertionError("the service did not start:\n" + "".join(self.output))
        if ready:
            self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if httpx.get(f"{self.url}/readyz").status_code == 200:
                return
            time.sleep(0.05)
        raise AssertionError("not ready:\n" + httpx.get(f"{self.url}/readyz").text)

    def stop(self) -> int:
        """SIGTERM, as an operator stops it; its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self._wait()

    def kill(self) -> None:
        """kill -9, with the whole process group."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self._wait()

    def _wait(self) -> int:
        assert self.process is not None
        status = self.process.wait(timeout=30)
        assert self.process.stdout is not None
        return status

    def _read(self, process: subprocess.Popen[str], announced: threading.Event) -> None:
        assert process.stdout is not None
        with process.stdout as stdout:
            for line in stdout:
                self.output.append(line)
                found = re.search(r"ready at (https?://\S+)", line)
                if found:
                    self.url = found[1]
                    announced.set()
        announced.set()


def run_cli(*arguments: str, data: Path | None = None, timeout_s: float = 120, **environment: str):
    """Run `qdepot` to its end."""
    where = ["--data", str(data)] if data is not None else []
    return subprocess.run(
        [QDEPOT, *arguments, *where],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        env={"PATH": os.environ["PATH"], **environment},
    )
