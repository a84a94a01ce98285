"""What stands behind the question mark."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from qdepot.wire.answers import WireStatus
from qdepot.wire.moments import Moment
from qdepot.wire.requests import Name, Tag
from qdepot.wire.tokens import ProjectName

MAX_WAIT_S = 60.0
MAX_PAGE = 200


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StatusQuery(_Query):
    """How long to wait, and for what."""

    wait: float = Field(
        default=0,
        ge=0,
        le=MAX_WAIT_S,
        allow_inf_nan=False,
        description="Answer when the job is final, or after so many seconds.",
    )
    known: WireStatus | None = Field(
        default=None, description="While waiting, answer also as soon as the status is not this one."
    )
    known_circuits: int | None = Field(
        default=None, ge=0, description="While waiting, answer also as soon as more circuits than so many are done."
    )


class EventsQuery(_Query):
    """Which events."""

    after: int = Field(default=0, ge=0, le=2**63 - 1, description="Only events with a greater `number`.")


class TokensQuery(_Query):
    """Whose tokens."""

    project: ProjectName | None = Field(default=None, description="Another project; for `service:admin`.")


class RevokeQuery(_Query):
    """What is revoked beside a token."""

    derived: bool | None = Field(
        default=None,
        description="Also the tokens that were made with it, and with those, in projects whose tokens you manage. "
        "Default: if it is a token that expires.",
    )


class ListQuery(_Query):
    """Which jobs, and which page of them."""

    status: list[WireStatus] = Field(
        default_factory=list, max_length=7, description="May be repeated; CANCELLING only alone."
    )
    backend: Name | None = None
    name: Name | None = None
    tag: Tag | None = None
    created_from: Moment | None = Field(default=None, description="At or after; with time zone.")
    created_before: Moment | None = Field(default=None, description="Before; with time zone.")
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)
    cursor: str | None = Field(default=None, max_length=500, description="`next_cursor` of the page before.")
