"""What both clients do; ``either`` is one of each colour in turn."""

from __future__ import annotations

import inspect
import json
import logging
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest

from qdepot.client.async_client import AsyncClient
from qdepot.client.client import Client
from qdepot.client.handle import AsyncJobHandle, JobHandle
from qdepot.client.jobspec import JobSpec
from qdepot.errors import (
    ConflictError,
    GoneError,
    InvalidRequestError,
    JobFailedError,
    NotFoundError,
    UnavailableError,
)
from qdepot.wire.answers import FailureAnswer, RegisterAnswer, ResultAnswer, SamplerResultAnswer
from support.fake_api import BELL, BELL2, npz_without_arrays, problem, sent_program

FIRST = str(UUID(int=1))
"""The id of the first job."""
DROPPED = httpx.RemoteProtocolError("Server disconnected without sending a response.")


def test_a_job_goes_there_and_its_result_comes_back(either, api):
    job = either.submit(BELL, shots=1024, name="bell", tags=["demo"])
    assert job.last_status == "CREATED"
    result = job.result(timeout_s=5)
    assert result[0].counts == job.counts(0) == {"00": 510, "11": 514}
    assert job.last_status == "COMPLETED"
    assert json.loads(api.seen[0].content)["tags"] == ["demo"]


def test_a_result_is_fetched_once(either, api):
    job = either.submit(BELL)
    job.result()
    asked = len(api.seen)
    job.counts()
    job.result()
    assert len(api.seen) == asked


def test_every_submission_carries_a_key_of_its_own(either, api):
    either.submit(BELL)
    either.submit(BELL)
    keys = [request.headers["idempotency-key"] for request in api.seen]
    assert len(set(keys)) == 2
    either.submit(BELL, idempotency_key="mine")
    assert api.seen[-1].headers["idempotency-key"] == "mine"


def test_a_submission_whose_answer_was_lost_is_one_job(either, api, no_pauses):
    accept = api.answer

    def lose_the_first_answer(request):
        answer = accept(request)
        if len(api.seen) == 1:
            raise DROPPED
        return answer

    api.answer = lose_the_first_answer
    job = either.submit(BELL)
    assert list(api.jobs) == [job.id]
    first, second = api.seen
    assert first.content == second.content
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert len(no_pauses) == 1


def test_changes_are_never_repeated(either, api):
    job = either.submit(BELL)
    for change in (lambda: job.edit(name="x"), job.delete):
        asked = len(api.seen)
        api.faults.append(DROPPED)
        with pytest.raises(UnavailableError, match="lost during"):
            change()
        assert len(api.seen) == asked + 1


def test_reads_and_cancels_are_repeated(either, api):
    job = either.submit(BELL)
    for call in (job.details, job.events, job.program, job.objects, job.cancel, job.status, either.backends):
        api.faults.extend([DROPPED, problem(503, "unavailable")])
        call()


def test_a_wait_tells_what_is_new(either, api):
    api.looks = 3
    told: list[str] = []
    job = either.submit(BELL)
    assert job.wait(on_status=lambda status: told.append(status.status)) == "COMPLETED"
    assert told == ["RUNNING", "COMPLETED"]
    assert "known=RUNNING" in api.paths()[-1]


def test_a_failed_job_raises_its_reason(either, api):
    job = either.submit(BELL)
    api.fail(job.id, FailureAnswer(code="memory_limit_exceeded", message="too large", solution="Use fewer qubits."))
    with pytest.raises(JobFailedError, match=f"job {job.id} failed: too large") as caught:
        job.result()
    assert caught.value.solution == "Use fewer qubits."
    assert job.last_status == "FAILED"


def test_what_is_done_by_now_is_fetched_without_waiting(either, api):
    job = either.submit(BELL)
    api.do(job.id, 2, of=5)
    shown = job.result(partial=True)
    assert (len(shown), shown.partial, shown.num_circuits) == (2, True, 5)
    assert len(job.result_document(partial=True)["results"]) == 2
    api.do(job.id, 3, of=5)
    assert len(job.result(partial=True)) == 3, "it is not kept"
    assert not [path for path in api.paths() if "status" in path]


def test_the_shots_of_what_is_done_are_fetched_too(either, api):
    api.arrays = npz_without_arrays()
    assert either.submit(BELL).npz(partial=True) == api.arrays
    assert api.paths()[-1].endswith("/result?partial=true")


def test_a_failed_job_says_that_a_part_is_kept(either, api):
    job = either.submit(BELL)
    api.do(job.id, 2, of=5)
    api.fail(job.id, FailureAnswer(code="x", message="it burnt", solution="Wait."))
    with pytest.raises(JobFailedError) as failed:
        job.result()
    assert failed.value.solution == "Wait. Of its first 2 circuits there are results: result(partial=True)."
    assert failed.value.details["circuits_done"] == 2


