"""Request bodies: read with a limit, kept to the letter, checked strictly."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Annotated, Any, NoReturn, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from qdepot.errors import InvalidRequestError, PayloadTooLargeError
from qdepot.server.errors import UnsupportedMediaTypeError, from_validation
from qdepot.services.orders import ProjectLimits

ModelT = TypeVar("ModelT", bound=BaseModel)

MAX_KEYS = 10_000
"""Most keys of one object. What is wrong with each of many could take minutes to put together."""

_SPACE = re.compile(r"[ \t\n\r]*")


async def read_body(request: Request) -> bytes:
    """The body of a request, as it came.

    Raises:
        UnsupportedMediaTypeError: It is not announced as plain UTF-8 JSON.
        PayloadTooLargeError: It is longer than the caller's project may send; reading stops there.
    """
    _check_headers(request)
    limits: ProjectLimits = request.app.state.limits
    limit = limits.of(request.state.caller.project).max_body_bytes
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        _refuse_large(limit)
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            _refuse_large(limit)
        pieces.append(piece)
    return b"".join(pieces)


RawBody = Annotated[bytes, Depends(read_body)]


def parse(model: type[ModelT], raw: bytes) -> ModelT:
    """Read a JSON document strictly and check it against a model.

    Raises:
        InvalidRequestError: It is not JSON, has a key twice or a number that is none, or does not fit the model; says
            where.
    """
    decode(raw)
    return validated(model, raw)


def validated(model: type[ModelT], raw: bytes) -> ModelT:
    """Check a document that :func:`decode` has passed against a model.

    Raises:
        InvalidRequestError: It does not fit; says where.
    """
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise from_validation(error) from None


def decode(raw: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Read JSON as RFC 8259 means it, where lenient readers differ: no NaN, no infinity, no key twice, only UTF-8.

    Raises:
        InvalidRequestError: It is something else; says where.
    """
    try:
        return _STRICT.decode(raw.decode())
    except UnicodeDecodeError as error:
        raise _not_json(f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _not_json(error.msg, line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise _not_json("it is nested too deeply") from None
    except ValueError as error:
        raise _not_json(str(error)[:300]) from None


def items_of(raw: bytes, name: str) -> Iterator[bytes]:
    """The elements of the array ``name`` of a decoded document, each as it was sent.

    Args:
        raw: A JSON object that :func:`decode` has passed.
        name: Of one of its members, an array.
    """
    text = raw.decode()
    for key, start, _ in _members(text, _skip(text, 0)):
        if key == name:
            for _, begin, end in _members(text, start):
                yield text[begin:end].encode()


def _members(text: str, start: int) -> Iterator[tuple[str, int, int]]:
    """Per member of the object or array at ``start``: its key (empty in an array) and where its value lies."""
    named = text[start] == "{"
    position = _skip(text, start + 1)
    while text[position] not in "]}":
        key = ""
        if named:
            key, position = _STRICT.raw_decode(text, position)
            position = _skip(text, _skip(text, position) + 1)
        _, end = _STRICT.raw_decode(text, position)
        yield key, position, end
        position = _skip(text, end)
        if text[position] == ",":
            position = _skip(text, position + 1)


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


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


def _not_json(why: str, **place: int) -> InvalidRequestError:
    where = f" at line {place['line']}, column {place['column']}" if place else ""
    return InvalidRequestError(
        f"the body is not valid JSON: {why}{where}", solution="Send one JSON object, as RFC 8259 has it.", details=place
    )


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(pairs) > MAX_KEYS:
        raise ValueError(f"an object has {len(pairs)} keys, and at most {MAX_KEYS} are taken")
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:100]!r} stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {digits[:40]} is out of range")
    return number


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
