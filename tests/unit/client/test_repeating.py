from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from qdepot.client.exchange import Answer, NoAnswer, Request
from qdepot.client.problems import retry_after_s
from qdepot.client.repeating import Patience, Peer, answered
from qdepot.errors import (
    InternalError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    QDepotError,
    QuotaExceededError,
    UnavailableError,
    error_classes,
)
from support.fake_api import LOST, REFUSED, Script, problem

SAFE: Request[bytes] = Request(path="/x", repeatable=True, parse=lambda answer: answer.body)
UNSAFE: Request[bytes] = Request(method="DELETE", path="/x", parse=lambda answer: answer.body)
GOOD = Answer(status=200, body=b"fine")


def as_answer(response, **headers):
    return Answer(status=response.status_code, headers={**response.headers, **headers}, body=response.content)


LATER = as_answer(problem(503, "unavailable", "the store is away"))


def played(script, request=SAFE, *, reached=True, patience=None):
    peer = Peer(url="http://s", reached=reached, clock=script.clock, chance=lambda: 1.0)
    return script.play(answered(peer, request, patience))


@pytest.mark.parametrize("fault", [LOST, LATER, Answer(status=502), Answer(status=504)])
def test_what_is_safe_is_repeated_until_it_succeeds(fault):
    script = Script([fault, fault, GOOD])
    assert played(script) == b"fine"
    assert script.requests == [SAFE] * 3


@pytest.mark.parametrize("fault", [LOST, LATER, REFUSED])
def test_what_is_not_safe_is_sent_once(fault):
    script = Script([fault, GOOD])
    with pytest.raises(UnavailableError):
        played(script, UNSAFE)
    assert len(script.requests) == 1


def test_the_breaks_grow_and_end():
    script = Script([LOST])
    with pytest.raises(UnavailableError):
        played(script)
    assert script.pauses == [0.25, 0.5, 1.0, 2.0, 4.0]


def test_the_breaks_are_spread_by_chance():
    script = Script([LOST, GOOD])
    peer = Peer(url="http://s", clock=script.clock, chance=lambda: 0.0)
    script.play(answered(peer, SAFE))
    assert script.pauses == [0.125]


def test_a_break_is_never_longer_than_ten_seconds():
    script = Script([LOST])
    with pytest.raises(UnavailableError):
        played(script, patience=Patience(attempts=None, seconds=200))
    assert max(script.pauses) == 10.0
    assert sum(script.pauses) <= 200


def test_the_service_says_when_to_come_back():
    script = Script([as_answer(problem(503, "unavailable"), **{"retry-after": "7"}), GOOD])
    assert played(script) == b"fine"
    assert 7.0 <= script.pauses[0] < 8.0


@pytest.mark.parametrize(
    ("status", "code"), [(503, "unavailable"), (429, "quota_exceeded"), (429, "too_many_requests")]
)
def test_nobody_waits_for_longer_than_patience_lasts(status, code):
    script = Script([as_answer(problem(status, code), **{"retry-after": "3600"}), GOOD])
    with pytest.raises(error_classes()[code]) as caught:
        played(script)
    assert caught.value.retry_after_s == 3600.0
    assert script.pauses == []


def test_a_limit_is_waited_out_only_if_it_says_for_how_long():
    full = problem(429, "quota_exceeded")
    assert played(Script([as_answer(full, **{"retry-after": "1"}), GOOD])) == b"fine"
    with pytest.raises(QuotaExceededError):
        played(Script([as_answer(full), GOOD]))


def test_a_refused_connection_is_an_error_at_once_where_nobody_ever_answered():
    script = Script([REFUSED, GOOD])
    with pytest.raises(UnavailableError) as caught:
        played(script, reached=False)
    assert len(script.requests) == 1
    assert "http://s" in caught.value.message
    assert "qdepot serve" in caught.value.solution
    assert "QDEPOT_URL" in caught.value.solution


def test_a_refused_connection_is_a_restart_where_somebody_answered_before():
    assert played(Script([REFUSED, GOOD])) == b"fine"


def test_a_certificate_that_is_not_trusted_will_not_be_trusted_later():
    script = Script([NoAnswer(reason="not trusted", refused=True, solution="Set SSL_CERT_FILE."), GOOD])
    with pytest.raises(UnavailableError) as caught:
        played(script)
    assert caught.value.solution == "Set SSL_CERT_FILE."
    assert len(script.requests) == 1


def test_a_lost_submission_names_the_key_that_makes_a_repeat_safe():
    request: Request[bytes] = Request(
        method="POST", path="/v1/jobs", headers={"Idempotency-Key": "k-1"}, repeatable=True, parse=lambda a: a.body
    )
    for fault in (LOST, LATER):
        with pytest.raises(UnavailableError) as caught:
            played(Script([fault]), request)
        assert caught.value.details["idempotency_key"] == "k-1"


def test_a_lost_change_is_called_unknown():
    with pytest.raises(UnavailableError) as caught:
        played(Script([LOST]), UNSAFE)
    assert "not known" in caught.value.solution


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (problem(404, "not_found"), NotFoundError),
        (problem(422, "invalid_request"), InvalidRequestError),
        (problem(500, "internal_error"), InternalError),
        (problem(404, "a_code_of_the_future"), NotFoundError),
        (problem(418, "a_code_of_the_future"), InvalidRequestError),
        (problem(401, "a_code_of_the_future"), PermissionDeniedError),
    ],
)
def test_errors_come_back_as_their_class_and_are_not_repeated(answer, kind):
    script = Script([as_answer(answer), GOOD])
    with pytest.raises(QDepotError) as caught:
        played(script)
    assert type(caught.value) is kind
    assert (caught.value.message, caught.value.solution) == ("no", "do")
    assert len(script.requests) == 1


def test_details_and_wrong_fields_come_back():
    answer = as_answer(problem(422, "invalid_program", line=3, column=7))
    with pytest.raises(InvalidRequestError) as caught:
        played(Script([answer]))
    assert caught.value.details == {"line": 3, "column": 7}


@pytest.mark.parametrize("status", [200, 404, 500, 502])
def test_an_answer_that_is_not_ours_says_so(status):
    page = Answer(status=status, headers={"content-type": "text/html"}, body=b"<html>\nproxy")
    request: Request[object] = Request(path="/x", parse=lambda answer: int(answer.body))
    with pytest.raises(QDepotError, match=f"HTTP {status}, text/html, beginning '<html> proxy'") as caught:
        played(Script([page]), request)
    assert "QDEPOT_URL" in caught.value.solution


def test_a_redirect_is_named_and_not_followed():
    moved = Answer(status=307, headers={"location": "https://elsewhere/"})
    with pytest.raises(InvalidRequestError, match="redirecting to https://elsewhere/"):
        played(Script([moved]))


def test_both_forms_of_retry_after_are_read():
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert retry_after_s(Answer(status=503, headers={"retry-after": "2.5"})) == 2.5
    assert retry_after_s(Answer(status=503, headers={"retry-after": in_a_minute})) == pytest.approx(60, abs=30)
    assert retry_after_s(Answer(status=503, headers={"retry-after": "soon"})) is None
    assert retry_after_s(Answer(status=503)) is None
