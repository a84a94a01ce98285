from __future__ import annotations

import pytest

from qdepot.client import requests
from qdepot.client.exchange import Answer
from qdepot.client.repeating import Peer
from qdepot.client.waiting import OUTAGE_S, all_until_final, once_completed, statuses, until_final
from qdepot.errors import JobFailedError, NotFoundError, UnavailableError, WaitTimeoutError
from qdepot.wire.answers import FailureAnswer, StatusAnswer, StatusesAnswer
from qdepot.wire.requests import JobBody
from support.fake_api import BELL, LOST, REFUSED, Script, job_answer, problem

IDS = [f"00000000-0000-0000-0000-00000000000{n}" for n in range(3)]
BODY = JobBody.model_validate(
    {"backend": "aer", "program": {"kind": "sampler", "circuits": [{"format": "openqasm3", "source": BELL}]}}
)


def status(word: str, job_id: str = IDS[0], why: str = "") -> StatusAnswer:
    return StatusAnswer(id=job_id, status=word, stage="x", why=why)


def one(word: str, **fields: str) -> Answer:
    return Answer(status=200, body=status(word, **fields).model_dump_json().encode())


def many(*words: str) -> Answer:
    answers = [status(word, job_id) for word, job_id in zip(words, IDS, strict=False)]
    return Answer(status=200, body=StatusesAnswer(statuses=answers).model_dump_json().encode())


def peer_of(script: Script, *, reached: bool = True) -> Peer:
    return Peer(url="http://s", reached=reached, clock=script.clock, chance=lambda: 1.0)


def note(_: StatusAnswer) -> None:
    """Nobody listens."""


def params_of(script: Script) -> list[dict[str, str]]:
    return [dict(request.params) for request in script.requests]


def test_a_wait_asks_the_service_to_hold_the_answer():
    script = Script([one("QUEUED"), one("COMPLETED")], answer_takes_s=30)
    assert script.play(until_final(peer_of(script), IDS[0], on_status=note)).status == "COMPLETED"
    assert params_of(script) == [{"wait": "30"}, {"wait": "30"}]
    assert script.requests[0].read_timeout_s > 30


def test_who_wants_news_is_told_of_each_change_once():
    script = Script([one("CREATED"), one("QUEUED"), one("QUEUED"), one("RUNNING"), one("COMPLETED")], answer_takes_s=1)
    told: list[str] = []

    def hear(answer: StatusAnswer) -> None:
        told.append(answer.status)

    script.play(until_final(peer_of(script), IDS[0], on_status=hear, every_change=True))
    assert told == ["CREATED", "QUEUED", "RUNNING", "COMPLETED"]
    first, *others = params_of(script)
    assert first == {}
    assert [params["known"] for params in others] == ["CREATED", "QUEUED", "QUEUED", "RUNNING"]
    assert [params["known_circuits"] for params in others] == ["0", "0", "0", "0"]
    assert {params["wait"] for params in others} == {"30"}


def test_a_wait_survives_lost_connections_and_restarts():
    script = Script([one("QUEUED"), LOST, REFUSED, Answer(status=503), one("COMPLETED")])
    assert script.play(until_final(peer_of(script), IDS[0], on_status=note)).status == "COMPLETED"


def test_a_wait_gives_up_when_the_service_is_away_for_long():
    script = Script([one("QUEUED"), REFUSED])
    with pytest.raises(UnavailableError):
        script.play(until_final(peer_of(script), IDS[0], on_status=note))
    assert OUTAGE_S - 30 < sum(script.pauses) <= OUTAGE_S + 1


def test_a_wait_at_a_wrong_address_ends_at_once():
    script = Script([REFUSED])
    with pytest.raises(UnavailableError):
        script.play(until_final(peer_of(script, reached=False), IDS[0], on_status=note, timeout_s=60))
    assert len(script.requests) == 1


def test_a_wait_ends_in_time():
    script = Script([one("RUNNING")], answer_takes_s=30)
    with pytest.raises(WaitTimeoutError, match=r"is RUNNING, not final, after 70 s"):
        script.play(until_final(peer_of(script), IDS[0], on_status=note, timeout_s=70))
    assert [params.get("wait") for params in params_of(script)] == ["30", "30", "10"]


def test_a_wait_without_time_looks_once():
    script = Script([one("RUNNING")])
    with pytest.raises(WaitTimeoutError):
        script.play(until_final(peer_of(script), IDS[0], on_status=note, timeout_s=0))
    assert params_of(script) == [{}]


def test_a_wait_whose_time_ends_in_an_outage_is_a_timeout():
    script = Script([one("QUEUED"), LOST])
    with pytest.raises(WaitTimeoutError, match="does not answer"):
        script.play(until_final(peer_of(script), IDS[0], on_status=note, timeout_s=20))


