"""The database is lost, and made anew from the archive by the command for it."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from qdepot import Client
from qdepot.errors import GoneError
from support.service import Service, run_cli

BELL = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'


def lose_ledger(service: Service) -> None:
    found = list(service.data.glob("ledger.db*"))
    assert found
    for path in found:
        path.unlink()


def everything(client: Client, job_id: str) -> tuple[object, ...]:
    handle = client.job(job_id)
    told = handle.details().model_dump(exclude={"why", "links", "summary", "stage"})
    events = [event.model_dump(exclude={"number"}) for event in handle.events()]
    return told, events, handle.result_document(), handle.program()


def test_all_is_there_again_after_the_database_was_lost(services):
    service = services()
    client = Client(service.url)
    jobs = [client.submit(BELL, shots=100 + n, seed=n, name=f"job {n}", memory=n == 0) for n in range(5)]
    jobs += client.submit_many([BELL, BELL], shots=10)
    client.wait_all(jobs, timeout_s=120)
    jobs[1].edit(name="renamed", tags=["a", "b"])
    deleted = jobs.pop()
    deleted.delete()
    before = [everything(client, job.id) for job in jobs]
    service.stop()
    lose_ledger(service)

    done = run_cli("ledger", "rebuild", data=service.data)
    assert done.returncode == 0, done.stderr
    assert "ended" in done.stdout

    service.start()
    client = Client(service.url)
    assert [everything(client, job.id) for job in jobs] == before
    assert client.job(jobs[0].id).arrays()["c"].shape == (100, 1)
    with pytest.raises(GoneError):
        client.job(deleted.id)
    [found] = client.jobs(tag="b")
    assert found.id == jobs[1].id


def test_jobs_that_had_not_ended_are_held_unless_the_operator_has_them_run(services):
    service = services("data", "--no-reconciler")
    client = Client(service.url)
    ids = [client.submit(BELL, shots=10, idempotency_key=f"key {n}").id for n in range(3)]
    service.kill()
    lose_ledger(service)
    done = run_cli("ledger", "rebuild", "--json", data=service.data)
    assert json.loads(done.stdout)["found"] == {"held": 3}
    lose_ledger(service)
    done = run_cli("ledger", "rebuild", "--run-pending", "--json", data=service.data)
    assert json.loads(done.stdout) == {"found": {"to be run": 3}, "damaged": [], "left_out": [], "remarks": []}
    service.options = ()
    service.start()
    client = Client(service.url)
    assert [sum(client.job(job_id).result(timeout_s=60)[0].counts.values()) for job_id in ids] == [10, 10, 10]
    assert client.submit(BELL, shots=10, idempotency_key="key 1").id == ids[1]


def test_a_damaged_object_is_told_of_by_the_exit_code(services):
    service = services()
    client = Client(service.url)
    good, bad = (client.submit(BELL, shots=10) for _ in range(2))
    client.wait_all([good, bad], timeout_s=60)
    service.stop()
    lose_ledger(service)
    [bundle] = (service.data / "objects" / "completed").rglob(f"{bad.id}.zip")
    bundle.write_bytes(bundle.read_bytes()[:-100])
    done = run_cli("ledger", "rebuild", data=service.data)
    assert done.returncode == 7
    assert f"{bad.id}.zip is damaged" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_in_use_or_not_there_is_left_alone(services, tmp_path: Path):
    service = services()
    done = run_cli("ledger", "rebuild", "--merge", data=service.data)
    assert done.returncode == 2
    assert "a service works with" in done.stderr
    assert httpx.get(f"{service.url}/readyz").status_code == 200
    service.stop()
    done = run_cli("ledger", "rebuild", data=tmp_path / "typo")
    assert done.returncode == 3
    assert not (tmp_path / "typo").exists()


def test_a_ledger_that_is_there_is_not_overwritten(services):
    service = services()
    Client(service.url).submit(BELL).result(timeout_s=60)
    service.stop()
    done = run_cli("ledger", "rebuild", data=service.data)
    assert done.returncode == 2
    assert "it has 1 jobs" in done.stderr
    done = run_cli("ledger", "rebuild", "--merge", data=service.data)
    assert done.returncode == 0
    assert "there already" in done.stdout
