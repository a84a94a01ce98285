"""Small tasks on their way to children, several at a time.

A round trip to a child costs more than a small simulation, and a child that meets a circuit for the second time has
read it already. Nobody can tell from the outside: each task has its own seed, limits, result, time, failure and cancel,
and whatever is unusual about one is settled by running it alone.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from qdepot.adapters.providers.aer_member import Member
from qdepot.errors import QDepotError, TaskCancelledError, UnavailableError, WorkerLostError
from qdepot.ports.compute_pool import ComputePool, Lane, Limits, Payload, Task, TaskHandle
from qdepot.ports.operations import AnswerTogether, answers_together, together_task

_GROUP_S = 0.05
"""How long a group should take, in seconds: about an owner's turn in the pool."""
_GROUP_LIMIT_S = 5.0
"""A group that takes longer is stopped, and its members run alone, each under its own limit."""
_FIRST_COUNT = 8
_MOST_COUNT = 64

_Kind = tuple[str, Limits]
"""Owner, and limits but for the time: what tasks of a group have in common."""


@dataclass(slots=True)
class _Line:
    """Tasks of one kind.

    Attributes:
        waiting: Those that no group has taken.
        under_way: Groups that were handed in and have not ended.
        count: Most tasks in the next group, by how long the last took.
    """

    waiting: deque[Member] = field(default_factory=deque)
    under_way: int = 0
    count: int = _FIRST_COUNT


class Gatherer:
    """Hands small tasks to a pool: at once while children are free, in groups while they are not. Thread-safe.

    Of each owner at most as many groups are handed in as the pool runs at once at that time, and one: so the pool's own
    fair order between owners holds, and no child waits for work.

    Args:
        pool: Where they run.
    """

    def __init__(self, pool: ComputePool) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._lines: dict[_Kind, _Line] = {}

    def submit(self, task: Task) -> TaskHandle:
        """Hand in a small task that may be repeated. A pool that takes none shows in the end, as a WorkerLostError."""
        member = Member(task, on_cancel=self._on_cancel)
        kind = _kind(task)
        with self._lock:
            self._lines.setdefault(kind, _Line()).waiting.append(member)
        self._hand_in(kind)
        return member

    def _hand_in(self, kind: _Kind) -> None:
        """Give the pool what waits, if it is time."""
        while members := self._next_group(kind):
            if len(members) == 1:
                self._alone(members[0], then=lambda: self._group_ended(kind))
            else:
                self._together(kind, members)

    def _next_group(self, kind: _Kind) -> list[Member]:
        most_groups = self._pool.size(Lane.RUN) + 1  # not asked under the lock: the pool may have locks of its own
        with self._lock:
            line = self._lines.get(kind)
            if line is None or line.under_way >= most_groups:
                return []
            members: list[Member] = []
            while line.waiting and len(members) < line.count:
                member = line.waiting.popleft()
                if not member.done:
                    members.append(member)
            line.under_way += bool(members)
            if not members and not line.under_way:
                del self._lines[kind]
            return members

    def _alone(self, member: Member, *, then: Callable[[], None] | None = None) -> None:
        """Run a task by itself, under its own limits; its end is the member's."""
        handle = self._carried([member], member.task)
        if handle is None:
            if then is not None:
                then()
            return

        def ended() -> None:
            outcome = _outcome(handle)
            member.finish(outcome, run_s=handle.run_s)
            if then is not None:
                then()

        handle.on_done(ended)

    def _together(self, kind: _Kind, members: Sequence[Member]) -> None:
        _, limits = kind
        task = together_task([member.task for member in members], limits=limits, budget_s=4 * _GROUP_S)
        handle = self._carried(members, task)
        if handle is None:
            self._group_ended(kind)
        else:
            handle.on_done(lambda: self._settle(kind, members, handle))

    def _carried(self, members: Sequence[Member], task: Task) -> TaskHandle | None:
        """Hand a task to the pool; None if it takes none, and the members have ended by that."""
        try:
            handle = self._pool.submit(task)
        except QDepotError as error:
            for member in members:
                member.finish(_not_taken(error))
            return None
        for member in members:
            member.carrier = handle
        if any(member.done for member in members):  # cancelled just now
            handle.cancel()
        return handle

    def _settle(self, kind: _Kind, members: Sequence[Member], handle: TaskHandle) -> None:
        """Give each member its own end, or another run."""
        again: list[Member] = []
        try:
            again += self._answered(members, answers_together(handle.result()))
        except TaskCancelledError:  # one of them was cancelled
            again += members
        except QDepotError:  # whose fault it is shows when each runs alone
            for member in members:
                if not member.done:
                    self._alone(member)
        with self._lock:
            line = self._lines[kind]
            line.count = _next_count(line.count, len(members), handle.run_s)
            line.waiting.extendleft(reversed(again))
        self._group_ended(kind)

    def _answered(self, members: Sequence[Member], answers: Sequence[AnswerTogether]) -> list[Member]:
        """End those that were done, and start alone those that failed; the others, for which no time was left."""
        for member, answer in zip(members, answers, strict=False):
            if answer.payload is not None:
                member.finish(answer.payload, run_s=answer.run_s)
            elif not member.done:
                self._alone(member)
        return list(members[len(answers) :])

    def _group_ended(self, kind: _Kind) -> None:
        with self._lock:
            self._lines[kind].under_way -= 1
        self._hand_in(kind)

    def _on_cancel(self, member: Member) -> None:
        """Stop what carries it. The others of its group are handed in once more."""
        if member.carrier is not None:
            member.carrier.cancel()


def _kind(task: Task) -> _Kind:
    return task.owner, replace(task.limits, time_s=_GROUP_LIMIT_S)


def _outcome(handle: TaskHandle) -> Payload | QDepotError:
    try:
        return handle.result()
    except QDepotError as error:
        return error


def _not_taken(error: QDepotError) -> QDepotError:
    """Nothing is wrong with the task: it is to be handed in again, as after the death of a child."""
    return WorkerLostError(error.message, details=error.details) if isinstance(error, UnavailableError) else error


def _next_count(count: int, ran: int, run_s: float) -> int:
    """How many tasks come next, by how long the last ``ran`` took."""
    fitting = _MOST_COUNT if run_s <= 0 else int(ran * _GROUP_S / run_s)
    return max(1, min(_MOST_COUNT, 4 * count, fitting))
