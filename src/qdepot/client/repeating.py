"""Asking until there is an answer: what is repeated, when, and for how long."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from qdepot.client.exchange import Answer, Flow, NoAnswer, Outcome, Request, T, exchanged, paused
from qdepot.client.problems import error_of, error_without_answer, retry_after_s, strange_answer
from qdepot.errors import QDepotError, UnavailableError

_PASSING = frozenset({502, 503, 504})
_FIRST_DELAY_S = 0.25
_LONGEST_DELAY_S = 10.0


@dataclass(slots=True, kw_only=True)
class Peer:
    """What a client knows of its service, and the sources of time and chance.

    Attributes:
        url: Its root, for messages.
        reached: It has answered before: then a refused connection is a restart, not a wrong address.
        qpy_versions: Oldest and newest QPY version it reads; None as long as it was not asked or does not know.
        clock: Monotonic seconds.
        chance: Numbers in [0, 1), to spread the repeats of many clients.
    """

    url: str
    reached: bool = False
    qpy_versions: tuple[int, int] | None = None
    clock: Callable[[], float] = time.monotonic
    # Jitter, not a secret.
    chance: Callable[[], float] = field(default=random.random)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long something is tried.

    Attributes:
        attempts: At most so often; None: as often as the time allows.
        seconds: No new attempt is begun after so many seconds.
    """

    attempts: int | None = 6
    seconds: float = 60.0


def answered(peer: Peer, request: Request[T], patience: Patience | None = None) -> Flow[T]:
    """Send a request, and again where that is safe and may help; the flow's value is the parsed answer.

    Only a repeatable request is sent twice, after a lost connection or an answer that says "later". ``Retry-After`` is
    honoured.

    Raises:
        QDepotError: The last problem, once patience is at its end.
    """
    patience = patience or Patience()
    begin = peer.clock()
    attempt = 0
    while True:
        attempt += 1
        outcome = yield from exchanged(request)
        if isinstance(outcome, Answer):
            peer.reached = True
            if 200 <= outcome.status < 300:
                return _parsed(request, outcome, peer)
        error = _error(outcome, request, peer)
        delay_s = _delay_s(outcome, attempt, peer)
        exhausted = attempt == patience.attempts or peer.clock() + delay_s > begin + patience.seconds
        if exhausted or not _worth_repeating(outcome, request, peer):
            raise error
        yield from paused(delay_s)


def _parsed(request: Request[T], answer: Answer, peer: Peer) -> T:
    try:
        return request.parse(answer)
    except ValueError as error:  # not JSON, or not of the shape that was promised
        raise strange_answer(answer, url=peer.url) from error


def _worth_repeating(outcome: Outcome, request: Request[object], peer: Peer) -> bool:
    if not request.repeatable:
        return False
    if isinstance(outcome, NoAnswer):
        return not outcome.solution and (peer.reached or not outcome.refused)
    return outcome.status in _PASSING or (outcome.status == 429 and "retry-after" in outcome.headers)


def _delay_s(outcome: Outcome, attempt: int, peer: Peer) -> float:
    backoff_s = min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2.0 ** min(attempt - 1, 10)) * (0.5 + peer.chance() / 2)
    asked_s = retry_after_s(outcome) if isinstance(outcome, Answer) else None
    return backoff_s if asked_s is None else asked_s + backoff_s / 10


def _error(outcome: Outcome, request: Request[object], peer: Peer) -> QDepotError:
    if isinstance(outcome, NoAnswer):
        return error_without_answer(outcome, request=request, url=peer.url)
    error = error_of(outcome, url=peer.url)
    key = request.headers.get("Idempotency-Key")
    if key and isinstance(error, UnavailableError):
        error.details.setdefault("idempotency_key", key)
    return error
