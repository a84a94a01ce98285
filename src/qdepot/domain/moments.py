"""The moments and lengths of time that qdepot takes from outside."""

from __future__ import annotations

from datetime import UTC, datetime

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9998, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
"""A year before the last moment that Python can express, so that it can be shown in every time zone."""

LONGEST_S = 1e9
"""The longest time that can be set, in seconds: about 31 years. Waiting for longer fails in Python's library."""


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC.

    Raises:
        ValueError: It has no time zone, or lies before :data:`EARLIEST` or after :data:`LATEST`.
    """
    if moment.utcoffset() is None:
        raise ValueError("should have a time zone")
    try:
        converted = moment.astimezone(UTC)
    except OverflowError:
        converted = None
    if converted is None or not EARLIEST <= converted <= LATEST:
        raise ValueError(f"should be a time from {EARLIEST:%Y-%m-%d} to {LATEST:%Y-%m-%d}, UTC")
    return converted
