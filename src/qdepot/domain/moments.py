"""The moments that qdepot takes from outside and can store, convert and show in every time zone."""

from __future__ import annotations

from datetime import UTC, datetime

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9998, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
"""A year before the last moment that Python can express, so that each time zone can express it too."""


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
