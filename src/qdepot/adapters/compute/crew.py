"""The children of one lane, and who of them works on what next."""

from __future__ import annotations

from collections.abc import Iterator

from qdepot.adapters.compute.child_link import ChildLink, ChildState
from qdepot.adapters.compute.fair_queue import FairQueue
from qdepot.adapters.compute.orders import Order

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0


class Crew:
    """Decides; the dispatcher acts. Used on the pool's thread alone.

    One child more than can work at once is kept for owners who were served before, so that two owners in turn do not
    cost a fork each time, and one fresh child, so that a new owner does not wait for one.

    Attributes:
        size: Most children that work at once.
        queue: Orders that wait.
        children: By number; the one that got work last comes last.
        fork_at: No child is forked before that time, after forks have failed.
    """

    def __init__(self, *, size: int) -> None:
        self.size = size
        self.queue: FairQueue[Order] = FairQueue()
        self.children: dict[int, ChildLink] = {}
        self.fork_at = 0.0
        self._failures = 0

    @property
    def busy(self) -> int:
        """Children that work."""
        return sum(child.state is ChildState.BUSY for child in self.children.values())

    @property
    def is_warm(self) -> bool:
        """True if a child is idle or works."""
        return any(child.state in {ChildState.IDLE, ChildState.BUSY} for child in self.children.values())

    def matches(self) -> Iterator[tuple[Order, ChildLink]]:
        """Orders whose turn it is, each with the child that shall do it. The child must be given it before the next."""
        while self.queue and self.busy < self.size:
            order = self.queue.first()
            child = self._child_for(order) if order is not None else None
            if child is None:
                return
            # It becomes the last, as the one that was used most recently.
            self.children[child.number] = self.children.pop(child.number)
            yield self.queue.take(), child

    def _child_for(self, order: Order) -> ChildLink | None:
        """A child that has served this owner under this limit, or a fresh one; None as long as there is neither."""
        wanted = (order.owner, order.limits.memory_bytes)
        idle = [child for child in self.children.values() if child.state is ChildState.IDLE]
        return next(
            (child for child in idle if child.serves == wanted),
            next((child for child in idle if child.serves is None), None),
        )

    def missing(self, now: float) -> int:
        """How many children to fork now."""
        if now < self.fork_at:
            return 0
        fresh = sum(child.is_fresh for child in self.children.values())
        return max(0, max(1, min(len(self.queue), self.size - self.busy)) - fresh)

    def surplus(self) -> list[ChildLink]:
        """Idle children to let go, those that were not used for longest."""
        spent = [child for child in self.children.values() if child.is_spent]
        return spent[: max(0, len(spent) + self.busy - self.size - 1)]

    def fork_succeeded(self) -> None:
        """A child is ready."""
        self._failures = 0

    def fork_failed(self, now: float) -> None:
        """A child could not be started: wait before the next, longer each time."""
        self.fork_at = now + min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**self._failures)
        self._failures += 1
