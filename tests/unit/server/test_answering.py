"""Answers are rendered once, and streamed where they are large."""

from __future__ import annotations

import json

import pytest
from fastapi.responses import StreamingResponse

from qdepot.errors import NotFinishedError
from qdepot.server.answering import streamed, with_members

LARGE = 200_000


def test_a_small_answer_is_sent_as_a_whole_with_its_length():
    response = streamed(iter([b"{}", b"  "]), media_type="application/json")
    assert response.body == b"{}  "
    assert response.headers["content-length"] == "4"


def test_a_large_answer_is_not_gathered():
    taken = 0

    def pieces():
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield b"x" * LARGE

    response = streamed(pieces(), media_type="application/json", headers={"Vary": "Accept"})
    assert isinstance(response, StreamingResponse)
    assert taken == 1
    assert response.headers["vary"] == "Accept"
    assert "content-length" not in response.headers


def test_what_goes_wrong_at_the_beginning_is_an_error_of_its_own():
    def pieces():
        raise NotFinishedError("not yet")
        yield b""

    with pytest.raises(NotFinishedError):
        streamed(with_members(b'"id":"x"', pieces()), media_type="application/json")


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_members_are_put_before_those_of_a_document(size):
    document = json.dumps({"results": [{"counts": {"00": 1}}]}).encode()
    pieces = iter([document[start : start + size] for start in range(0, len(document), size)])
    joined = b"".join(with_members(b'"id":"x","status":"COMPLETED"', pieces))
    assert json.loads(joined) == {"id": "x", "status": "COMPLETED", "results": [{"counts": {"00": 1}}]}
    assert list(json.loads(joined)) == ["id", "status", "results"]
