"""The children of one lane, and who of them works on what next."""

from __future__ import annotations

import math
from collections.abc import Iterator

from qdepot.adapters.compute.child_link import ChildLink, ChildState
from qdepot.adapters.compute.fair_queue import FairQueue
from qdepot.adapters.compute.orders import Order

_TURN_S = 0.05
_GUEST_AFTER_S = 1.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0


class Crew:
    """Decides; the dispatcher acts. Used on the pool's thread alone.

    Owners take turns. Since another owner needs another child, which costs a fork,

    - one child more than can work at once is kept for owners who were served before,
    - one fresh child is kept for an owner who was not,
    - and where that is not enough, an owner's turn is not one task but as many as fit into 50 ms.

    Long tasks of one owner do not lock out the others: where all that work have done so for a second, an owner of whom
    nothing is worked on gets a guest's place; there are as many of these as there are places.

    Attributes:
        size: Most children that work at once, not counting guests.
        queue: Orders that wait.
        children: By number; the one that got work last comes last.
        stale: Something has changed since the dispatcher last looked after it.
        fork_at: Forks have failed; the next comes then. Infinite if there is nothing to wait for.
        guest_at: Somebody who waits may become a guest then; infinite likewise.
    """

    def __init__(self, *, size: int) -> None:
        self.size = size
        self.queue: FairQueue[Order] = FairQueue()
        self.children: dict[int, ChildLink] = {}
        self.stale = True
        self.fork_at = math.inf
        self.guest_at = math.inf
        self._failures = 0

    @property
    def busy(self) -> int:
        """Children that work."""
        return sum([child.state is ChildState.BUSY for child in self.children.values()])

    @property
    def is_warm(self) -> bool:
        """True if a child is idle or works."""
        return any(child.state is ChildState.IDLE or child.state is ChildState.BUSY for child in self.children.values())

    def matches(self, now: float) -> Iterator[tuple[Order, ChildLink]]:
        """Orders whose turn it is, each with the child that shall do it. The child must be given it before the next."""
        self.guest_at = math.inf
        while self.queue:
            match = self._match(now) if self.busy < self.size else self._match_guest(now)
            if match is None:
                return
            order, child = match
            # It becomes the last, as the one that was used most recently.
            self.children[child.number] = self.children.pop(child.number)
            yield order, child

    def _match(self, now: float) -> tuple[Order, ChildLink] | None:
        idle = [child for child in self.children.values() if child.state is ChildState.IDLE]
        order = self.queue.first()
        for child in idle:
            if order is not None and child.serves == order.serves:
                return self.queue.take(), child
        for child in idle:
            if child.serves is not None and now < child.turn_ends_at:
                following = self.queue.first_of(child.serves[0])
                if following is not None and child.serves == following.serves:
                    return self.queue.take_of(following.owner), child
        for child in idle:
            if child.serves is None:
                child.turn_ends_at = now + _TURN_S
                return self.queue.take(), child
        return None

    def _match_guest(self, now: float) -> tuple[Order, ChildLink] | None:
        at_work = [child for child in self.children.values() if child.state is ChildState.BUSY]
        served = {child.serves[0] for child in at_work if child.serves is not None}
        order = self.queue.first_of_others(served)
        if order is None or len(at_work) >= 2 * self.size:
            return None
        due = max(child.began_at for child in at_work) + _GUEST_AFTER_S
        if now < due:
            self.guest_at = due
            return None
        for child in self.children.values():
            if child.state is ChildState.IDLE and child.serves in (order.serves, None):
                return self.queue.take_of(order.owner), child
        return None

    def missing(self) -> int:
        """How many children to fork now."""
        if self.fork_at != math.inf:
            return 0
        fresh = sum([child.is_fresh for child in self.children.values()])
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

    def look_at_clock(self, now: float) -> None:
        """End the waits for the next fork and the next guest that are over."""
        if now >= self.guest_at:
            self.guest_at = math.inf
            self.stale = True
        if now >= self.fork_at:
            self.fork_at = math.inf
            self.stale = True
