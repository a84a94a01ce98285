"""Plain JSON of what the archive writes: times as UTC text, mappings as objects, no NaN."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


def json_text(value: object) -> str:
    """JSON on one line that every reader takes: numbers that are not finite become null."""
    if (word := _WORDS.get(type(value))) is not None:
        return word(value)
    try:
        return _ENCODER.encode(value)
    except ValueError:
        return _ENCODER.encode(_finite(value))


def json_lines(document: Mapping[str, object]) -> bytes:
    """The same for people to look at: a line for each member (of a plain name), and for each item of a list.

    The standard library's own indenting is written in Python, and was ten times slower.
    """
    members = ",\n".join(f' "{name}": {_items(value)}' for name, value in document.items())
    return encoded(f"{{\n{members}\n}}\n")


def encoded(text: str) -> bytes:
    """JSON text in UTF-8. Half of a surrogate pair, which UTF-8 cannot hold, becomes JSON's own escape of it."""
    return text.encode(errors="backslashreplace")


def time_text(at: datetime) -> str:
    """A time as the archive writes it, e.g. ``2026-01-31T23:59:59.000000Z``."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def time_of(text: str) -> datetime:
    """The time that :func:`time_text` wrote."""
    return datetime.fromisoformat(text)


def _items(value: object) -> str:
    if not isinstance(value, list) or not value:
        return json_text(value)
    items = ",\n".join(f"  {json_text(item)}" for item in value)
    return f"[\n{items}\n ]"


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON data")


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_finite(item) for item in value]
    return value


_WORDS: Mapping[type, Callable[[Any], str]] = {
    type(None): lambda _: "null",
    bool: lambda value: "true" if value else "false",
    int: str,
    datetime: lambda at: f'"{time_text(at)}"',
}
"""What needs no encoder: most members of a document are such, and an encoder takes longer to start than to work."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_plain)
