"""The disk is full: errors say so, nothing is torn, and once there is room work goes on."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from durability.cases import SETTINGS
from durability.lab import Lab, bring_home, is_settled, order, until
from qdepot.domain.job import JobStatus
from qdepot.testing.archive import archive_problems
from qdepot.testing.ledger.validate import every_job, validate_ledger

pytestmark = pytest.mark.timeout(300)

JOBS = 8


@pytest.fixture
def disk(tmp_path):
    """A file system of a few megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def lab(nursery, clouds, disk, tmp_path):
    """A lab that keeps its database and its objects there, its logs elsewhere."""
    places = {name: str(disk / name) for name in ("pending", "completed")}
    settings = {
        **SETTINGS,
        "ledger": f"sqlite:///{disk}/ledger.db",
        "store_pending": places["pending"],
        "store_completed": places["completed"],
        "providers": {"scripted": {"url": clouds["key"].url}},
    }
    made = Lab(nursery, tmp_path, settings)
    made.serve()
    yield made
    made.end_all()


def fill(disk: Path) -> Path:
    """Write until there is no room for a single byte."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(65536))
    assert shutil.disk_usage(disk).free == 0
    return ballast


def submit(lab: Lab, number: int) -> httpx.Response:
    headers = {"Idempotency-Key": f"key {number}"}
    return httpx.post(f"{lab.url}/v1/jobs", json=order(number), headers=headers, timeout=60.0)


def readiness(lab: Lab) -> httpx.Response:
    return httpx.get(f"{lab.url}/readyz", timeout=60.0)


def test_a_full_disk_is_told_of_and_work_goes_on_once_there_is_room(lab, disk):
    accepted = [lab.submit(order(number), key=f"key {number}") for number in range(JOBS)]
    ballast = fill(disk)
    refused = submit(lab, JOBS)
    assert refused.status_code == 503, refused.text
    assert refused.json()["code"] == "unavailable"
    assert int(refused.headers["Retry-After"]) >= 1
    assert "No space left" in refused.text or "disk is full" in refused.text
    until(lambda: readiness(lab).status_code == 503, "readiness turns red")
    ballast.unlink()
    until(lambda: readiness(lab).status_code == 200, "readiness turns green")
    accepted.append(lab.submit(order(JOBS), key=f"key {JOBS}"))
    with lab.opened() as (ledger, archive):
        bring_home(ledger, archive, accepted)
        assert {job.id for job in every_job(ledger)} == set(accepted)
        validate_ledger(ledger)
        assert archive_problems(archive, ledger) == []
        assert list(archive.pending.drafts()) == []


def test_a_process_that_dies_on_a_full_disk_leaves_nothing_torn(lab, disk):
    accepted = [lab.submit(order(number, backend="aer", takes_s=0.5), key=f"key {number}") for number in range(JOBS)]
    ballast = fill(disk)
    [service] = lab.processes
    service.kill()
    ballast.unlink()
    lab.serve()
    with lab.opened() as (ledger, archive):
        until(lambda: all(is_settled(job) for job in ledger.get_many(accepted).values()), "home", patience_s=120)
        assert {job.status for job in every_job(ledger)} == {JobStatus.COMPLETED}
        validate_ledger(ledger)
        assert archive_problems(archive, ledger) == []
