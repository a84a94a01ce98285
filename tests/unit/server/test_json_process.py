"""A process of its own says of a large text what would be said here."""

from __future__ import annotations

import json
import sys

import pytest

from qdepot.errors import InvalidRequestError, UnavailableError
from qdepot.server import json_process
from qdepot.server.json_process import check_json
from qdepot.server.strict_json import decode

LONG = "x" * 200_000
BAD = {
    "a key twice": b'{"a": "%s", "a": 2}' % LONG.encode(),
    "no number": b'["%s", NaN]' % LONG.encode(),
    "not UTF-8": b'["%s\xff"]' % LONG.encode(),
    "cut off": b'["%s"' % LONG.encode(),
    "half a pair": b'["%s\\ud800"]' % LONG.encode(),
    "the other half": b'["%s\\uDC00"]' % LONG.encode(),
    "nothing": b"",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said_as_it_would_be_said_here(name):
    with pytest.raises(InvalidRequestError) as here:
        decode(BAD[name])
    with pytest.raises(InvalidRequestError) as there:
        check_json(BAD[name])
    assert (there.value.message, there.value.solution) == (here.value.message, here.value.solution)
    assert there.value.details == here.value.details


def test_what_is_right_passes():
    check_json(json.dumps([LONG, {"a": [1e300, "\U0001f600", '\\ud800 "']}]).encode())


def test_a_process_that_dies_is_no_fault_of_the_body(monkeypatch):
    monkeypatch.setattr(json_process, "_COMMAND", (sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"))
    with pytest.raises(UnavailableError, match="-9"):
        check_json(b"[%s]" % LONG.encode())


def test_a_process_that_cannot_be_started_is_no_fault_of_the_body(monkeypatch):
    monkeypatch.setattr(json_process, "_COMMAND", ("/nowhere/python",))
    with pytest.raises(UnavailableError):
        check_json(b"[]")
