from __future__ import annotations

import signal

import pytest

from qdepot.adapters.compute.verdicts import death, said_by_child
from qdepot.errors import (
    InternalError,
    InvalidProgramError,
    MemoryLimitExceededError,
    PermissionDeniedError,
    QDepotError,
    TaskCancelledError,
    TimeLimitExceededError,
    UnavailableError,
    WorkerLostError,
)
from qdepot.ports.compute_pool import Limits

LIMITS = Limits(time_s=5, memory_bytes=2**30)


def test_a_refusal_is_rebuilt_with_all_that_it_says():
    said = {"code": "invalid_program", "message": "no", "solution": "so", "details": {"line": 3}}
    error = said_by_child(said, LIMITS)
    assert isinstance(error, InvalidProgramError)
    assert (error.message, error.solution, error.details) == ("no", "so", {"line": 3})


@pytest.mark.parametrize(
    "code",
    [
        None,
        7,
        "",
        "no_such_code",
        QDepotError.code,
        *(e.code for e in (TaskCancelledError, WorkerLostError, PermissionDeniedError)),
    ],
)
def test_a_code_that_no_operation_may_raise_is_an_internal_error(code):
    assert type(said_by_child({"code": code, "message": "x"}, LIMITS)) is InternalError


@pytest.mark.parametrize("said", [{}, {"message": 7}, {"code": "invalid_program", "details": [1], "solution": None}])
def test_an_error_of_any_shape_is_an_error(said):
    error = said_by_child(said, LIMITS)
    assert isinstance(error, QDepotError)
    assert (error.details, bool(error.message)) == ({}, True)


def test_a_child_without_memory_is_told_the_limit():
    error = said_by_child({"code": "memory_limit_exceeded", "message": "", "details": {}}, LIMITS)
    assert isinstance(error, MemoryLimitExceededError)
    assert error.details == {"memory_bytes": 2**30}


def test_an_operation_that_knows_better_how_much_it_needs_is_believed():
    said = {"code": "memory_limit_exceeded", "message": "needs 8 GiB", "details": {"needed_bytes": 2**33}}
    assert said_by_child(said, LIMITS).details == {"needed_bytes": 2**33}


def test_a_missing_installation_is_unavailable():
    assert isinstance(said_by_child({"code": "unavailable", "message": "no Qiskit"}, LIMITS), UnavailableError)


@pytest.mark.parametrize(
    ("report", "kind", "details"),
    [
        ({"signal": signal.SIGKILL}, WorkerLostError, {"signal": "SIGKILL", "crashed": False}),
        ({"signal": signal.SIGSEGV}, WorkerLostError, {"signal": "SIGSEGV", "crashed": True}),
        ({"signal": 55}, WorkerLostError, {"signal": "signal 55", "crashed": False}),
        ({"exit": 0}, WorkerLostError, {"exit_status": 0, "crashed": False}),
        ({"failed": "no memory"}, WorkerLostError, {"reason": "no memory"}),
        ({}, WorkerLostError, {"reason": ""}),
        ({"signal": signal.SIGXCPU}, TimeLimitExceededError, {"time_s": 5}),
        ({"signal": signal.SIGABRT, "out_of_memory": True}, MemoryLimitExceededError, {"memory_bytes": 2**30}),
    ],
)
def test_a_death_is_told_by_its_cause(report, kind, details):
    error = death(report, LIMITS)
    assert type(error) is kind
    assert error.details == details
