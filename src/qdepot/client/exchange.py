"""A talk with the service as plain data: what is asked, what is answered, and the pauses between.

Whatever the client does is written once, as a :data:`Flow`: a generator that yields requests and pauses and is sent
what came of them. It does no input or output itself, so that the blocking and the ``async`` client run the same flows.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the service sent back.

    Attributes:
        status: HTTP status.
        headers: By lower-case name.
        body: The bytes, decompressed.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """The connection gave none.

    Attributes:
        reason: What went wrong, in the words of the transport.
        refused: Nothing was sent, because no connection came about.
        solution: What to do, where the reason tells; else empty, and a repeat may help.
    """

    reason: str
    refused: bool = False
    solution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Generic[T_co]):
    """One call of the service.

    Attributes:
        parse: Makes the result from a good answer.
        method, path, params, headers, body: As they are sent; the path begins below the service's root.
        repeatable: A repeat does no harm: it changes nothing, or the service recognises it.
        may_lead_elsewhere: An answer 307 is followed, without anything that tells who asks; else it is an error.
        read_timeout_s: Longest silence in seconds that is still waiting and not a lost connection.
    """

    parse: Callable[[Answer], T_co]
    method: str = "GET"
    path: str
    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    repeatable: bool = False
    may_lead_elsewhere: bool = False
    read_timeout_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for a while."""

    seconds: float


Outcome: TypeAlias = Answer | NoAnswer
Step: TypeAlias = Request[object] | Pause
Flow: TypeAlias = Generator[Step, Outcome | None, T]


def exchanged(request: Request[object]) -> Flow[Outcome]:
    """Send one request; the flow's value is what came of it."""
    outcome = yield request
    assert outcome is not None, "a request is answered by an outcome"
    return outcome


def paused(seconds: float) -> Flow[None]:
    """Wait; at least not a negative time."""
    yield Pause(max(0.0, seconds))
