"""Answers as bytes, rendered once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from fastapi import Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

_AT_ONCE_BYTES = 64 * 1024
"""An answer up to about this size is sent as a whole, with its length."""


def json_response(answer: BaseModel, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a model."""
    return json_bytes(answer.model_dump_json().encode(), status=status, headers=headers)


def json_bytes(document: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON that is there already."""
    return Response(
        document, status_code=status, media_type="application/json", headers=None if headers is None else {**headers}
    )


def streamed(pieces: Iterator[bytes], *, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with pieces as they come; never more than a few of them are in memory.

    The first are fetched here, so that what goes wrong at the beginning is still an error of its own.
    """
    first: list[bytes] = []
    size = 0
    for piece in pieces:
        first.append(piece)
        size += len(piece)
        if size > _AT_ONCE_BYTES:
            return StreamingResponse(
                chain(first, pieces), media_type=media_type, headers=None if headers is None else {**headers}
            )
    return Response(b"".join(first), media_type=media_type, headers=None if headers is None else {**headers})


def with_members(members: bytes, document: Iterator[bytes]) -> Iterator[bytes]:
    """A JSON object that comes in pieces, with further members put before its own.

    Args:
        members: ``"name":value`` pairs, joined by commas.
        document: A JSON object with at least one member, beginning with its brace.
    """
    first = next(document)
    yield b"{" + members + b"," + first[1:]
    yield from document
