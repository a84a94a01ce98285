"""A batch as it was sent: each job is read by itself, so that each can have an error of its own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from qdepot.archive.json_shape import JsonShape
from qdepot.archive.long_values import members_named
from qdepot.errors import QDepotError
from qdepot.server.bodies import validated
from qdepot.server.v1.orders import order_of
from qdepot.services.orders import JobOrder, Submitted

MAX_JOBS = 1000


class _Envelope(BaseModel):
    """A batch whose jobs are not looked into."""

    model_config = ConfigDict(extra="forbid")

    atomic: bool = True
    jobs: list[Any] = Field(min_length=1, max_length=MAX_JOBS)


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """What a batch says.

    Attributes:
        atomic: All are accepted, or none.
        outcomes: Per job its order, or what is wrong with it.
    """

    atomic: bool
    outcomes: list[JobOrder | Submitted | QDepotError]


def read_batch(raw: bytes) -> ReadBatch:
    """Read a batch.

    Args:
        raw: Valid JSON.

    Raises:
        InvalidRequestError: It is no batch, or is atomic and one of its jobs is wrong; ``details["job"]`` says which.
    """
    shape = JsonShape(raw, depth=2)
    lists = [jobs for jobs in members_named(shape, "jobs") if raw[jobs.start : jobs.start + 1] == b"["]
    members = (item for jobs in lists for item in shape.members(jobs.start, level=2))
    items = [raw[item.start : item.end] for item in islice(members, MAX_JOBS + 1)]
    atomic = validated(_Envelope, _without_jobs(raw, shape, len(items))).atomic
    return ReadBatch(atomic, [_order_or_error(item, place, atomic=atomic) for place, item in enumerate(items)])


def _without_jobs(raw: bytes, shape: JsonShape, count: int) -> bytes:
    """The batch with a short value in the place of each job."""
    for jobs in members_named(shape, "jobs"):
        if raw[jobs.start : jobs.start + 1] == b"[":
            return b"%b[%b]%b" % (raw[: jobs.start], b",".join([b"0"] * count), raw[jobs.end :])
    return raw


def _order_or_error(item: bytes, place: int, *, atomic: bool) -> JobOrder | QDepotError:
    try:
        return order_of(item)
    except QDepotError as error:
        error.details["job"] = place
        if atomic:
            error.message = f"job {place}: {error.message}"
            raise
        return error.bare()
