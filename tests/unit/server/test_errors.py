"""Every error has its HTTP form."""

from __future__ import annotations

import json
import logging

import pytest

from qdepot import errors
from qdepot.ports.ledger import JobExistsError
from qdepot.server.errors import (
    STATUS,
    CrossSiteError,
    MethodNotAllowedError,
    UnsupportedMediaTypeError,
    WrongHostError,
    invalid_fields,
    problem_document,
    problem_response,
    status_of,
)
from qdepot.wire.answers import Problem

EXPECTED = {
    errors.InvalidRequestError: 422,
    errors.InvalidProgramError: 422,
    errors.UnsupportedProgramError: 422,
    errors.TimeLimitExceededError: 422,
    errors.MemoryLimitExceededError: 422,
    errors.NotFoundError: 404,
    errors.GoneError: 410,
    errors.ConflictError: 409,
    JobExistsError: 409,
    errors.NotFinishedError: 409,
    errors.JobFailedError: 409,
    errors.TaskCancelledError: 409,
    errors.PayloadTooLargeError: 413,
    errors.QuotaExceededError: 429,
    errors.PermissionDeniedError: 403,
    errors.UnavailableError: 503,
    errors.WorkerLostError: 503,
    errors.WaitTimeoutError: 504,
    errors.ArchiveDamagedError: 500,
    errors.InternalError: 500,
    errors.InvalidTransitionError: 500,
    MethodNotAllowedError: 405,
    UnsupportedMediaTypeError: 415,
    WrongHostError: 421,
    CrossSiteError: 403,
}


@pytest.mark.parametrize(("error_class", "status"), EXPECTED.items())
def test_an_error_has_one_status(error_class, status):
    assert status_of(error_class) == status


@pytest.mark.parametrize("error_class", errors.error_classes().values())
def test_every_error_becomes_a_problem(error_class):
    error = error_class("what happened", solution="what to do", details={"line": 3})
    problem = Problem.model_validate(problem_document(error, instance="/v1/jobs"))
    assert (problem.code, problem.detail, problem.solution) == (error_class.code, "what happened", "what to do")
    assert problem.type == f"/problems/{error_class.code}"
    assert problem.status in STATUS.values()
    assert problem.details == {"line": 3}
    assert problem.title


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (errors.UnavailableError("away"), "5"),
        (errors.UnavailableError("away", retry_after_s=0), "1"),
        (errors.UnavailableError("away", retry_after_s=2.3), "3"),
        (errors.QuotaExceededError("too many"), "60"),
    ],
)
def test_who_may_try_again_is_told_when(error, seconds):
    assert problem_response(error).headers["retry-after"] == seconds


def test_who_must_change_something_is_not_told_to_try_again():
    assert "retry-after" not in problem_response(errors.ConflictError("no")).headers


def test_our_own_bugs_show_nothing_of_the_inside_but_a_trace_id(caplog):
    error = errors.InvalidTransitionError("job 7 at row 12 of table jobs", details={"password": "hunter2"})
    with caplog.at_level(logging.ERROR):
        response = problem_response(error, instance="/v1/jobs")
    problem = json.loads(response.body)
    assert (response.status_code, problem["code"]) == (500, "internal_error")
    assert "hunter2" not in response.body.decode()
    assert "row 12" not in response.body.decode()
    [record] = [record for record in caplog.records if record.message == "unexpected_error"]
    assert record.trace_id == problem["details"]["trace_id"]
    assert record.exc_info is not None
    assert record.exc_info[1] is error


def test_details_that_json_cannot_hold_do_not_break_the_answer():
    error = errors.ConflictError("no", details={"where": object(), "how_much": float("nan")})
    details = json.loads(problem_response(error).body)["details"]
    assert details["how_much"] is None
    assert "object" in details["where"]


def test_long_lists_of_wrong_fields_are_cut():
    found = [{"loc": ("jobs", place), "msg": "x" * 10_000, "type": "wrong", "input": "secret"} for place in range(500)]
    error = invalid_fields(found, where="body")
    text = problem_response(error).body.decode()
    assert len(text) < 20_000
    assert "secret" not in text
    assert "and 499 more" in text
