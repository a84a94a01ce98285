"""A task on its way to a child."""

from __future__ import annotations

from dataclasses import dataclass

from qdepot.adapters.compute.handle import Handle
from qdepot.domain.framing import Frame, encoded
from qdepot.ports.compute_pool import Lane, Limits, Task

Serves = tuple[str, int, int, int]
"""What a child is bound to with its first task: an owner, and limits of memory, files' size and open files."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Order:
    """A task as the pool keeps it.

    Attributes:
        number: Unique in the pool; stands in the request and in the answer.
        lane, owner, limits: Of the task.
        request: The bytes for the child, to be sent one after the other.
        handle: What the caller holds.
    """

    number: int
    lane: Lane
    owner: str
    limits: Limits
    request: list[memoryview]
    handle: Handle

    @property
    def serves(self) -> Serves:
        """What a child must be bound to in order to take it."""
        return self.owner, self.limits.memory_bytes, self.limits.file_bytes, self.limits.open_files

    @classmethod
    def of(cls, task: Task, *, number: int, handle: Handle) -> Order:
        """Make it of a task.

        Raises:
            InternalError: The payload cannot be sent.
        """
        meta = {
            "operation": task.operation,
            "limits": task.limits.plain(),
            "meta": dict(task.payload.meta),
        }
        frame = Frame(kind="run", number=number, meta=meta, parts=task.payload.parts)
        return cls(
            number=number,
            lane=task.lane,
            owner=task.owner,
            limits=task.limits,
            request=encoded(frame),
            handle=handle,
        )
