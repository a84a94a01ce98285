"""Which jobs a user means: by id, by the beginning or end of an id, by name, or the newest one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from qdepot.errors import ConflictError, InvalidRequestError, NotFoundError

if TYPE_CHECKING:
    from qdepot.client.client import Client
    from qdepot.wire.answers import JobAnswer

SEARCHED_JOBS = 1000
"""How many of the newest jobs are searched for a shortened id."""

_WHOLE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PART_OF_ID = re.compile(r"[0-9a-f-]{4,35}", re.IGNORECASE)
_SHOWN = 5


def one_id(client: Client, text: str | None, *, last: bool) -> str:
    """The id of the one job that a user means. Raises as :func:`all_ids`."""
    return all_ids(client, [] if text is None else [text], last=last)[0]


def all_ids(client: Client, texts: Sequence[str] | None, *, last: bool) -> list[str]:
    """The ids of the jobs that a user means.

    A text that matches no job is returned as it is, so that the service's own answer tells about it.

    Args:
        client: Of the service.
        texts: Ids, parts of ids, or names.
        last: The newest job is meant, instead of ``texts``.

    Raises:
        InvalidRequestError: No job is named, or some are named and ``last`` is set.
        ConflictError: A text fits several jobs; the message lists the newest of them.
        NotFoundError: There are no jobs at all.
    """
    if last == bool(texts):
        raise InvalidRequestError("name a job by its id or name, or give --last for the newest one")
    if last:
        return [_newest(client)]
    return [_id_of(client, text) for text in texts or ()]


def _newest(client: Client) -> str:
    for job in client.job_answers(limit=1):
        return job.id
    raise NotFoundError("there are no jobs", solution="Submit one: qdepot submit circuit.qasm")


def _id_of(client: Client, text: str) -> str:
    if _WHOLE_ID.fullmatch(text):
        return text
    found = list(client.job_answers(name=text, limit=_SHOWN + 1))
    if not found and _PART_OF_ID.fullmatch(text):
        part = text.lower()
        newest = client.job_answers(limit=SEARCHED_JOBS)
        found = [job for job in newest if job.id.startswith(part) or job.id.endswith(part)]
    if len(found) > 1:
        raise _ambiguous(text, found)
    return found[0].id if found else text


def _ambiguous(text: str, found: Sequence[JobAnswer]) -> ConflictError:
    shown = ", ".join(f"{job.id} ({job.status})" for job in found[:_SHOWN])
    more = " and more" if len(found) > _SHOWN else ""
    return ConflictError(
        f"{text!r} fits several jobs: {shown}{more}", solution="Repeat the command with the id of one of them."
    )
