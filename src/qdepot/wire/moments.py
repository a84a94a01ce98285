"""Moments on the wire."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from qdepot.domain.moments import in_utc

_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


def _written(value: object) -> object:
    """Let no number pass: pydantic would take it for seconds, or milliseconds, since 1970."""
    if isinstance(value, int | float) or (isinstance(value, str) and not _WRITTEN.match(value)):
        raise ValueError("should be a time as of RFC 3339, like 2030-01-01T12:00:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(in_utc)]
"""A time with its zone, as of RFC 3339, from 1970 to 9998; read as the same moment in UTC."""
