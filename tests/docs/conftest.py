"""A real service for the code on the pages."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def service_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("docs-service")


@pytest.fixture(scope="session")
def service_url(service_folder: Path) -> Iterator[str]:
    command = [
        sys.executable,
        "-m",
        "qdepot.cli",
        "serve",
        "--port",
        "0",
        "--data",
        str(service_folder / "qdepot-data"),
    ]
    with (service_folder / "log").open("wb") as log:
        service = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=service_folder, text=True)
    try:
        assert service.stdout is not None
        line = service.stdout.readline()
        ready = re.search(r"ready at (http://\S+)", line)
        assert ready, f"the service said {line!r}; its log: {(service_folder / 'log').read_text()[-2000:]}"
        yield ready[1]
    finally:
        service.terminate()
        service.wait(timeout=30)
