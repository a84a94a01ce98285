"""JSON as RFC 8259 means it, where lenient readers differ.

Little is imported here: a process is started for each large body.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from qdepot.errors import InvalidRequestError

MAX_KEYS = 10_000
"""Most keys of one object. What is wrong with each of many could take minutes to put together."""

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<half>u[dD][89a-fA-F])|.)")
"""An escape in a string: a whole surrogate pair, half of one, or another."""


def decode(raw: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Read JSON: no NaN, no infinity, no key twice, only UTF-8, no half of a surrogate pair.

    Raises:
        InvalidRequestError: It is something else; says where.
    """
    try:
        value = _STRICT.decode(raw.decode())
        _refuse_half_pairs(raw)
    except UnicodeDecodeError as error:
        raise _not_json(f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _not_json(error.msg, line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise _not_json("it is nested too deeply") from None
    except ValueError as error:
        raise _not_json(str(error)[:300]) from None
    return value


def _refuse_half_pairs(raw: bytes) -> None:
    """Raise ValueError for an escaped surrogate without its other half, in JSON that is valid otherwise."""
    if _SURROGATE.search(raw) and any(escape["half"] for escape in _ESCAPE.finditer(raw)):
        raise ValueError("a string holds half of a surrogate pair (invalid hex escape), which is no character")


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
