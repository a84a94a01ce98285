"""The client and the service understand each other, call by call."""

from __future__ import annotations

import asyncio
import io
import threading

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from qdepot import AsyncClient, JobSpec, JobStatus
from qdepot.cli.app import build_app
from qdepot.cli.session import Session
from qdepot.domain.job import Failure
from qdepot.errors import (
    ConflictError,
    GoneError,
    InvalidProgramError,
    InvalidRequestError,
    JobFailedError,
    NotFinishedError,
    NotFoundError,
    WaitTimeoutError,
)
from support.web import URL

QASM = "OPENQASM 3.0; ..."
QPU = "scripted_qpu"


def ended(bench, handle, **how):
    return bench.finish(bench.world.ledger.get(handle.id), **how)


def test_what_was_submitted_is_what_the_service_has(client, world):
    handle = client.submit(QASM, backend=QPU, shots=4, name="n", tags=["a", "b"], seed=7, priority=2, timeout_s=9.5)
    job = world.ledger.get(handle.id)
    assert (job.name, job.tags, job.shots, job.priority, job.timeout_s) == ("n", ("a", "b"), 4, 2, 9.5)
    assert dict(job.options) == {"seed": 7}
    assert handle.program()["circuits"] == [{"format": "openqasm3", "source": QASM}]
    details = handle.details()
    assert (details.backend, details.status, handle.status()) == (QPU, "CREATED", JobStatus.CREATED)


def test_the_same_key_is_the_same_job_and_another_body_a_conflict(client):
    ids = {client.submit(QASM, backend=QPU, idempotency_key="k").id for _ in range(2)}
    assert len(ids) == 1
    with pytest.raises(ConflictError):
        client.submit(QASM, backend=QPU, shots=5, idempotency_key="k")


def test_a_result_comes_back_while_somebody_waits(client, bench):
    handle = client.submit(QASM, backend=QPU, shots=4)
    seen = threading.Event()
    finisher = threading.Thread(target=lambda: (seen.wait(30), ended(bench, handle)))
    finisher.start()
    assert handle.wait(60, on_status=lambda _: seen.set()) == "COMPLETED"
    finisher.join()
    result = handle.result()
    assert (result.job_id, result[0].shots, result[0].counts) == (handle.id, 4, {"01": 4})
    assert handle.counts() == result[0].registers["c"].counts == {"01": 4}
    assert handle.result_document()["status"] == "COMPLETED"


def test_a_wait_ends_in_time(client):
    handle = client.submit(QASM, backend=QPU)
    with pytest.raises(WaitTimeoutError, match="is CREATED"):
        handle.wait(0.05)
    with pytest.raises(NotFinishedError):
        handle.npz()


def test_a_failed_job_brings_its_reason(client, bench):
    handle = client.submit(QASM, backend=QPU)
    failure = Failure(code="backend_failed", message="it burnt", solution="Use another.", details={"qubit": 3})
    ended(bench, handle, status=JobStatus.FAILED, failure=failure)
    with pytest.raises(JobFailedError, match="it burnt") as caught:
        handle.result()
    assert caught.value.solution == "Use another."
    assert caught.value.details["failure"]["details"] == {"qubit": 3}


def test_per_shot_outcomes_are_arrays(client, bench):
    handle = client.submit(QASM, backend=QPU)
    file = io.BytesIO()
    np.save(file, np.array([[1], [2]], dtype=np.uint8))
    ended(bench, handle, members={"memory/0/c.npy": file.getvalue()})
    assert handle.arrays()["c"].tolist() == [[1], [2]]
    with pytest.raises(InvalidRequestError, match="circuit 1"):
        handle.arrays(1)
    without = client.submit(QASM, backend=QPU)
    ended(bench, without)
    with pytest.raises(NotFoundError):
        without.arrays()


def test_a_bad_circuit_is_refused_with_its_place(client, world):
    with pytest.raises(InvalidProgramError) as caught:
        client.submit("OPENQASM 3.0; broken", backend=QPU)
    assert (caught.value.details["line"], caught.value.details["column"]) == (1, 3)
    with pytest.raises(NotFoundError, match="nowhere") as caught:
        client.submit(QASM, backend="nowhere")
    assert QPU in caught.value.solution
    assert list(client.jobs()) == []


