"""An operator verifies what is kept, and hands a job to a colleague."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile

import pytest

from qdepot import Client
from support.service import QDEPOT, run_cli

BELL = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'


def test_what_is_kept_is_verified_while_the_service_runs(services):
    service = services()
    client = Client(service.url)
    jobs = [client.submit(BELL, shots=10) for _ in range(3)]
    client.wait_all(jobs, timeout_s=60)
    jobs[0].edit(name="renamed")
    done = run_cli("archive", "verify", data=service.data)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("3 jobs, ")
    assert "no flaw" in done.stdout
    [bundle] = (service.data / "objects" / "completed").rglob(f"{jobs[1].id}.zip")
    content = bytearray(bundle.read_bytes())
    content[len(content) // 2] ^= 1
    bundle.write_bytes(content)
    [other] = (service.data / "objects" / "completed").rglob(f"{jobs[2].id}.zip")
    other.unlink()
    done = run_cli("archive", "verify", "--json", data=service.data)
    assert done.returncode == 7
    found = json.loads(done.stdout)
    assert sorted(flaw["key"].rpartition("/")[2] for flaw in found["flaws"]) == sorted(
        f"{job.id}.zip" for job in jobs[1:]
    )
    assert {flaw["flaw"] for flaw in found["flaws"]} == {"damaged"}


def test_a_job_is_exported_from_the_service_and_from_the_folder_alike(services, tmp_path):
    service = services()
    client = Client(service.url)
    job = client.submit(BELL, shots=100, memory=True, name="bell")
    job.result(timeout_s=60)
    by_service = tmp_path / "by-service.zip"
    done = subprocess.run(
        [QDEPOT, "--url", service.url, "archive", "export", job.id, "-o", str(by_service)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    by_folder = tmp_path / "by-folder.zip"
    done = run_cli("archive", "export", job.id, "-o", str(by_folder), data=service.data)
    assert done.returncode == 0, done.stderr
    assert by_folder.read_bytes() == by_service.read_bytes()
    as_stored = tmp_path / "as-stored.zip"
    done = run_cli("archive", "export", job.id, "--as-stored", "-o", str(as_stored), data=service.data)
    assert done.returncode == 0, done.stderr
    [bundle] = (service.data / "objects" / "completed").rglob("*.zip")
    assert as_stored.read_bytes() == bundle.read_bytes() == job.download(tmp_path / "again.zip").read_bytes()
    with zipfile.ZipFile(by_folder) as file:
        assert f"qdepot-{job.id}/memory/0/c.npy" in file.namelist()
        file.extractall(tmp_path)
    folder = tmp_path / f"qdepot-{job.id}"
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        checksum, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == checksum


@pytest.mark.parametrize("command", [("archive", "verify"), ("archive", "export", "x")])
def test_a_folder_that_is_not_there_is_not_made(command, tmp_path):
    done = run_cli(*command, data=tmp_path / "typo")
    assert done.returncode == 3
    assert "there is no folder" in done.stderr
    assert not (tmp_path / "typo").exists()
