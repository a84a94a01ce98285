"""Request bodies: read with a limit, kept to the letter, checked strictly."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from functools import partial
from typing import Annotated, Generic, NoReturn, TypeVar

import anyio.to_thread
from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from qdepot.archive.json_shape import MAX_DEPTH, check_shape
from qdepot.errors import PayloadTooLargeError
from qdepot.server.body_room import SMALL_BYTES, BodyRoom
from qdepot.server.errors import UnsupportedMediaTypeError, from_validation
from qdepot.server.json_process import check_json
from qdepot.server.strict_json import decode
from qdepot.services.orders import ProjectLimits, SubmitLimits

ModelT = TypeVar("ModelT", bound=BaseModel)
T = TypeVar("T")

MAX_PLAIN_BYTES = 256 * 1024
"""Largest body of a request that submits no job."""


async def read_body(request: Request) -> bytes:
    """The body of a request that submits no job, as it came.

    Raises:
        UnsupportedMediaTypeError: It is not announced as plain UTF-8 JSON.
        PayloadTooLargeError: It is longer than such a request may be; reading stops there.
    """
    limits = _limits(request)
    with ExitStack() as held:
        return await _read(request, held, most=min(limits.max_body_bytes, MAX_PLAIN_BYTES))


RawBody = Annotated[bytes, Depends(read_body)]


class Submission(Generic[T]):
    """A parameter of a route: what a body says that may be large.

    Large ones are read before the route runs, a few at a time, by threads of their own: what is waiting takes no
    thread. Of a small one the reading is left to the route.
    """

    def __init__(self, read: Callable[[bytes], T]) -> None:
        """Of a route.

        Args:
            read: Makes something of a body that is valid JSON; may raise QDepotError.
        """
        self._read = read

    async def __call__(self, request: Request) -> AsyncIterator[Callable[[], T]]:
        """What gives the value, or raises what is wrong with the body.

        Raises:
            UnsupportedMediaTypeError: It is not announced as plain UTF-8 JSON.
            PayloadTooLargeError: It is longer than the caller's project may send; reading stops there.
            TooManyLargeRequestsError: The service holds too many large bodies already.
            InvalidRequestError: It is large, and is not what it should be.
        """
        limits = _limits(request)
        room: BodyRoom = request.app.state.body_room
        with ExitStack() as held:
            raw = await _read(request, held, most=limits.max_body_bytes)
            if len(raw) <= SMALL_BYTES:
                yield partial(self._small, raw)
            else:
                most = limits.max_body_values
                value = await anyio.to_thread.run_sync(self._large, raw, most, limiter=room.readers)
                yield lambda: value

    def _small(self, raw: bytes) -> T:
        check_small(raw)
        return self._read(raw)

    def _large(self, raw: bytes, max_values: int) -> T:
        check_shape(raw, max_values=max_values)
        check_json(raw)
        return self._read(raw)


def parse(model: type[ModelT], raw: bytes) -> ModelT:
    """Read a JSON document strictly and check it against a model.

    Raises:
        InvalidRequestError: It is not JSON, has a key twice or a number that is none, or does not fit the model; says
            where.
    """
    check_small(raw)
    return validated(model, raw)


def check_small(raw: bytes) -> None:
    """Refuse what is not strict JSON, of a body so small that this takes little.

    Raises:
        InvalidRequestError: It is not; says where.
    """
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        check_shape(raw, max_values=len(raw) + 1)
    decode(raw)


def validated(model: type[ModelT], raw: bytes) -> ModelT:
    """Check a document that is valid JSON against a model.

    Raises:
        InvalidRequestError: It does not fit; says where.
    """
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise from_validation(error) from None


def _limits(request: Request) -> SubmitLimits:
    limits: ProjectLimits = request.app.state.limits
    return limits.of(request.state.caller.project)


async def _read(request: Request, held: ExitStack, *, most: int) -> bytes:
    """The body; room for a large one is held from before its first byte is read until ``held`` is closed."""
    _check_headers(request)
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > 18 or int(announced) > most):
        _refuse_large(most)
    whole = int(announced) if announced.isdecimal() else 0
    if whole > SMALL_BYTES:
        _hold_room(request, held, whole)
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            _refuse_large(most)
        if size > SMALL_BYTES and whole <= SMALL_BYTES:
            whole = most  # it comes in chunks, and could become as large as that
            _hold_room(request, held, whole)
        pieces.append(piece)
    return b"".join(pieces)


def _hold_room(request: Request, held: ExitStack, size: int) -> None:
    room: BodyRoom = request.app.state.body_room
    largest = _limits(request).max_body_bytes
    held.enter_context(room.taken(size, project=request.state.caller.project, largest=largest))


def _check_headers(request: Request) -> None:
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if media_type.strip().lower() != "application/json" or charset not in {"", "charset=utf-8"}:
        raise UnsupportedMediaTypeError(
            f"the body is announced as {(media_type + parameters)[:100] or 'nothing'!r}, not as JSON",
            solution="Send UTF-8 JSON with the header 'Content-Type: application/json'.",
        )
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedMediaTypeError(
            f"the body is announced as {encoding[:100]!r}-encoded", solution="Send it without Content-Encoding."
        )


def _refuse_large(limit: int) -> NoReturn:
    raise PayloadTooLargeError(
        f"the body is larger than the {limit} bytes that this service takes",
        solution="Send fewer or smaller circuits in one request.",
        details={"max_body_bytes": limit},
    )