def test_a_history_is_listed_whole_and_filtered(client, bench):
    made = [client.submit(QASM, backend=QPU, name=f"job {n % 2}", tags=[f"t{n}"]) for n in range(5)]
    ended(bench, made[3])
    assert [job.id for job in client.jobs()] == [job.id for job in reversed(made)]
    assert [job.id for job in client.jobs(tag="t2")] == [made[2].id]
    assert len(list(client.jobs(name="job 0"))) == 3
    assert [job.id for job in client.jobs(status=["COMPLETED", "FAILED"])] == [made[3].id]
    assert len(list(client.jobs(status="CREATED", backend=QPU, limit=2))) == 2
    created = made[0].details().created_at
    assert list(client.jobs(created_before=created)) == []
    assert len(list(client.jobs(created_from=created))) == 5


def test_many_jobs_at_once(client):
    jobs = client.submit_many([QASM, JobSpec(circuits=QASM, backend=QPU, name="second")], backend=QPU)
    assert [job.name for job in jobs] == ["", "second"]
    assert [answer.status for answer in client.statuses([job.id for job in jobs]).values()] == ["CREATED"] * 2
    repeated = [client.submit_many([QASM, QASM], backend=QPU, idempotency_key="k") for _ in range(2)]
    assert len({job.id for batch in repeated for job in batch}) == 2


def test_all_or_none_and_each_by_itself(client):
    bad = JobSpec(circuits=QASM, backend="nowhere")
    with pytest.raises(NotFoundError) as caught:
        client.submit_many([QASM, bad], backend=QPU)
    assert caught.value.details["job"] == 1
    assert list(client.jobs()) == []
    good, error = client.submit_many([QASM, bad], backend=QPU, atomic=False)
    assert isinstance(error, NotFoundError)
    assert [job.id for job in client.jobs()] == [good.id]


def test_cancel_edit_delete(client, bench):
    handle = client.submit(QASM, backend=QPU, name="old")
    assert handle.edit(name="new", tags=["x"]).name == "new"
    assert handle.cancel() in {"CANCELLING", "CANCELLED"}
    with pytest.raises(ConflictError):
        handle.delete()
    done = client.submit(QASM, backend=QPU)
    ended(bench, done)
    with pytest.raises(ConflictError):
        done.cancel()
    assert {stored.area for stored in done.objects()} <= {"pending", "completed"}
    assert [event.to_status for event in done.events()][-1] == "COMPLETED"
    done.delete()
    with pytest.raises(GoneError):
        client.job(done.id)


def test_what_there_is(client):
    assert [backend.name for backend in client.backends()] == [QPU]
    assert client.backend(QPU).paid
    with pytest.raises(NotFoundError):
        client.backend("no/where")
    assert client.version().version == "1.2.3"


@pytest.mark.parametrize("job_id", ["nonsense", "00000000-0000-0000-0000-000000000000", "../version", "%2e%2e"])
def test_an_unknown_id_is_not_found(client, job_id):
    with pytest.raises(NotFoundError):
        client.job(job_id)


def test_the_other_colour_understands_the_service_too(bench):
    async def run() -> None:
        async with AsyncClient(URL, transport=httpx.ASGITransport(bench.app)) as client:
            first, second = await client.submit_many([QASM, QASM], backend=QPU, name="n")
            waiting = asyncio.create_task(client.wait_all([first, second], 60))
            for handle in (first, second):
                await asyncio.to_thread(ended, bench, handle)
            assert await waiting == ["COMPLETED", "COMPLETED"]
            assert (await first.result())[0].counts == {"01": 4}
            assert [job.id async for job in client.jobs(name="n")] == [second.id, first.id]
            with pytest.raises(NotFoundError):
                await client.job("nonsense")

    asyncio.run(run())


def test_commands_reach_the_service(transport, bench, world, tmp_path):
    (tmp_path / "first.qasm").write_text(QASM)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(build_app(), ["--url", URL, *arguments], obj=Session(transport=transport))
        assert done.exit_code == 0, done.stderr
        return done.stdout.strip()

    job_id = run("submit", str(tmp_path / "first.qasm"), "-b", QPU, "--shots", "4")
    bench.finish(world.ledger.get(job_id))
    assert "COMPLETED" in run("status", job_id)
    assert run("result", job_id).startswith("01 ")
    assert "first" in run("jobs", "--name", "first")
