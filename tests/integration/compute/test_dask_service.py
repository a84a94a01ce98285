"""A real service whose simulations run on a real Dask cluster, of which parts die."""

from __future__ import annotations

import contextlib

import httpx
import pytest

pytest.importorskip("distributed", reason="the extra dask is not installed")

from qdepot.testing.compute_pool import wait_until
from qdepot.testing.fault_proxy import Fault, FaultProxy
from support import dask_cluster
from support.circuits import BELL3
from support.service import Service

SETTINGS = {"QDEPOT_COMPUTE": "dask", "QDEPOT_DASK__SILENCE_S": "5"}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "dask"
    made.mkdir()
    return made


@contextlib.contextmanager
def serving(folder, address, *, ready=True):
    service = Service(data=folder / "data", environment={**SETTINGS, "QDEPOT_DASK__SCHEDULER": address})
    service.data.mkdir()
    service.start(ready=ready)
    try:
        with httpx.Client(base_url=service.url, timeout=60) as client:
            yield client
    finally:
        service.kill()


def submit(client, number, *, shots):
    """Bell jobs whose shots Aer draws one by one, so that they take their time."""
    program = {"kind": "sampler", "shots": shots, "circuits": [{"format": "openqasm3", "source": BELL3.decode()}]}
    jobs = [{"backend": "aer", "program": program, "options": {"sampling": "aer"}}] * number
    answer = client.post("/v1/jobs:batch", json={"jobs": jobs})
    assert answer.is_success, answer.text
    return [job["id"] for job in answer.json()["jobs"]]


def statuses(client, jobs):
    return [job["status"] for job in client.post("/v1/statuses", json={"ids": jobs}).json()["statuses"]]


def wait_for(client, jobs, *, number):
    """Until so many of them have been completed; none may fail."""

    def are_there():
        found = statuses(client, jobs)
        assert not {"FAILED", "CANCELLED"} & set(found)
        return found.count("COMPLETED") >= number

    wait_until(are_there)


def counts_of(client, job):
    return client.get(f"/v1/jobs/{job}/result").json()["results"][0]["counts"]


def test_jobs_wait_with_a_reason_for_a_cluster_that_is_not_there_yet(tmp_path, folder):
    cluster = dask_cluster.Cluster(folder)
    with contextlib.closing(cluster):
        cluster.start_scheduler()
        cluster.kill_scheduler()
        with serving(tmp_path, cluster.address, ready=False) as client:
            wait_until(lambda: client.get("/readyz").json()["checks"]["checker"] == "ok")
            wait_until(lambda: "does not answer" in client.get("/readyz").json()["checks"]["cluster"])
            jobs = submit(client, 2, shots=100)
            wait_until(lambda: "Dask scheduler" in (client.get(f"/v1/jobs/{jobs[0]}").json()["why"] or ""))
            cluster.start_scheduler()
            cluster.start_worker()
            wait_for(client, jobs, number=2)
            wait_until(lambda: client.get("/readyz").status_code == 200)  # with the next heartbeat
            assert sum(counts_of(client, jobs[0]).values()) == 100


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_job_is_lost_or_wrong_whatever_breaks(tmp_path, folder):
    shots = 1_000_000
    with (
        dask_cluster.running(folder) as cluster,
        FaultProxy(cluster.port) as proxy,
        serving(tmp_path, f"tcp://127.0.0.1:{proxy.port}") as client,
    ):
        jobs = submit(client, 12, shots=shots)
        wait_for(client, jobs, number=1)
        cluster.kill_worker(cluster.living_workers()[0])
        cluster.start_worker()
        wait_for(client, jobs, number=4)
        proxy.play(Fault(reset=True))
        wait_until(lambda: client.get("/readyz").status_code == 503)
        proxy.heal()
        wait_for(client, jobs, number=8)
        cluster.kill_scheduler()
        wait_until(lambda: client.get("/readyz").status_code == 503)
        cluster.start_scheduler()
        cluster.start_worker()
        wait_for(client, jobs, number=len(jobs))
        found = [counts_of(client, job) for job in jobs]
        attempts = [client.get(f"/v1/jobs/{job}").json()["attempt"] for job in jobs]

    assert all(set(counts) == {"00", "11"} and sum(counts.values()) == shots for counts in found)
    assert max(attempts) > 1
