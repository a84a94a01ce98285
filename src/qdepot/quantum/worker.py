"""What a forked child does: take a task from its channel, run the operation, send back what came of it."""

from __future__ import annotations

import importlib
import json
import socket
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from qdepot.domain.framing import Frame, FrameDecoder, encoded
from qdepot.errors import InternalError, MemoryLimitExceededError, QDepotError, UnavailableError
from qdepot.ports.compute_pool import Limits, Payload
from qdepot.quantum import sandbox

Operation = Callable[[Payload], Payload]

EXIT_OUT_OF_MEMORY = 77
"""How a child ends that has not even the memory to say so."""

_CHUNK_BYTES = 256 * 1024
_MAX_REQUEST_BYTES = 1 << 40  # the service is trusted, and has limits of its own
_MAX_DETAILS_BYTES = 16 * 1024
_MAX_MESSAGE = 4000
_MAX_TRACE = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What children can do.

    Attributes:
        operations: ``module:function`` by name; the functions take and return a ``Payload``.
        preload: ``module:function`` that the supervisor calls before it forks; it imports what operations need.
    """

    operations: Mapping[str, str]
    preload: str | None = None


def named(place: str) -> Callable[..., object]:
    """The function at ``module:function``.

    Raises:
        ImportError: There is no such module, or it needs one that is not installed.
    """
    module, _, name = place.partition(":")
    found = getattr(importlib.import_module(module), name)
    assert callable(found)
    return found  # type: ignore[no-any-return] # callable() narrows Any to Any


@dataclass(slots=True, kw_only=True)
class Worker:
    """The loop of one child.

    Attributes:
        channel: To the service.
        table: What it can do.
        problem: Why nothing can be done here, if so; the answer to every task.
    """

    channel: socket.socket
    table: Table
    problem: str | None = None
    _confined: bool = field(default=False, init=False)

    def serve(self) -> None:
        """Work until the service closes the channel."""
        ready = {"resident_bytes": sandbox.memory().resident_bytes, "problem": self.problem}
        self._send(encoded(Frame(kind="ready", meta=ready)))
        for frame in self._frames():
            self._send(self._reply_to(frame))

    def _frames(self) -> Iterator[Frame]:
        decoder = FrameDecoder(max_body_bytes=_MAX_REQUEST_BYTES)
        buffer = memoryview(bytearray(_CHUNK_BYTES))
        while size := self.channel.recv_into(buffer):
            yield from decoder.feed(buffer[:size])

    def _send(self, pieces: list[memoryview]) -> None:
        for piece in pieces:
            self.channel.sendall(piece)

    def _reply_to(self, frame: Frame) -> list[memoryview]:
        """The frame that answers a task; whatever goes wrong is part of it."""
        try:
            return self._carried_out(frame)
        except MemoryError:
            failure = _failure(MemoryLimitExceededError())
        except QDepotError as error:
            failure = _failure(error)
        except BaseException as error:  # a panic in native code is no Exception
            reached = sandbox.limit_reached(error)
            failure = _unexpected(error) if reached is None else _failure(reached)
        return encoded(Frame(kind="error", number=frame.number, meta=failure))

    def _carried_out(self, frame: Frame) -> list[memoryview]:
        order = _Order.read(frame)
        if not self._confined:
            sandbox.confine(order.limits)
            self._confined = True
        sandbox.allow_cpu_time(order.limits)
        payload = self._operation(order.operation)(order.payload)
        if not isinstance(payload, Payload):
            raise InternalError(f"operation {order.operation!r} gave back a {type(payload).__name__}")
        meta = {"meta": dict(payload.meta), "resident_bytes": sandbox.memory().resident_bytes}
        return encoded(Frame(kind="result", number=frame.number, meta=meta, parts=payload.parts))

    def _operation(self, name: str) -> Callable[..., object]:
        if self.problem is not None:
            raise UnavailableError(
                f"nothing can be run here: {self.problem}",
                solution="Install what is missing (the extras `server` and `aer`, libseccomp) and restart the "
                "service; or see the setting `sandbox`.",
            )
        if name not in self.table.operations:
            known = ", ".join(sorted(self.table.operations))
            raise InternalError(f"children have no operation {name!r}; they have: {known}")
        return named(self.table.operations[name])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    operation: str
    payload: Payload
    limits: Limits

    @classmethod
    def read(cls, frame: Frame) -> _Order:
        """What the service ordered. It is trusted: a wrong shape is our bug and shows as one."""
        operation, meta = frame.meta["operation"], frame.meta["meta"]
        assert isinstance(operation, str)
        assert isinstance(meta, dict)
        payload = Payload(meta=meta, parts=frame.parts)
        return cls(operation=operation, payload=payload, limits=Limits.read(frame.meta["limits"]))


def _failure(error: QDepotError) -> dict[str, object]:
    """An error as plain data that fits into any frame."""
    return {
        "code": error.code,
        "message": error.message[:_MAX_MESSAGE],
        "solution": error.solution[:_MAX_MESSAGE],
        "details": _plain(error.details),
    }


def _plain(details: Mapping[str, object]) -> dict[str, object]:
    try:
        text = json.dumps(dict(details), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return {}
    return json.loads(text) if len(text) <= _MAX_DETAILS_BYTES else {}


def _unexpected(error: BaseException) -> dict[str, object]:
    """A failure that should not be: its kind and the lines of code, but not its words, which may quote a program."""
    kind = type(error).__name__
    trace = traceback.extract_tb(error.__traceback__)[-_MAX_TRACE:]
    failure = _failure(InternalError(f"the operation failed with {kind}"))
    return {**failure, "trace": [f"{line.filename}:{line.lineno} {line.name}" for line in trace]}
