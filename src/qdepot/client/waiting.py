"""Waiting for jobs, through lost connections and restarts of the service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from qdepot.client import requests
from qdepot.client.exchange import Flow, Request, T, paused
from qdepot.client.repeating import Patience, Peer, answered
from qdepot.domain.job import JobStatus, canonical_job_id
from qdepot.errors import JobFailedError, NotFoundError, UnavailableError, WaitTimeoutError
from qdepot.wire.answers import JobAnswer, StatusAnswer

LONG_POLL_S = 30.0
"""How long one request for a status is held open."""
OUTAGE_S = 600.0
"""A wait gives up once the service has not answered for so long."""
MOST_IDS = 1000
"""Ids in one request for statuses."""

_FINAL = frozenset(status.value for status in JobStatus if status.is_final)
_SHORTEST_ROUND_S = 0.2
_LONGEST_ROUND_S = 2.0

OnStatus = Callable[[StatusAnswer], object]
OnStatuses = Callable[[Mapping[str, StatusAnswer]], object]


def is_final(status: str) -> bool:
    """True if a job of this status never changes again."""
    return status in _FINAL


def until_final(
    peer: Peer, job_id: str, *, timeout_s: float | None = None, on_status: OnStatus, every_change: bool = False
) -> Flow[StatusAnswer]:
    """Wait until a job is final.

    Args:
        peer: The service.
        job_id: Which job.
        timeout_s: Longest wait in seconds; None: as long as it takes.
        on_status: Called with each status that comes and differs from the last.
        every_change: Ask for every change of status and of the circuits that are done, not for the end alone.

    Raises:
        WaitTimeoutError: It is not final yet.
        UnavailableError: The service has not answered for ten minutes.
        NotFoundError: There is no such job.
    """
    deadline = None if timeout_s is None else peer.clock() + timeout_s
    known: StatusAnswer | None = None
    while True:
        begin = peer.clock()
        wait_s = LONG_POLL_S if deadline is None else max(0.0, min(LONG_POLL_S, deadline - begin))
        request = _look(job_id, wait_s, known) if every_change else requests.job_status(job_id, wait_s=wait_s)
        answer = yield from _patiently(peer, request, deadline=deadline, what=f"job {job_id}")
        if answer != known:
            on_status(answer)
        if is_final(answer.status):
            return answer
        _check_deadline(peer, deadline, timeout_s, what=f"job {job_id} is {answer.status}, not final,")
        # A service, or something before it, that does not hold requests open is not asked without a break.
        if known is not None:
            yield from paused(_SHORTEST_ROUND_S - (peer.clock() - begin))
        known = answer


def all_until_final(
    peer: Peer, job_ids: Sequence[str], *, timeout_s: float | None = None, on_statuses: OnStatuses | None = None
) -> Flow[dict[str, StatusAnswer]]:
    """Wait until all of these jobs are final; the flow's value has their last statuses by id, in order.

    Args:
        peer: The service.
        job_ids: Which jobs.
        timeout_s: Longest wait in seconds; None: as long as it takes.
        on_statuses: Called after each round with all that is known.

    Raises:
        WaitTimeoutError: Not all are final yet.
        NotFoundError: One of them does not exist.
        UnavailableError: The service has not answered for ten minutes.
    """
    deadline = None if timeout_s is None else peer.clock() + timeout_s
    known: dict[str, StatusAnswer] = {}
    round_s = _SHORTEST_ROUND_S
    while True:
        open_ids = [one for one in job_ids if one not in known or not is_final(known[one].status)]
        known.update((yield from statuses(peer, open_ids, deadline=deadline)))
        if on_statuses:
            on_statuses(known)
        left = sum(not is_final(status.status) for status in known.values())
        if not left:
            return {one: known[one] for one in job_ids}
        _check_deadline(peer, deadline, timeout_s, what=f"{left} of {len(job_ids)} jobs are not final")
        until_s = round_s if deadline is None else min(round_s, deadline - peer.clock())
        yield from paused(until_s)
        round_s = min(_LONGEST_ROUND_S, round_s * 1.5)


def statuses(peer: Peer, job_ids: Sequence[str], *, deadline: float | None = None) -> Flow[dict[str, StatusAnswer]]:
    """The statuses of any number of jobs, by id, in the order of the ids.

    Raises:
        NotFoundError: One of them does not exist.
    """
    found: dict[str, StatusAnswer] = {}
    ids = {one: canonical_job_id(one) for one in job_ids}
    asked = list(dict.fromkeys(one for one in ids.values() if one is not None))
    for begin in range(0, len(asked), MOST_IDS):
        request = requests.job_statuses(asked[begin : begin + MOST_IDS])
        answers = yield from _patiently(peer, request, deadline=deadline, what="the jobs")
        found.update({answer.id: answer for answer in answers})
    missing = [one for one, known_as in ids.items() if known_as not in found]
    if missing:
        raise NotFoundError(
            f"there is no job {missing[0]}" + (f", nor {len(missing) - 1} more" if len(missing) > 1 else ""),
            solution="List what there is: client.jobs(), or `qdepot jobs`.",
            details={"ids": missing},
        )
    return {one: found[known_as] for one, known_as in ids.items() if known_as is not None}


def once_completed(
    peer: Peer, job_id: str, request: Request[T], *, timeout_s: float | None = None, on_status: OnStatus
) -> Flow[T]:
    """Wait for a job, then send the request that needs its result.

    Raises:
        JobFailedError: It ended without one.
        WaitTimeoutError: It is not final yet.
    """
    status = yield from until_final(peer, job_id, timeout_s=timeout_s, on_status=on_status)
    if status.status != JobStatus.COMPLETED:
        raise failed((yield from answered(peer, requests.job_details(job_id))))
    return (yield from answered(peer, request))


def failed(job: JobAnswer) -> JobFailedError:
    """The error for a job that ended without a result."""
    details: dict[str, object] = {"id": job.id, "status": job.status, "circuits_done": job.circuits_done}
    hint = f" Of its first {job.circuits_done} circuits there are results: result(partial=True)."
    hint = hint if job.circuits_done else ""
    if job.failure is None:
        return JobFailedError(
            f"job {job.id} was cancelled" if job.status == JobStatus.CANCELLED else f"job {job.id} is {job.status}",
            solution=f"Submit it again if its result is wanted.{hint}",
            details=details,
        )
    return JobFailedError(
        f"job {job.id} failed: {job.failure.message}",
        solution=f"{job.failure.solution}{hint}".strip(),
        details={**details, "failure": job.failure.model_dump(mode="json")},
    )


def _look(job_id: str, wait_s: float, known: StatusAnswer | None) -> Request[StatusAnswer]:
    if known is None:
        return requests.job_status(job_id)
    return requests.job_status(job_id, wait_s=wait_s, known=known.status, known_circuits=known.circuits_done)


def _patiently(peer: Peer, request: Request[T], *, deadline: float | None, what: str) -> Flow[T]:
    left_s = OUTAGE_S if deadline is None else min(OUTAGE_S, deadline - peer.clock())
    try:
        return (yield from answered(peer, request, Patience(attempts=None, seconds=left_s)))
    except UnavailableError as error:
        if deadline is None or left_s == OUTAGE_S or not peer.reached:
            raise
        raise WaitTimeoutError(
            f"the time is over, and the service does not answer: {error.message}",
            solution=f"Ask for {what} again later; the service keeps on working on what it has accepted.",
        ) from error


def _check_deadline(peer: Peer, deadline: float | None, timeout_s: float | None, *, what: str) -> None:
    if deadline is not None and peer.clock() >= deadline:
        raise WaitTimeoutError(
            f"{what} after {timeout_s:g} s", solution="It goes on. Wait longer, or come back later with its id."
        )
