"""Asking how far a job is, and waiting for it."""

from __future__ import annotations

import asyncio

import pytest

from qdepot.domain.caller import Caller
from qdepot.domain.job import Job, JobStatus, Stage
from support.web import Bench, problem
from support.world import World, order

LONG = 60
"""Seconds that no test waits: what ends earlier was ended by something else."""


def queue(bench: Bench, job: Job) -> None:
    change = job.moved_to(JobStatus.QUEUED, Stage.WAITING, at=bench.world.clock.now(), by="submitter", why="sent")
    assert bench.world.ledger.save([change]) == [True]


@pytest.fixture
def looks(world: World, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """For which jobs the ledger was asked, question by question."""
    asked: list[list[str]] = []
    get_many = world.ledger.get_many

    def noted(job_ids):
        found = get_many(job_ids)
        asked.append(list(job_ids))
        return found

    monkeypatch.setattr(world.ledger, "get_many", noted)
    return asked


def asked_while_it_changes(bench: Bench, looks: list[list[str]], job: Job, change, *, known: str = ""):
    """The answer to a wait that has begun before the change."""

    async def scene():
        path = f"/v1/jobs/{job.id}/status?wait={LONG}{known}"
        waiting = asyncio.ensure_future(bench.ask("GET", path))
        await looked(looks, 1)
        await asyncio.to_thread(change)
        return await waiting

    return bench.runner.run(scene()).json()


async def looked(looks: list[list[str]], count: int) -> None:
    while len(looks) < count:
        await asyncio.sleep(0)


def test_the_status_is_small(bench: Bench):
    job = bench.submit()
    answer = bench.get(f"/v1/jobs/{job.id}/status").json()
    assert answer.pop("why")
    assert answer == {
        "id": job.id,
        "status": "CREATED",
        "stage": "waiting",
        "attempt": 1,
        "queue_position": None,
        "circuits_done": 0,
        "num_circuits": 1,
        "ended_at": None,
    }


def test_a_final_job_is_answered_at_once(bench: Bench):
    job = bench.finish(bench.submit())
    assert bench.get(f"/v1/jobs/{job.id}/status?wait={LONG}").json()["status"] == "COMPLETED"


def test_a_wait_ends_as_soon_as_the_job_does(bench: Bench, looks):
    job = bench.submit()
    answer = asked_while_it_changes(bench, looks, job, lambda: bench.finish(job))
    assert answer["status"] == "COMPLETED"


def test_a_wait_goes_on_while_the_job_is_not_final(bench: Bench, looks):
    job = bench.submit()

    async def scene():
        waiting = asyncio.ensure_future(bench.ask("GET", f"/v1/jobs/{job.id}/status?wait={LONG}"))
        await looked(looks, 1)
        await asyncio.to_thread(queue, bench, job)
        await looked(looks, 2)
        assert not waiting.done()
        bench.app.state.close_waits()
        return await waiting

    assert bench.runner.run(scene()).json()["status"] == "QUEUED"


def test_a_wait_for_another_status_ends_when_it_changes(bench: Bench, looks):
    job = bench.submit()
    answer = asked_while_it_changes(bench, looks, job, lambda: queue(bench, job), known="&known=CREATED")
    assert answer["status"] == "QUEUED"


def test_a_status_that_is_not_the_known_one_is_answered_at_once(bench: Bench):
    job = bench.submit()
    assert bench.get(f"/v1/jobs/{job.id}/status?wait={LONG}&known=QUEUED").json()["status"] == "CREATED"


def test_a_wait_for_more_circuits_ends_when_some_are_done(bench: Bench, looks):
    job = bench.submit()
    one_done = job.edited(parts=1, circuits_done=1)
    known = "&known=CREATED&known_circuits=0"
    answer = asked_while_it_changes(bench, looks, job, lambda: bench.world.ledger.save([one_done]), known=known)
    assert (answer["status"], answer["circuits_done"], answer["num_circuits"]) == ("CREATED", 1, 1)


def test_a_wish_to_cancel_is_a_change_of_status(bench: Bench, looks):
    job = bench.submit()

    async def scene():
        path = f"/v1/jobs/{job.id}/status?wait={LONG}&known=CREATED"
        waiting = asyncio.ensure_future(bench.ask("GET", path))
        await looked(looks, 1)
        assert (await bench.ask("POST", f"/v1/jobs/{job.id}/cancel")).status_code == 202
        return await waiting

    assert bench.runner.run(scene()).json()["status"] == "CANCELLING"


def test_a_wait_whose_time_is_over_is_answered_with_the_status(bench: Bench):
    job = bench.submit()
    assert bench.get(f"/v1/jobs/{job.id}/status?wait=0.05").json()["status"] == "CREATED"


def test_a_job_that_is_deleted_while_it_is_waited_for_is_gone(bench: Bench, looks):
    job = bench.finish(bench.submit())
    bench.request("DELETE", f"/v1/jobs/{job.id}")
    problem(bench.get(f"/v1/jobs/{job.id}/status?wait={LONG}"), 410, "gone")


def test_many_waiting_requests_do_not_hold_up_the_others(bench: Bench, looks):
    job = bench.submit()

    async def scene():
        path = f"/v1/jobs/{job.id}/status?wait={LONG}"
        waiting = [asyncio.ensure_future(bench.ask("GET", path)) for _ in range(100)]
        await looked(looks, 1)
        assert (await bench.ask("GET", f"/v1/jobs/{job.id}")).status_code == 200
        await asyncio.to_thread(bench.finish, job)
        return await asyncio.gather(*waiting)

    assert {answer.json()["status"] for answer in bench.runner.run(scene())} == {"COMPLETED"}
    assert len(looks) < 10


def test_a_service_that_stops_lets_nobody_wait(bench: Bench, looks):
    job = bench.submit()

    async def scene():
        bench.app.state.close_waits()
        return await bench.ask("GET", f"/v1/jobs/{job.id}/status?wait={LONG}")

    assert bench.runner.run(scene()).json()["status"] == "CREATED"


@pytest.mark.parametrize(
    "query", ["wait=-1", "wait=61", "wait=x", "wait=nan", "known=DONE", "known_circuits=-1", "wiat=3"]
)
def test_a_bad_query_is_refused(bench: Bench, query):
    job = bench.submit()
    found = problem(bench.get(f"/v1/jobs/{job.id}/status?{query}"), 422, "invalid_request")
    assert found["errors"][0]["loc"][0] == "query"


def test_many_statuses_are_asked_for_at_once(bench: Bench, looks):
    jobs = [bench.submit() for _ in range(3)]
    bench.finish(jobs[1])
    ids = [jobs[2].id, "nonsense", jobs[1].id.upper(), "\x00", "", jobs[0].id]
    answer = bench.post("/v1/statuses", json={"ids": ids}).json()
    assert [(one["id"], one["status"]) for one in answer["statuses"]] == [
        (jobs[2].id, "CREATED"),
        (jobs[1].id, "COMPLETED"),
        (jobs[0].id, "CREATED"),
    ]
    assert looks == [[jobs[2].id, jobs[1].id, jobs[0].id]]


@pytest.mark.parametrize("ids", [[], ["x"] * 1001, ["x" * 65], "x", [7], None])
def test_a_bad_list_of_ids_is_refused(bench: Bench, ids):
    problem(bench.post("/v1/statuses", json={"ids": ids}), 422, "invalid_request")


def test_jobs_of_another_project_do_not_exist(bench: Bench):
    theirs = bench.world.jobs().submit(order(), caller=Caller(user="eve", project="elsewhere")).job
    problem(bench.get(f"/v1/jobs/{theirs.id}"), 404, "not_found")
    problem(bench.get(f"/v1/jobs/{theirs.id}/status?wait={LONG}"), 404, "not_found")
    assert bench.post("/v1/statuses", json={"ids": [theirs.id]}).json() == {"statuses": []}
    assert bench.get("/v1/jobs").json()["jobs"] == []
