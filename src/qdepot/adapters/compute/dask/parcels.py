"""Tasks and outcomes as bytes, between a service and a worker.

Both are frames (see :mod:`qdepot.domain.framing`): JSON and named bytes. What Dask pickles around them is the name of
one of our functions and these bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from qdepot.adapters.compute.spool import Spool
from qdepot.domain.framing import Frame, FrameDecoder, Storage, encoded
from qdepot.errors import (
    InternalError,
    InvalidRequestError,
    QDepotError,
    ResourceLimitError,
    UnavailableError,
    error_classes,
)
from qdepot.ports.compute_pool import Lane, Limits, Payload, Task
from qdepot.ports.task_end import Outcome

_NO_LIMIT = 1 << 62
_SAYABLE = (InvalidRequestError, ResourceLimitError, UnavailableError, InternalError)


class _Kept:
    """A body that came in one piece and stays where it lies."""

    def __init__(self, size_bytes: int) -> None:
        del size_bytes
        self._body = memoryview(b"")

    def write(self, chunk: memoryview) -> None:
        """Keep a view of the whole body."""
        assert not self._body, "a parcel comes in one piece"
        self._body = chunk

    def whole(self) -> memoryview:
        """All of it, read-only."""
        return self._body.toreadonly()

    def discard(self) -> None:
        """Let go of it."""
        self._body = memoryview(b"")


def packed_task(task: Task) -> bytes:
    """A task for a worker.

    Raises:
        InternalError: The payload is not plain data and bytes.
        ResourceLimitError: Its meta is too large.
    """
    meta = {
        "operation": task.operation,
        "lane": task.lane.value,
        "owner": task.owner,
        "limits": task.limits.plain(),
        "meta": dict(task.payload.meta),
    }
    return b"".join(encoded(Frame(kind="task", meta=meta, parts=task.payload.parts)))


def unpacked_task(parcel: bytes) -> Task:
    """The task of :func:`packed_task`; its parts are views of the parcel.

    Raises:
        InternalError: It is none.
    """
    frame = _frame_of(parcel, FrameDecoder(max_body_bytes=_NO_LIMIT, storage=_Kept))
    meta = frame.meta
    try:
        return Task(
            operation=str(meta["operation"]),
            payload=Payload(meta=_mapping(meta["meta"]), parts=frame.parts),
            lane=Lane(str(meta["lane"])),
            limits=Limits.read(meta["limits"]),
            owner=str(meta["owner"]),
        )
    except (KeyError, ValueError) as error:
        raise InternalError("what came from a service is no task") from error


def packed_outcome(outcome: Outcome, *, run_s: float) -> memoryview:
    """How a task ended, for the service. A view, because Dask sends one without a copy.

    Raises:
        InternalError: It cannot be sent.
    """
    if isinstance(outcome, Payload):
        frame = Frame(kind="result", meta={"run_s": run_s, "meta": dict(outcome.meta)}, parts=outcome.parts)
    else:
        said = {
            "code": outcome.code,
            "message": outcome.message,
            "solution": outcome.solution,
            "details": outcome.details,
        }
        frame = Frame(kind="error", meta={"run_s": run_s, **said})
    return memoryview(bytearray().join(encoded(frame)))


def unpacked_outcome(
    parcel: memoryview, *, max_bytes: int, in_memory_bytes: int, folder: Path | None
) -> tuple[Outcome, float]:
    """The outcome of :func:`packed_outcome` and the seconds that a child worked on it.

    Args:
        parcel: What came.
        max_bytes: Largest result.
        in_memory_bytes: Up to this size the parts are views of the parcel; above, they lie in a mapped file.
        folder: Where that file lies.

    Raises:
        InternalError, ResourceLimitError: It is no outcome, or too large.
        OSError: It could not be stored.
    """

    def storage(size_bytes: int) -> Storage:
        return _Kept(size_bytes) if size_bytes <= in_memory_bytes else Spool(folder)

    frame = _frame_of(parcel, FrameDecoder(max_body_bytes=max_bytes, storage=storage))
    try:
        run_s = _number(frame.meta["run_s"])
        if frame.kind == "result":
            return Payload(meta=_mapping(frame.meta["meta"]), parts=frame.parts), run_s
        return _error_of(frame.meta), run_s
    except (KeyError, ValueError) as error:
        raise InternalError("what came from a worker is no outcome") from error


def _error_of(meta: Mapping[str, object]) -> QDepotError:
    error_class = error_classes().get(str(meta["code"]), InternalError)
    if not issubclass(error_class, _SAYABLE):
        error_class = InternalError
    return error_class(str(meta["message"]), solution=str(meta["solution"]), details=_mapping(meta["details"]))


def _frame_of(parcel: bytes | memoryview, decoder: FrameDecoder) -> Frame:
    try:
        frames = decoder.feed(parcel)
    finally:
        decoder.close()
    if len(frames) != 1:
        raise InternalError("what came from another machine is not one frame")
    return frames[0]


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise ValueError("not a number")
    return value
