"""Calls that share the price of one: those that come while another is under way are done together by the next."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from qdepot.errors import InternalError

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_LEADERS = 2
"""While one group is being written, another can be on its way to the disk."""

_LARGEST_GROUP = 128


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Item, Answer]):
    """An item, and whoever waits for its answer; the gate opens once there is one, or for whoever has to lead."""

    item: Item
    answer: Answer | Exception | None = None
    gate: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.gate.acquire()


class Gathering(Generic[Item, Answer]):
    """Does the items of concurrent callers in groups, on the callers' own threads. Thread-safe.

    A caller that finds few enough groups under way does its item at once; the others wait, and the first of them does
    all that has gathered as soon as a group is through. So a single caller never waits, and many pay for few writes.
    """

    def __init__(self, do: Callable[[Sequence[Item]], Sequence[Answer | Exception]]) -> None:
        """Nothing happens yet.

        Args:
            do: Does a group and says for each item, in order, what came of it. What it raises, all of them get.
        """
        self._do = do
        self._lock = threading.Lock()
        self._queue: deque[_Waiting[Item, Answer]] = deque()
        self._leaders = 0

    def run(self, item: Item) -> Answer:
        """Do an item, alone or with others, and return its answer or raise its error."""
        mine: _Waiting[Item, Answer] = _Waiting(item)
        with self._lock:
            leads = self._leaders < _LEADERS
            if leads:
                self._leaders += 1
            else:
                self._queue.append(mine)
        if not leads:
            mine.gate.acquire()
        if mine.answer is None:
            self._lead(mine)
        if isinstance(mine.answer, Exception):
            raise mine.answer
        assert mine.answer is not None
        return mine.answer

    def _lead(self, mine: _Waiting[Item, Answer]) -> None:
        """Do an item and all that has gathered meanwhile, then let the first of those behind them lead."""
        with self._lock:
            others = [self._queue.popleft() for _ in range(min(len(self._queue), _LARGEST_GROUP - 1))]
        group = [mine, *others]
        answers: Sequence[Answer | Exception] = [InternalError("the group was given up half-way")] * len(group)
        try:
            answers = self._do([waiting.item for waiting in group])
        except Exception as error:
            answers = [error] * len(group)
        finally:
            for waiting, answer in zip(group, answers, strict=True):
                waiting.answer = answer
            for waiting in others:
                waiting.gate.release()
            self._hand_on()

    def _hand_on(self) -> None:
        with self._lock:
            follower = self._queue.popleft() if self._queue else None
            if follower is None:
                self._leaders -= 1
        if follower is not None:
            follower.gate.release()
