"""A service may be stopped or killed at any moment: every accepted job comes home once."""

from __future__ import annotations

import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from qdepot import Client
from support.service import Service, run_cli

BELL = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
HEAVY = (
    'OPENQASM 3.0; include "stdgates.inc"; qubit[18] q; bit[18] c; '
    + " ".join(f"h q[{i}]; rx(0.{i + 1}) q[{i}]; cx q[{i}], q[{(i + 1) % 18}];" for i in range(18)) * 4
    + " c = measure q;"
)


def submit_fifty(service: Service) -> list[str]:
    client = Client(service.url)
    return [client.submit(HEAVY if n % 2 else BELL, shots=200, name=f"job {n}", seed=n).id for n in range(50)]


def assert_each_is_stored_once(service: Service, ids: list[str]) -> None:
    client = Client(service.url)
    for job_id in ids:
        handle = client.job(job_id)
        assert sum(handle.result(timeout_s=120)[0].counts.values()) == 200
    bundles = list((service.data / "objects" / "completed").rglob("*.zip"))
    assert sorted(path.name.removesuffix(".zip") for path in bundles) == sorted(ids)


@pytest.mark.parametrize("way", ["SIGTERM", "kill -9"])
def test_fifty_jobs_survive_the_end_of_the_service(services, way):
    service = services()
    ids = submit_fifty(service)
    under_way = [status["status"] for status in statuses(service, ids)]
    assert {"CREATED", "QUEUED", "RUNNING"} & set(under_way), "nothing was under way: the test tests nothing"
    service.stop() if way == "SIGTERM" else service.kill()
    service.start()
    assert_each_is_stored_once(service, ids)


def statuses(service: Service, ids: list[str]) -> list[dict[str, str]]:
    return httpx.post(f"{service.url}/v1/statuses", json={"ids": ids}).json()["statuses"]


def test_children_die_with_a_killed_service(services):
    service = services()
    submit_fifty(service)
    assert service.process is not None
    family = descendants(service.process.pid)
    assert family, "there are no children to die"
    service.process.kill()
    service.process.wait(timeout=30)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() and not zombie(pid) for pid in family))


def test_a_cron_alone_brings_jobs_home_and_two_at_once_do_each_job_once(services):
    service = services("data", "--no-reconciler")
    client = Client(service.url)
    ids = [client.submit(BELL, shots=100).id for _ in range(20)]
    assert {status["status"] for status in statuses(service, ids)} == {"CREATED"}
    with ThreadPoolExecutor(2) as crons:
        runs = [crons.submit(run_cli, "reconcile", "--once", data=service.data) for _ in range(2)]
        ended = [run.result() for run in runs]
    assert [run.returncode for run in ended] == [0, 0], ended
    assert all("reconciled" in run.stdout for run in ended)
    for job_id in ids:
        assert client.job(job_id).status() == "COMPLETED"
        assert [event.to_status for event in client.job(job_id).events()].count("COMPLETED") == 1
    assert len(list((service.data / "objects" / "completed").rglob("*.zip"))) == 20
    assert not list((service.data / "objects" / "pending").rglob("*.json"))


def test_a_bundle_opens_with_zipfile_and_json_alone(services):
    service = services()
    job = Client(service.url).submit(BELL, shots=64, seed=1)
    job.result(timeout_s=60)
    [bundle] = (service.data / "objects" / "completed").rglob("*.zip")
    with zipfile.ZipFile(bundle) as archive:
        about = json.loads(archive.read("job.json"))
        result = json.loads(archive.read("result.json"))
        request = json.loads(archive.read("request.json"))
    assert about["id"] == job.id
    assert sum(result["results"][0]["counts"].values()) == 64
    assert BELL in json.dumps(request).replace('\\"', '"')


def test_the_process_of_the_service_never_loads_qiskit(services):
    service = services()
    Client(service.url).submit(BELL).result(timeout_s=60)
    assert service.process is not None
    with httpx.Client() as client:
        assert client.get(f"{service.url}/v1/version").json()["packages"]["qiskit"]
    # The process is not dumpable, so its maps are closed to others of its user; root and the kernel still see them.
    try:
        maps = Path(f"/proc/{service.process.pid}/maps").read_text()
    except PermissionError:
        pytest.skip("only root can look into the service")
    assert "qiskit" not in maps


def descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def wait_for(condition, *, timeout_s: float = 20.0) -> None:
    import time

    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