def test_a_handle_shows_what_is_known(either):
    job = either.submit(BELL, name="<b>bell</b>")
    shown = repr(job)
    assert shown == f"JobHandle(id='{job.id}', name='<b>bell</b>', status='CREATED', backend='aer')"
    table = job._repr_html_()
    assert job.id in table
    assert "&lt;b&gt;bell&lt;/b&gt;" in table
    assert "<b>bell" not in table


def test_a_job_is_found_again_by_its_id(either):
    job_id = either.submit(BELL, name="lost").id
    found = either.job(job_id)
    assert (found.id, found.name, found.backend) == (job_id, "lost", "aer")


def test_an_unknown_job_is_not_found_and_a_deleted_one_is_gone(either):
    with pytest.raises(NotFoundError):
        either.job("nonsense/../id")
    job = either.submit(BELL)
    job.delete()
    with pytest.raises(GoneError):
        either.job(job.id)


def test_an_id_cannot_leave_its_place_in_the_path(either, api):
    with pytest.raises(NotFoundError):
        either.job("../backends?x=1")
    assert api.paths() == ["GET /v1/jobs/..%2Fbackends%3Fx%3D1"]


def test_records_of_a_job(either):
    job = either.submit(BELL)
    assert job.program()["circuits"][0]["source"] == BELL
    assert [event.to_status for event in job.events()] == ["CREATED"]
    assert [stored.area for stored in job.objects()] == ["completed"]
    assert job.details().num_circuits == 1
    assert job.result_document()["results"][0]["shots"] == 1024


def test_a_job_is_cancelled_unless_it_ended(either):
    job = either.submit(BELL)
    assert job.cancel() == "CANCELLED"
    ended = either.submit(BELL)
    ended.wait()
    with pytest.raises(ConflictError):
        ended.cancel()


def test_name_and_tags_are_edited_apart(either, api):
    job = either.submit(BELL, name="old", tags=["a"])
    job.edit(name="new")
    assert json.loads(api.seen[-1].content) == {"name": "new"}
    job.edit(tags=[])
    assert json.loads(api.seen[-1].content) == {"tags": []}
    assert (job.name, job.tags) == ("new", ())


def test_an_edit_that_cannot_be_is_not_sent(either, api):
    job = either.submit(BELL)
    with pytest.raises(InvalidRequestError, match="name"):
        job.edit(name="x" * 300)
    assert len(api.seen) == 1


def test_all_pages_are_listed_newest_first(either, api):
    ids = [either.submit(BELL, name=str(n)).id for n in range(7)]
    api.page = 3
    assert [job.id for job in either.jobs()] == ids[::-1]
    assert [job.id for job in either.jobs(limit=4)] == ids[:2:-1]
    assert list(either.jobs(limit=0)) == []


def test_filters_are_sent(either, api):
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    list(either.jobs(status=["QUEUED", "RUNNING"], tag="a&b", name="n", backend="aer", created_from=begin))
    params = api.seen[-1].url.params
    assert params.get_list("status") == ["QUEUED", "RUNNING"]
    assert (params["tag"], params["name"], params["backend"]) == ("a&b", "n", "aer")
    assert params["created_from"] == "2026-01-01T00:00:00+00:00"
    assert "created_before" not in params
    list(either.jobs(status="FAILED"))
    assert api.seen[-1].url.params.get_list("status") == ["FAILED"]


def test_a_time_without_zone_is_refused(either):
    with pytest.raises(InvalidRequestError, match="has no zone"):
        list(either.jobs(created_from=datetime(2026, 1, 1)))  # noqa: DTZ001 - that is the point


def test_backends_and_version(either):
    assert [backend.name for backend in either.backends()] == ["aer"]
    assert either.backend("aer").simulator
    with pytest.raises(NotFoundError, match="nowhere"):
        either.backend("nowhere")
    assert either.version().api_version == "1.0"


def test_many_jobs_are_one_request(either, api):
    jobs = either.submit_many([BELL, JobSpec(circuits=BELL2, name="own", shots=3)], shots=9, name="shared")
    assert api.paths() == ["POST /v1/jobs:batch"]
    sent = json.loads(api.seen[0].content)
    assert sent["atomic"] is True
    assert [one["program"]["shots"] for one in sent["jobs"]] == [9, 3]
    assert [(job.id, job.name, job.backend) for job in jobs] == [
        (job_id, name, "aer") for job_id, name in zip(api.jobs, ["shared", "own"], strict=True)
    ]
    assert either.wait_all(jobs) == ["COMPLETED", "COMPLETED"]
    assert [job.last_status for job in jobs] == ["COMPLETED", "COMPLETED"]


