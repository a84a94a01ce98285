from __future__ import annotations

import pytest

from qdepot import errors
from qdepot.cli.output import EXIT_CODES_HELP, ExitCode, exit_code, print_error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.JobFailedError(), 1),
        (errors.MemoryLimitExceededError(), 1),
        (errors.InvalidRequestError(), 2),
        (errors.InvalidProgramError(), 2),
        (errors.ConflictError(), 2),
        (errors.QuotaExceededError(), 2),
        (errors.NotFoundError(), 3),
        (errors.GoneError(), 3),
        (errors.UnavailableError(), 4),
        (errors.WaitTimeoutError(), 5),
        (errors.NotFinishedError(), 5),
        (errors.PermissionDeniedError(), 6),
        (errors.InternalError(), 70),
        (errors.QDepotError(), 70),
    ],
)
def test_errors_end_with_their_code(error, code):
    assert exit_code(error) == code


def test_every_exit_code_is_explained():
    for code in ExitCode:
        assert f"{code.value} " in EXIT_CODES_HELP


def test_an_error_says_what_where_and_what_to_do(capsys):
    details = {"file": "bell.qasm", "circuit": 0, "line": 3, "column": 7, "other": "x"}
    print_error(errors.InvalidProgramError("unknown gate", solution="Define it.", details=details))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == ("Error: unknown gate\nWhere: bell.qasm, circuit 0, line 3, column 7\nWhat to do: Define it.\n")


def test_wrong_fields_are_listed(capsys):
    wrong = [{"loc": ["program", "shots"], "message": "too small"}, "odd"]
    print_error(errors.InvalidRequestError("wrong", details={"errors": wrong}))
    assert capsys.readouterr().err == "Error: wrong\n  - program.shots: too small\n  - odd\n"


def test_a_field_that_the_message_names_is_not_named_again(capsys):
    wrong = [{"loc": ["shots"], "message": "too small"}]
    print_error(errors.InvalidRequestError("shots: too small", details={"errors": wrong}))
    assert capsys.readouterr().err == "Error: shots: too small\n"
