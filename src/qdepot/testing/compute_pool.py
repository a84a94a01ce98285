"""What every compute pool must do: inherit :class:`ComputePoolConformance` and give it a pool of drill operations."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import StrEnum
from typing import ClassVar

import pytest

from qdepot.domain.result import Buffer
from qdepot.errors import (
    InternalError,
    InvalidRequestError,
    MemoryLimitExceededError,
    QDepotError,
    TaskCancelledError,
    TimeLimitExceededError,
    UnavailableError,
    WorkerLostError,
    error_classes,
)
from qdepot.ports.compute_pool import ComputePool, Lane, Limits, Payload, Task, TaskHandle

PATIENCE_S = 60.0
"""How long a test waits for what must happen, on a slow machine; nothing waits that long where all is well."""

REFUSALS = sorted(
    code
    for code, found in error_classes().items()
    if issubclass(found, InvalidRequestError) and found.__module__ == "qdepot.errors"
)
"""Codes of the refusals that every process knows, whatever else it has imported."""


class Ability(StrEnum):
    """What a pool may declare that it cannot do; the tests that need it are then skipped, and show as such."""

    PROCESSES = "tasks run in processes of their own, which may die"
    MEMORY_LIMITS = "a task's memory is limited"


def wait_until(condition: Callable[[], bool]) -> None:
    """Return as soon as ``condition`` holds.

    Raises:
        AssertionError: It still does not after :data:`PATIENCE_S`.
    """
    give_up_at = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up_at, "this never came true"
        time.sleep(0.001)


def start(
    pool: ComputePool,
    operation: str,
    meta: Mapping[str, object] | None = None,
    *,
    parts: Mapping[str, Buffer] | None = None,
    lane: Lane = Lane.RUN,
    limits: Limits | None = None,
    owner: str = "ada",
) -> TaskHandle:
    """Hand in a task."""
    payload = Payload(meta=meta or {}, parts=parts or {})
    return pool.submit(Task(operation=operation, payload=payload, lane=lane, limits=limits or Limits(), owner=owner))


def ends(handle: TaskHandle) -> Payload:
    """What it ends with."""
    return handle.result(PATIENCE_S)


class ComputePoolConformance:
    """Inherit, and write a fixture ``pool``: a warm or starting pool, closed after the test.

    Its operations are those of ``qdepot.testing.drill``, by their names.

    Attributes:
        size: Tasks that it does at once, in each lane.
        abilities: What the pool can do; each test that needs more is skipped.
    """

    size: ClassVar[int] = 2
    abilities: ClassVar[frozenset[Ability]] = frozenset(Ability)

    @pytest.fixture
    def pool(self) -> Iterator[ComputePool]:
        """The pool under test."""
        raise NotImplementedError("write a fixture named pool")

    def needs(self, ability: Ability) -> None:
        """Skip the test if the pool declares that it lacks an ability."""
        if ability not in self.abilities:
            pytest.skip(f"declared as missing: {ability.value}")

    @contextmanager
    def full_lane(self, pool: ComputePool, lane: Lane = Lane.RUN) -> Iterator[list[TaskHandle]]:
        """Keep a whole lane at work, so that its owner's other tasks wait; what does so is stopped at the end.

        A pool may let other owners in.
        """
        sleepers = [start(pool, "sleep", {"seconds": 600.0}, lane=lane, owner="ada") for _ in range(self.size)]
        wait_until(lambda: all(sleeper.started for sleeper in sleepers))
        try:
            yield sleepers
        finally:
            for sleeper in sleepers:
                sleeper.cancel()

    # Payloads

    @pytest.mark.parametrize(
        "meta",
        [{}, {"n": 2**80, "x": 0.1, "none": None, "yes": True, "list": [1, [2]], "text": "π \"'\\ud800 \n \x00"}],
        ids=["empty", "full"],
    )
    def test_meta_comes_back_as_it_was_sent(self, pool: ComputePool, meta: Mapping[str, object]) -> None:
        assert ends(start(pool, "echo", meta)).meta == meta

    def test_parts_come_back_as_they_were_sent(self, pool: ComputePool) -> None:
        parts: Mapping[str, Buffer] = {
            "bytes": bytes(range(256)),
            "empty": b"",
            "π": bytearray(b"x" * 70_000),
            "view": memoryview(b"abc")[1:],
        }
        back = ends(start(pool, "echo", parts=parts)).parts
        assert {name: bytes(part) for name, part in back.items()} == {name: bytes(part) for name, part in parts.items()}

    def test_a_large_part_comes_back_as_it_was_sent(self, pool: ComputePool) -> None:
        data = bytes(range(256)) * 65_536
        assert bytes(ends(start(pool, "echo", parts={"data": data})).parts["data"]) == data

    def test_a_large_result_is_whole(self, pool: ComputePool) -> None:
        part = ends(start(pool, "big", {"bytes": 30 * 2**20 + 5})).parts["data"]
        assert len(part) == 30 * 2**20 + 5
        assert all(part[number << 20] == number for number in range(31))
        assert part[-1] == 30

    def test_the_result_may_be_asked_for_again(self, pool: ComputePool) -> None:
        handle = start(pool, "echo", {"n": 1}, parts={"a": b"b"})
        first, second = ends(handle), ends(handle)
        assert (first.meta, bytes(first.parts["a"])) == (second.meta, bytes(second.parts["a"])) == ({"n": 1}, b"b")

    @pytest.mark.parametrize("bad", [float("nan"), object(), b"", "\ud800"], ids=["nan", "object", "bytes", "half"])
    def test_meta_that_is_not_json_is_refused_at_once(self, pool: ComputePool, bad: object) -> None:
        with pytest.raises(InternalError):
            start(pool, "echo", {"bad": bad})

    # Errors

    @pytest.mark.parametrize("code", REFUSALS)
    def test_a_refusal_arrives_as_it_was_raised(self, pool: ComputePool, code: str) -> None:
        told = {"code": code, "message": "no: π", "solution": "do so", "details": {"line": 3, "at": [1, "x"]}}
        with pytest.raises(InvalidRequestError) as caught:
            ends(start(pool, "refuse", told))
        error = caught.value
        assert {
            "code": error.code,
            "message": error.message,
            "solution": error.solution,
            "details": error.details,
        } == told

    @pytest.mark.parametrize("operation", ["fail", "panic"])
    def test_a_mistake_in_an_operation_is_told_without_its_words(self, pool: ComputePool, operation: str) -> None:
        with pytest.raises(InternalError) as caught:
            ends(start(pool, operation, {"message": "text of a program"}))
        assert "text of a program" not in str(caught.value) + caught.value.solution + repr(caught.value.details)

    @pytest.mark.parametrize("operation", ["nonsense", "no such operation"])
    def test_what_cannot_be_done_or_sent_is_an_internal_error(self, pool: ComputePool, operation: str) -> None:
        with pytest.raises(InternalError):
            ends(start(pool, operation))

    def test_a_lane_goes_on_after_errors(self, pool: ComputePool) -> None:
        for operation in ("fail", "refuse", "panic") * self.size:
            with pytest.raises(QDepotError):
                ends(start(pool, operation))
        assert ends(start(pool, "echo", {"n": 2})).meta == {"n": 2}

    def test_what_an_operation_prints_does_no_harm(self, pool: ComputePool) -> None:
        assert ends(start(pool, "chatter", {"bytes": 100_000})).meta == {"printed": 100_000}

    # Handles

    def test_waiting_no_longer_than_wished_leaves_the_task_alone(self, pool: ComputePool) -> None:
        with self.full_lane(pool):
            handle = start(pool, "echo", {"n": 3})
            with pytest.raises(TimeoutError):
                handle.result(0.0)
            assert not handle.done
        assert ends(handle).meta == {"n": 3}

    def test_a_task_is_waiting_then_started_then_done(self, pool: ComputePool) -> None:
        with self.full_lane(pool) as sleepers:
            handle = start(pool, "echo")
            assert [handle.started, handle.done, handle.run_s] == [False, False, 0.0]
            assert [sleepers[0].started, sleepers[0].done] == [True, False]
        ends(handle)
        assert [handle.started, handle.done] == [True, True]

    def test_a_task_says_how_long_it_ran(self, pool: ComputePool) -> None:
        handle = start(pool, "sleep", {"seconds": 600.0})
        wait_until(lambda: handle.run_s > 0.01)
        handle.cancel()
        wait_until(lambda: handle.done)
        ran = handle.run_s
        assert ran > 0.01
        assert handle.run_s == ran

    def test_who_asked_is_called_once_when_it_is_done(self, pool: ComputePool) -> None:
        calls: list[bool] = []
        with self.full_lane(pool):
            handle = start(pool, "echo")
            handle.on_done(lambda: calls.append(handle.done))
            assert calls == []
        ends(handle)
        wait_until(lambda: bool(calls))
        handle.cancel()
        assert calls == [True]

    def test_who_asks_late_is_called_at_once(self, pool: ComputePool) -> None:
        handle = start(pool, "echo")
        ends(handle)
        calls: list[bool] = []
        handle.on_done(lambda: calls.append(True))
        assert calls == [True]

    def test_a_callback_may_hand_in_the_next_task(self, pool: ComputePool) -> None:
        following: list[TaskHandle] = []
        start(pool, "echo").on_done(lambda: following.append(start(pool, "echo", {"n": 4})))
        wait_until(lambda: bool(following))
        assert ends(following[0]).meta == {"n": 4}

    # Cancelling and limits

    def test_a_waiting_task_that_is_cancelled_never_starts(self, pool: ComputePool) -> None:
        with self.full_lane(pool):
            handle = start(pool, "echo")
            handle.cancel()
            with pytest.raises(TaskCancelledError):
                handle.result(0.0)
        ends(start(pool, "echo"))
        assert not handle.started

    def test_only_the_running_task_that_is_cancelled_ends(self, pool: ComputePool) -> None:
        with self.full_lane(pool) as sleepers:
            sleepers[0].cancel()
            with pytest.raises(TaskCancelledError):
                ends(sleepers[0])
            assert ends(start(pool, "echo", {"n": 5})).meta == {"n": 5}
            assert not any(sleeper.done for sleeper in sleepers[1:])

    def test_cancelling_late_or_twice_changes_nothing(self, pool: ComputePool) -> None:
        handle = start(pool, "echo", {"n": 6})
        ends(handle)
        handle.cancel()
        handle.cancel()
        assert ends(handle).meta == {"n": 6}
        assert ends(start(pool, "echo", {"n": 7})).meta == {"n": 7}

    def test_a_task_that_takes_too_long_is_stopped_and_told_its_limit(self, pool: ComputePool) -> None:
        with pytest.raises(TimeLimitExceededError) as caught:
            ends(start(pool, "sleep", {"seconds": 600.0}, limits=Limits(time_s=0.25)))
        assert caught.value.details == {"time_s": 0.25}
        assert "0.25" in caught.value.message

    def test_waiting_in_the_queue_does_not_count_as_running(self, pool: ComputePool) -> None:
        limits = Limits(time_s=0.5)
        with self.full_lane(pool):
            handle = start(pool, "echo", {"n": 8}, limits=limits)
            with pytest.raises(TimeLimitExceededError):  # meanwhile its whole limit passes in the other lane
                ends(start(pool, "sleep", {"seconds": 600.0}, lane=Lane.CHECK, limits=limits))
            assert not handle.done
        assert ends(handle).meta == {"n": 8}

    def test_a_task_that_takes_too_much_memory_is_told_its_limit(self, pool: ComputePool) -> None:
        self.needs(Ability.MEMORY_LIMITS)
        with pytest.raises(MemoryLimitExceededError) as caught:
            ends(start(pool, "allocate", {"bytes": 2**30}, limits=Limits(memory_bytes=2**27)))
        assert caught.value.details == {"memory_bytes": 2**27}
        assert "128 MiB" in caught.value.message

    def test_a_task_gets_the_memory_that_it_may_use(self, pool: ComputePool) -> None:
        limits = Limits(memory_bytes=2**28)
        assert ends(start(pool, "allocate", {"bytes": 2**27}, limits=limits)).meta == {"bytes": 2**27}

    def test_the_limit_of_one_task_is_not_that_of_the_next(self, pool: ComputePool) -> None:
        for memory_bytes in (2**26, 2**28, 2**26):
            limits = Limits(memory_bytes=memory_bytes)
            taken = memory_bytes // 2
            assert ends(start(pool, "allocate", {"bytes": taken}, limits=limits)).meta == {"bytes": taken}

    # Processes that die

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM])
    def test_a_child_that_dies_takes_only_its_own_task_with_it(self, pool: ComputePool, number: int) -> None:
        self.needs(Ability.PROCESSES)
        neighbour = start(pool, "sleep", {"seconds": 600.0})
        wait_until(lambda: neighbour.started)
        with pytest.raises(WorkerLostError) as caught:
            ends(start(pool, "die", {"signal": int(number)}))
        assert caught.value.details["signal"] == signal.Signals(number).name
        assert ends(start(pool, "echo", {"n": 9})).meta == {"n": 9}
        assert not neighbour.done
        neighbour.cancel()

    def test_a_child_that_leaves_is_lost(self, pool: ComputePool) -> None:
        self.needs(Ability.PROCESSES)
        with pytest.raises(WorkerLostError):
            ends(start(pool, "leave", {"status": 0}))

    @pytest.mark.parametrize(
        "garbage", [b"x" * 100, b"QDF1" + b"\xff" * 12, b"QDF1\0\0\0\2" + b"\0" * 8 + b"[]"], ids=len
    )
    def test_a_child_that_talks_nonsense_ends_with_its_task(self, pool: ComputePool, garbage: bytes) -> None:
        self.needs(Ability.PROCESSES)
        with pytest.raises(QDepotError) as caught:
            ends(start(pool, "spill", parts={"data": garbage}))
        assert not isinstance(caught.value, InvalidRequestError)
        assert ends(start(pool, "echo", {"n": 10})).meta == {"n": 10}

    def test_two_owners_never_share_a_process(self, pool: ComputePool) -> None:
        self.needs(Ability.PROCESSES)
        handles = [(owner, start(pool, "facts", owner=owner)) for owner in ("ada", "bob", "cyd") * 8]
        seen = {(owner, ends(handle).meta["pid"]) for owner, handle in handles}
        assert len({pid for _, pid in seen}) == len(seen)

    # Queues

    def test_tasks_of_one_owner_go_in_order(self, pool: ComputePool) -> None:
        order: list[int] = []
        with self.full_lane(pool) as sleepers:
            handles = [start(pool, "echo") for _ in range(20)]
            for number, handle in enumerate(handles):
                handle.on_done(lambda number=number: order.append(number))  # type: ignore[misc] # bound early
            sleepers[0].cancel()
            wait_until(lambda: len(order) == len(handles))
        assert order == sorted(order)

    def test_an_owner_with_one_task_does_not_wait_for_a_backlog(self, pool: ComputePool) -> None:
        with self.full_lane(pool) as sleepers:
            backlog = [start(pool, "sleep", {"seconds": 0.02}, owner="ada") for _ in range(200)]
            single = start(pool, "echo", {"n": 11}, owner="bob")
            sleepers[0].cancel()
            assert ends(single).meta == {"n": 11}
            done = sum(handle.done for handle in backlog)
        for handle in backlog:
            handle.cancel()
        assert done < 20

    def test_a_full_lane_does_not_hold_up_the_other(self, pool: ComputePool) -> None:
        with self.full_lane(pool, Lane.RUN):
            assert ends(start(pool, "echo", {"n": 12}, lane=Lane.CHECK)).meta == {"n": 12}
        with self.full_lane(pool, Lane.CHECK):
            assert ends(start(pool, "echo", {"n": 13}, lane=Lane.RUN)).meta == {"n": 13}

    def test_many_threads_get_their_own_answers(self, pool: ComputePool) -> None:
        gate = threading.Barrier(8)

        def ask(thread: int) -> list[object]:
            gate.wait(PATIENCE_S)
            handles = [start(pool, "echo", {"n": 100 * thread + n}, owner=f"owner {thread % 3}") for n in range(25)]
            return [ends(handle).meta["n"] for handle in handles]

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(ask, range(8))) == [[100 * thread + n for n in range(25)] for thread in range(8)]

    # The pool

    def test_each_lane_becomes_warm(self, pool: ComputePool) -> None:
        wait_until(lambda: all(pool.ready(lane) for lane in Lane))

    def test_it_says_how_many_tasks_of_a_lane_run_at_once(self, pool: ComputePool) -> None:
        with self.full_lane(pool, Lane.RUN), self.full_lane(pool, Lane.CHECK):
            assert [pool.size(lane) for lane in Lane] == [self.size] * len(Lane)

    def test_closing_ends_what_runs_and_what_waits(self, pool: ComputePool) -> None:
        with self.full_lane(pool) as sleepers:
            waiting = start(pool, "echo")
            pool.close()
            for handle in [*sleepers, waiting]:
                with pytest.raises(TaskCancelledError):
                    ends(handle)
        assert not any(pool.ready(lane) for lane in Lane)

    def test_a_closed_pool_takes_nothing_and_may_be_closed_again(self, pool: ComputePool) -> None:
        pool.close()
        pool.close()
        with pytest.raises(UnavailableError):
            start(pool, "echo")