def test_a_service_that_does_not_hold_answers_is_not_asked_without_a_break():
    script = Script([one("QUEUED")] * 50 + [one("COMPLETED")])
    script.play(until_final(peer_of(script), IDS[0], on_status=note))
    assert sum(script.pauses) == pytest.approx(49 * 0.2)


def test_many_jobs_are_asked_for_at_once_and_only_as_long_as_they_run():
    script = Script([many("QUEUED", "COMPLETED", "RUNNING"), many("FAILED"), many("CANCELLED")])
    rounds: list[list[str]] = []
    flow = all_until_final(
        peer_of(script), IDS, on_statuses=lambda known: rounds.append([known[i].status for i in IDS])
    )
    script.outcomes[1] = Answer(
        status=200,
        body=StatusesAnswer(statuses=[status("FAILED", IDS[0]), status("RUNNING", IDS[2])]).model_dump_json().encode(),
    )
    script.outcomes[2] = Answer(
        status=200, body=StatusesAnswer(statuses=[status("CANCELLED", IDS[2])]).model_dump_json().encode()
    )
    ends = script.play(flow)
    assert [end.status for end in ends.values()] == ["FAILED", "COMPLETED", "CANCELLED"]
    assert list(ends) == IDS
    assert rounds == [
        ["QUEUED", "COMPLETED", "RUNNING"],
        ["FAILED", "COMPLETED", "RUNNING"],
        ["FAILED", "COMPLETED", "CANCELLED"],
    ]
    asked = [request.body or b"" for request in script.requests]
    assert [IDS[1].encode() in body for body in asked] == [True, False, False]


def test_the_rounds_grow_to_two_seconds():
    script = Script([many("QUEUED")])
    with pytest.raises(WaitTimeoutError, match="1 of 1 jobs are not final after 30 s"):
        script.play(all_until_final(peer_of(script), IDS[:1], timeout_s=30))
    assert script.pauses[0] == 0.2
    assert max(script.pauses) == 2.0
    assert sum(script.pauses) == pytest.approx(30)


def test_waiting_for_no_job_asks_nobody():
    script = Script()
    assert script.play(all_until_final(peer_of(script), [])) == {}


def test_missing_jobs_are_named_and_nonsense_is_not_asked_for():
    script = Script([many("QUEUED")])
    with pytest.raises(NotFoundError, match="no job nonsense, nor 1 more") as caught:
        script.play(statuses(peer_of(script), [IDS[0], "nonsense", IDS[1]]))
    assert caught.value.details["ids"] == ["nonsense", IDS[1]]
    assert b"nonsense" not in (script.requests[0].body or b"")


def test_ids_are_found_in_any_spelling():
    script = Script([many("QUEUED")])
    spelled = IDS[0].upper().replace("-", "")
    assert script.play(statuses(peer_of(script), [spelled]))[spelled].status == "QUEUED"


def test_more_than_a_thousand_jobs_take_several_requests():
    ids = [f"00000000-0000-0000-0000-{n:012x}" for n in range(2500)]
    script = Script(
        [
            Answer(
                status=200,
                body=StatusesAnswer(statuses=[status("QUEUED", i) for i in ids[a : a + 1000]])
                .model_dump_json()
                .encode(),
            )
            for a in (0, 1000, 2000)
        ]
    )
    assert list(script.play(statuses(peer_of(script), ids))) == ids
    assert len(script.requests) == 3


def test_a_failed_job_says_why_and_what_to_do():
    failure = FailureAnswer(code="time_limit_exceeded", message="it ran longer than 5 s", solution="Give it more time.")
    job = job_answer(IDS[0], BODY, status="FAILED", failure=failure)
    script = Script([one("FAILED"), Answer(status=200, body=job.model_dump_json().encode())])
    with pytest.raises(JobFailedError, match=r"failed: it ran longer than 5 s") as caught:
        script.play(once_completed(peer_of(script), IDS[0], requests.job_result(IDS[0]), on_status=note))
    assert caught.value.solution == "Give it more time."
    assert caught.value.details["failure"]["code"] == "time_limit_exceeded"


def test_a_cancelled_job_has_no_result():
    job = job_answer(IDS[0], BODY, status="CANCELLED")
    script = Script([one("CANCELLED"), Answer(status=200, body=job.model_dump_json().encode())])
    with pytest.raises(JobFailedError, match="was cancelled") as caught:
        script.play(once_completed(peer_of(script), IDS[0], requests.job_result(IDS[0]), on_status=note))
    assert caught.value.details["status"] == "CANCELLED"


def test_an_unknown_job_is_not_waited_for():
    answer = problem(404, "not_found")
    script = Script([Answer(status=404, body=answer.content)])
    with pytest.raises(NotFoundError):
        script.play(until_final(peer_of(script), IDS[0], on_status=note))
