"""A service of its own for a benchmark."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

QDEPOT = str(Path(sys.executable).parent / "qdepot")


@contextlib.contextmanager
def service(*options: str) -> Iterator[str]:
    """`qdepot serve` with embedded defaults in a temporary folder; its URL once it is ready."""
    with running(*options) as (url, _):
        yield url


@contextlib.contextmanager
def running(*options: str) -> Iterator[tuple[str, int]]:
    """As :func:`service`, with the process's id."""
    with tempfile.TemporaryDirectory() as folder:
        command = [QDEPOT, "serve", "--port", "0", "--data", folder, *options]
        with _started(command, marker="ready at ") as (url, pid):
            while httpx.get(f"{url}/readyz").status_code != 200:
                time.sleep(0.05)
            yield url, pid


@contextlib.contextmanager
def empty_route() -> Iterator[str]:
    """A FastAPI application whose only route reads the body and does nothing, on the same kind of server."""
    with _started([sys.executable, str(Path(__file__).with_name("empty_app.py"))], marker="ready at ") as (url, _):
        yield url


@contextlib.contextmanager
def _started(command: list[str], *, marker: str) -> Iterator[tuple[str, int]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = next(line for line in process.stdout if marker in line)
            yield line.split(marker)[1].split()[0], process.pid
        finally:
            process.terminate()
            process.stdout.read()