def test_all_or_none_names_the_bad_job(either, api):
    with pytest.raises(NotFoundError) as caught:
        either.submit_many([BELL, JobSpec(circuits=BELL, backend="nowhere")])
    assert caught.value.details["job"] == 1
    assert api.jobs == {}


def test_a_job_that_cannot_be_sent_is_named_before_anything_is_sent(either, api):
    with pytest.raises(InvalidRequestError) as caught:
        either.submit_many([BELL, "nonsense;"])
    assert caught.value.details["job"] == 1
    assert api.seen == []


def test_unless_all_or_none_each_job_has_its_own_error(either, api):
    good, bad = either.submit_many([BELL, JobSpec(circuits=BELL, backend="nowhere")], atomic=False)
    assert good.id in api.jobs
    assert isinstance(bad, NotFoundError)


def test_one_job_of_many_is_submitted_alone(either, api):
    [job] = either.submit_many([BELL])
    assert api.paths() == ["POST /v1/jobs"]
    api.faults.append(problem(422, "invalid_program", "line 1", line=1))
    [error] = either.submit_many([BELL], atomic=False)
    assert error.details == {"line": 1, "job": 0}
    assert job.id in api.jobs


def test_more_than_a_thousand_jobs_are_several_batches(either, api):
    with pytest.raises(InvalidRequestError, match="1001 jobs"):
        either.submit_many([BELL] * 1001)
    jobs = either.submit_many([BELL] * 1001, atomic=False, idempotency_key="k")
    assert len({job.id for job in jobs}) == 1001
    assert [request.headers["idempotency-key"] for request in api.seen] == ["k-0", "k-1"]


def test_statuses_of_many(either):
    ids = [either.submit(BELL).id for _ in range(3)]
    assert [answer.status for answer in either.statuses(ids).values()] == ["COMPLETED"] * 3


def test_a_sweep_is_one_job_and_a_result_for_each_set(either, api):
    api.results[FIRST] = shaped_result()
    points = either.map(BELL, [{"theta": 0.1}, {"theta": 0.2}], shots=4, progress=False)
    assert [point.counts for point in points] == [{"0": 4}, {"1": 4}]
    assert sent_program(api.seen[0])["circuits"][0]["parameter_values"] == {"theta": [0.1, 0.2]}
    assert len(api.jobs) == 1


def test_a_sweep_that_fails_says_why(either, api):
    api.outcomes[FIRST] = FailureAnswer(code="x", message="broken")
    with pytest.raises(JobFailedError, match="broken"):
        either.map(BELL, [[0.1]], progress=False)


def shaped_result():
    counts = [{"0": 4}, {"1": 4}]
    entry = SamplerResultAnswer(
        shots=4, shape=[2], counts=counts, registers={"c": RegisterAnswer(num_bits=1, counts=counts)}
    )
    return ResultAnswer(id="x", status="COMPLETED", results=[entry])


def test_the_token_goes_with_each_request_and_nowhere_else(api, caplog):
    caplog.set_level(logging.DEBUG)
    with Client("https://service.test", "secret-word", transport=api.transport()) as client:
        job = client.submit(BELL)
        api.faults.append(problem(404, "not_found"))
        with pytest.raises(NotFoundError) as caught:
            client.job("x")
        shown = f"{client!r} {client._courier.__dict__} {job!r} {caught.value!r} {caught.value.details} {caplog.text}"
    assert [request.headers["authorization"] for request in api.seen] == ["Bearer secret-word"] * 2
    assert "secret-word" not in shown


def test_without_a_token_nothing_is_claimed(client, api):
    client.backends()
    assert "authorization" not in api.seen[0].headers


def test_a_service_below_a_path_is_addressed_there(api):
    with Client("http://service.test/lab/", transport=api.transport()) as client:
        api.faults.append(problem(404, "not_found"))
        with pytest.raises(NotFoundError):
            client.backends()
    assert str(api.seen[0].url) == "http://service.test/lab/v1/backends"


@pytest.mark.parametrize(("blocking", "asynchronous"), [(Client, AsyncClient), (JobHandle, AsyncJobHandle)])
def test_both_colours_offer_the_same(blocking, asynchronous):
    def surface(kind):
        return {name for name in dir(kind) if not name.startswith("_")}

    assert surface(blocking) == surface(asynchronous)
    for name in surface(blocking):
        assert parameters_of(blocking, name) == parameters_of(asynchronous, name)


def parameters_of(kind, name):
    return [
        (parameter.name, parameter.kind, parameter.default, str(parameter.annotation).replace("Async", ""))
        for parameter in inspect.signature(getattr(kind, name)).parameters.values()
    ]
