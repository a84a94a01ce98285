"""Where a page of jobs ended, in the opaque form that callers carry around."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from qdepot.errors import InvalidRequestError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGEST_CHARS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The last job that a page showed; the next page begins behind it."""

    created_at: datetime
    job_id: str


def cursor_of(position: Position) -> str:
    """The position as base64 text of JSON, with a digest that tells a mangled cursor from one of ours."""
    micros = (position.created_at - _EPOCH) // timedelta(microseconds=1)
    place = json.dumps([micros, position.job_id], separators=(",", ":"))
    return base64.urlsafe_b64encode(f"{_digest(place)}{place}".encode()).decode().rstrip("=")


def position_of(cursor: str) -> Position:
    """The position that :func:`cursor_of` made a cursor from.

    Raises:
        InvalidRequestError: The cursor is not one of ours.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        digest, place = text[:_DIGEST_CHARS], text[_DIGEST_CHARS:]
        if digest != _digest(place):
            raise _not_ours()
        micros, job_id = json.loads(place)
        if not isinstance(job_id, str):
            raise _not_ours()
        position = Position(created_at=_EPOCH + timedelta(microseconds=micros), job_id=job_id)
    except (ValueError, TypeError, OverflowError):
        raise _not_ours() from None
    if cursor_of(position) != cursor:  # other spellings of the same bytes are not ours either
        raise _not_ours()
    return position


def _digest(place: str) -> str:
    return hashlib.sha256(place.encode()).hexdigest()[:_DIGEST_CHARS]


def _not_ours() -> InvalidRequestError:
    return InvalidRequestError(
        "This cursor was not given out by this service.",
        solution="Pass on the cursor of the last page unchanged, or leave it out to begin at the newest job.",
    )
