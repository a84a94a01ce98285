"""Lists, history, and what an owner may change."""

from __future__ import annotations

import pytest

from qdepot.domain.job import JobStatus, Stage
from support.web import Bench, problem


def listed(bench: Bench, query: str = "") -> list[str]:
    return [job["id"] for job in bench.get(f"/v1/jobs{query}").json()["jobs"]]


def test_jobs_are_listed_newest_first(bench: Bench):
    ids = []
    for _ in range(3):
        bench.world.clock.advance(1)
        ids.append(bench.submit().id)
    assert listed(bench) == ids[::-1]


def test_pages_follow_each_other_while_jobs_arrive(bench: Bench):
    ids = []
    for _ in range(5):
        bench.world.clock.advance(1)
        ids.append(bench.submit().id)
    seen, query = [], "?limit=2"
    while query:
        answer = bench.get(f"/v1/jobs{query}").json()
        seen += [job["id"] for job in answer["jobs"]]
        query = f"?limit=2&cursor={answer['next_cursor']}" if answer["next_cursor"] else ""
        bench.world.clock.advance(1)
        bench.submit()
    assert seen == ids[::-1]


def test_a_list_can_be_filtered(bench: Bench):
    plain = bench.submit()
    named = bench.submit(name="bell", tags=["a", "b"])
    done = bench.finish(bench.submit())
    failed = bench.finish(bench.submit(), JobStatus.CANCELLED)
    assert listed(bench, "?name=bell") == [named.id]
    assert listed(bench, "?tag=b") == [named.id]
    assert listed(bench, "?backend=nowhere") == []
    assert set(listed(bench, "?status=CREATED")) == {plain.id, named.id}
    assert set(listed(bench, "?status=COMPLETED&status=CANCELLED")) == {done.id, failed.id}
    assert len(listed(bench, "?backend=scripted_qpu")) == 4


def test_cancelling_is_a_status_like_any_other(bench: Bench):
    plain, wished = bench.submit(), bench.submit()
    bench.post(f"/v1/jobs/{wished.id}/cancel")
    assert listed(bench, "?status=CANCELLING") == [wished.id]
    assert listed(bench, "?status=CREATED") == [plain.id]


def test_a_list_can_be_cut_by_time(bench: Bench):
    early = bench.submit()
    bench.world.clock.advance(60)
    late = bench.submit()
    middle = "2030-01-01T12:00:30Z"
    assert listed(bench, f"?created_from={middle}") == [late.id]
    assert listed(bench, f"?created_before={middle}") == [early.id]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "status=DONE",
        "status=CANCELLING&status=FAILED",
        "created_from=yesterday",
        "created_from=0",
        "created_before=1893456000000",
        "created_from=2030-01-01T00:00:00",
        "cursor=nonsense",
        "cursor=%00",
        "name=%00",
        "tag=",
        "backend=a%00b",
        "nme=bell",
    ],
)
def test_a_bad_list_query_is_refused(bench: Bench, query):
    problem(bench.get(f"/v1/jobs?{query}"), 422, "invalid_request")


def test_a_history_tells_what_happened(bench: Bench):
    job = bench.finish(bench.submit())
    events = bench.get(f"/v1/jobs/{job.id}/events").json()["events"]
    assert [event["to_status"] for event in events] == ["CREATED", "QUEUED", "COMPLETED"]
    later = bench.get(f"/v1/jobs/{job.id}/events?after={events[0]['number']}").json()["events"]
    assert later == events[1:]


@pytest.mark.parametrize("after", ["-1", "x", str(2**63)])
def test_a_bad_place_in_the_history_is_refused(bench: Bench, after):
    job = bench.submit()
    problem(bench.get(f"/v1/jobs/{job.id}/events?after={after}"), 422, "invalid_request")


def test_objects_are_listed_with_checksums(bench: Bench):
    job = bench.submit()
    [pending] = bench.get(f"/v1/jobs/{job.id}/objects").json()["objects"]
    assert (pending["area"], len(pending["sha256"])) == ("pending", 64)
    bench.finish(job)
    objects = bench.get(f"/v1/jobs/{job.id}/objects").json()["objects"]
    [bundle] = [one for one in objects if one["area"] == "completed"]
    assert "result.json" in {member["name"] for member in bundle["members"]}
    assert job.id in bundle["key"]


def test_a_wish_to_cancel_is_noted_and_may_be_repeated(bench: Bench):
    job = bench.submit()
    first, again = (bench.post(f"/v1/jobs/{job.id}/cancel") for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["status"] == again.json()["status"] == "CANCELLING"


def test_a_cancelled_job_stays_cancelled(bench: Bench):
    job = bench.finish(bench.submit(), JobStatus.CANCELLED)
    response = bench.post(f"/v1/jobs/{job.id}/cancel")
    assert (response.status_code, response.json()["status"]) == (200, "CANCELLED")


def test_a_job_that_has_ended_cannot_be_cancelled(bench: Bench):
    job = bench.finish(bench.submit())
    problem(bench.post(f"/v1/jobs/{job.id}/cancel"), 409, "conflict")


def test_name_and_tags_can_be_changed_one_by_one(bench: Bench):
    job = bench.submit(name="old", tags=["a"])
    answer = bench.request("PATCH", f"/v1/jobs/{job.id}", json={"name": "new"}).json()
    assert (answer["name"], answer["tags"]) == ("new", ["a"])
    answer = bench.request("PATCH", f"/v1/jobs/{job.id}", json={"tags": []}).json()
    assert (answer["name"], answer["tags"]) == ("new", [])
    assert bench.get(f"/v1/jobs/{job.id}").json()["name"] == "new"


@pytest.mark.parametrize("edit", [{"status": "COMPLETED"}, {"name": 1}, {"tags": "a"}, {"tags": [""]}, []])
def test_nothing_else_can_be_changed(bench: Bench, edit):
    job = bench.submit()
    problem(bench.request("PATCH", f"/v1/jobs/{job.id}", json=edit), 422, "invalid_request")


def test_a_deleted_job_is_gone_for_good(bench: Bench):
    job = bench.finish(bench.submit())
    response = bench.request("DELETE", f"/v1/jobs/{job.id}")
    assert (response.status_code, response.content) == (204, b"")
    for path in ("", "/status", "/result", "/program", "/events", "/objects"):
        problem(bench.get(f"/v1/jobs/{job.id}{path}"), 410, "gone")
    problem(bench.request("DELETE", f"/v1/jobs/{job.id}"), 410, "gone")
    assert listed(bench) == []


def test_a_job_that_has_not_ended_cannot_be_deleted(bench: Bench):
    job = bench.submit()
    found = problem(bench.request("DELETE", f"/v1/jobs/{job.id}"), 409, "conflict")
    assert found["details"]["status"] == "CREATED"


@pytest.mark.parametrize(("method", "path"), [("POST", "/cancel"), ("PATCH", ""), ("DELETE", "")])
def test_a_job_that_is_none_cannot_be_changed(bench: Bench, method, path):
    problem(bench.request(method, f"/v1/jobs/nonsense{path}", json={"name": "x"}), 404, "not_found")


def test_the_vendors_word_is_shown_beside_ours(bench: Bench):
    job = bench.submit()
    at = bench.world.clock.now()
    change = job.moved_to(
        JobStatus.QUEUED, Stage.WAITING, at=at, by="submitter", vendor_status="Validating", queue_position=3
    )
    bench.world.ledger.save([change])
    answer = bench.get(f"/v1/jobs/{job.id}").json()
    assert (answer["status"], answer["vendor_status"], answer["queue_position"]) == ("QUEUED", "Validating", 3)
