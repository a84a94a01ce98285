"""Where no process can be started that works on circuits, a service says why. A temporary folder is not needed."""

from __future__ import annotations

import time

import httpx
import pytest

from qdepot import Client
from support.circuits import BELL3
from support.service import Service

PATIENCE_S = 60.0

NO_TEMPORARY_FOLDER = "import tempfile; tempfile._candidate_tempdir_list = lambda: ['/nowhere']"
NO_MEMORY_FILE = """
import os, sys
def refused(name):
    raise OSError(28, "No space left on device")
if "serve" in sys.argv:
    os.memfd_create = refused
"""
NO_QISKIT = "import sys; sys.modules['qiskit'] = None"


@pytest.fixture
def sabotaged(services, tmp_path):
    """Starts a service where Python itself, in all processes, runs some code first."""

    def start(code: str, *, ready: bool) -> Service:
        folder = tmp_path / "first"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(code)
        return services("data", ready=ready, PYTHONPATH=str(folder))

    return start


def checker_of(service: Service) -> str:
    return httpx.get(f"{service.url}/readyz").json()["checks"]["checker"]


def test_a_machine_without_a_temporary_folder_runs_jobs(sabotaged):
    service = sabotaged(NO_TEMPORARY_FOLDER, ready=True)
    counts = Client(service.url).submit(BELL3.decode(), shots=10).result(timeout_s=PATIENCE_S)[0].counts
    assert sum(counts.values()) == 10


@pytest.mark.parametrize(
    ("code", "reason", "event"),
    [
        (NO_MEMORY_FILE, "No space left on device", "pool_supervisor_not_started"),
        (NO_QISKIT, "qiskit", "pool_cannot_load"),
    ],
    ids=["no supervisor", "no libraries"],
)
def test_readiness_and_log_say_why_no_child_works(sabotaged, code, reason, event):
    service = sabotaged(code, ready=False)
    give_up_at = time.monotonic() + PATIENCE_S
    while reason not in checker_of(service):
        assert time.monotonic() < give_up_at, checker_of(service)
        time.sleep(0.05)
    assert httpx.get(f"{service.url}/readyz").status_code == 503
    assert [line for line in service.output if event in line and reason in line], "".join(service.output)
