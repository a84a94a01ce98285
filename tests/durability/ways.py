"""The ways that jobs go in the crash matrix, and the points at which a process dies on each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from durability.cases import Way
from durability.kill_points import ACCEPT, CANCEL, CLEAN, COLLECT, DELETE, FAIL, HERE, PARTS, REMOTE, RENAME, SEND
from durability.lab import Lab, is_settled
from qdepot.domain.job import Job, JobStatus


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the matrix.

    Attributes:
        way: What happens.
        cloud: Which cloud: one that takes a ``key``, is searched by ``tag``, or can do ``neither``.
        points: Where the process dies, a case each.
        passes: All calls that the way makes, those included.
        sent: How often the cloud must have got the job.
    """

    way: Way
    cloud: str = "key"
    points: Sequence[str]
    passes: Sequence[str]
    sent: int = 1


def cases_of(rows: Sequence[Row]) -> list[Any]:
    """What a test runs over. A moment before a call is the moment after the one before it, as far as anybody outside
    can tell; so those are left to the long run."""
    return [
        pytest.param(row, point, id=f"{row.way.name}-{point}", marks=[pytest.mark.slow] * point.startswith("before"))
        for row in rows
        for point in row.points
    ]


def _is_queued(job: Job) -> bool:
    return job.status is JobStatus.QUEUED or is_settled(job)


def _cancel(lab: Lab, job_id: str) -> None:
    _is_fine(lab.ask("POST", f"/v1/jobs/{job_id}/cancel"), 200, 202)


def _rename(lab: Lab, job_id: str) -> None:
    _is_fine(lab.ask("PATCH", f"/v1/jobs/{job_id}", json={"name": "another"}), 200)


def _delete(lab: Lab, job_id: str) -> None:
    _is_fine(lab.ask("DELETE", f"/v1/jobs/{job_id}"), 204, 410)


def _is_fine(answer: httpx.Response, *codes: int) -> None:
    assert answer.status_code in codes, answer.text


ROWS = [
    Row(way=Way(name="key"), points=REMOTE, passes=REMOTE),
    Row(way=Way(name="tag"), cloud="tag", points=SEND, passes=REMOTE),
    Row(way=Way(name="neither"), cloud="neither", points=SEND, passes=REMOTE),
    Row(way=Way(name="here", backend="aer"), points=HERE, passes=[*REMOTE, *HERE], sent=0),
    Row(
        way=Way(name="in parts", backend="aer", circuits=12, takes_s=0.1),
        points=PARTS,
        passes=[*REMOTE, *HERE, *PARTS],
        sent=0,
    ),
    Row(
        way=Way(
            name="cancelled",
            says="Queued",
            ends=frozenset({JobStatus.CANCELLED}),
            goes_to=_is_queued,
            then=_cancel,
        ),
        points=CANCEL,
        passes=[*REMOTE, *CANCEL],
    ),
    Row(
        way=Way(name="failed", says="Failed", ends=frozenset({JobStatus.FAILED})),
        points=FAIL,
        passes=[*REMOTE, *FAIL],
    ),
    Row(way=Way(name="renamed", then=_rename), points=RENAME, passes=[*REMOTE, *RENAME]),
    Row(way=Way(name="deleted", then=_delete), points=DELETE, passes=[*REMOTE, *DELETE]),
]
"""SQLite and a local folder."""

BIG_ROWS = [
    Row(way=Way(name="key"), points=[*ACCEPT, *COLLECT, *CLEAN], passes=REMOTE),
    Row(way=Way(name="tag"), cloud="tag", points=SEND, passes=REMOTE),
]
"""PostgreSQL and S3: what touches them."""

IN_DOUBT = set(SEND[SEND.index("after ledger.save CREATED/submitting") : SEND.index("after pending.create receipt")])
"""Between the stored intent and the stored receipt nobody can tell whether a cloud that can do neither has the job."""

CERTAINLY_IN_DOUBT = {"after ledger.save CREATED/submitting", "after cloud.submit"}
"""Two of them that no other thread can come to first."""
