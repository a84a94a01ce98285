"""Which jobs a list shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from qdepot.errors import InvalidRequestError

PAGE = 100
"""Jobs asked for at a time."""


class JobFilters(TypedDict, total=False):
    """What a list of jobs can be narrowed by; what is left out does not matter.

    Keys:
        status: One status, or several.
        backend, name: Exactly.
        tag: Among the job's tags.
        created_from, created_before: At or after, before; times with a zone.
    """

    status: str | Sequence[str] | None
    backend: str | None
    name: str | None
    tag: str | None
    created_from: datetime | None
    created_before: datetime | None


def wire_filters(filters: JobFilters) -> Mapping[str, str | Sequence[str] | None]:
    """The filters as they are sent.

    Raises:
        InvalidRequestError: A time has no zone.
    """
    return {
        "status": filters.get("status"),
        "backend": filters.get("backend"),
        "name": filters.get("name"),
        "tag": filters.get("tag"),
        "created_from": _time(filters.get("created_from")),
        "created_before": _time(filters.get("created_before")),
    }


def page_size(limit: int | None, seen: int) -> int:
    """How many jobs to ask for next; 0 once there are enough."""
    return PAGE if limit is None else max(0, min(PAGE, limit - seen))


def _time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise InvalidRequestError(
            f"the time {moment} has no zone", solution="Use aware times, e.g. datetime.now(timezone.utc)."
        )
    return moment.isoformat()
