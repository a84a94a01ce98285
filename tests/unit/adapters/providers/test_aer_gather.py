"""Small tasks go to children in groups, and nobody can tell from the outside."""

from __future__ import annotations

import itertools
import threading

import pytest

from qdepot.adapters.providers.aer_gather import Gatherer
from qdepot.errors import InvalidProgramError, TaskCancelledError, TimeLimitExceededError, WorkerLostError
from qdepot.ports.compute_pool import Limits, Payload, Task
from qdepot.testing.compute_pool import wait_until
from qdepot.testing.fake_pool import FunctionPool


class Bench:
    """A gatherer before a pool with one child. A task's word says what happens to it.

    Attributes:
        calls: What the child was given: one word, or the words of a group.
        gate: Tasks that say "wait" do so until it is set.
        begun: How many of the waiting ones have begun.
        most: A group is over after so many tasks.
    """

    def __init__(self):
        self.calls: list[str | list[str]] = []
        self.gate = threading.Event()
        self.begun = threading.Semaphore(0)
        self.most = 1000
        self.stuck = threading.Event()
        self.pool = FunctionPool({"simulate": self._alone, "simulate_together": self._together}, size=1)
        self.gatherer = Gatherer(self.pool)

    def submit(self, word: str, *, owner: str = "anna", time_s: float = 60.0, **limits):
        payload = Payload(meta={"word": word}, parts={"circuit/0": word.encode()})
        task = Task(operation="simulate", payload=payload, owner=owner, limits=Limits(time_s=time_s, **limits))
        return self.gatherer.submit(task)

    def hold(self, owner: str = "anna"):
        """Keep the child busy, and the pool's queue from taking more of this owner."""
        held = [self.submit("wait", owner=owner) for _ in range(2)]
        self.begun.acquire()
        return held

    @property
    def groups_under_way(self) -> int:
        return sum(line.under_way for line in self.gatherer._lines.values())

    def _alone(self, payload: Payload) -> Payload:
        self.calls.append(str(payload.meta["word"]))
        return self._played(payload, alone=True)

    def _together(self, payload: Payload) -> Payload:
        tasks = payload.meta["tasks"]
        self.calls.append([task["meta"]["word"] for task in tasks])
        answers, parts = [], {}
        for number, task in enumerate(itertools.islice(tasks, self.most)):
            own = {name: payload.parts[f"{number}/{name}"] for name in task["parts"]}
            try:
                answer = self._played(Payload(meta=task["meta"], parts=own), alone=False)
            except InvalidProgramError:
                answers.append({"failed": True})
                continue
            answers.append({"meta": dict(answer.meta), "parts": list(answer.parts), "run_s": 0.25 + number})
            parts |= {f"{number}/{name}": content for name, content in answer.parts.items()}
        return Payload(meta={"answers": answers}, parts=parts)

    def _played(self, payload: Payload, *, alone: bool) -> Payload:
        word = str(payload.meta["word"])
        assert bytes(payload.parts["circuit/0"]).decode() == word
        if word == "wait":
            self.begun.release()
            self.gate.wait(60)
        elif word == "bad":
            raise InvalidProgramError("this is broken")
        elif word == "stuck":
            self.stuck.wait(60)
        elif word == "closes the group" and not alone:
            raise RuntimeError
        return Payload(meta={"word": word}, parts={"result.json": f"result of {word}".encode()})


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.gate.set()
    made.stuck.set()
    made.pool.close()


def result_of(handle) -> str:
    return bytes(handle.result(60).parts["result.json"]).decode()


def test_a_single_task_goes_as_it_is_and_at_once(bench):
    assert result_of(bench.submit("a")) == "result of a"
    assert bench.calls == ["a"]


def test_tasks_that_have_to_wait_go_together_and_each_gets_its_own_result(bench):
    bench.hold()
    handles = [bench.submit(word) for word in "abcde"]
    assert bench.calls == ["wait"]
    bench.gate.set()
    assert [result_of(handle) for handle in handles] == [f"result of {word}" for word in "abcde"]
    assert bench.calls == ["wait", "wait", list("abcde")]
    assert [handle.run_s for handle in handles] == [0.25, 1.25, 2.25, 3.25, 4.25]
    assert all(handle.started and handle.done for handle in handles)


@pytest.mark.parametrize("limit", ["memory_bytes", "cpu_time_s", "file_bytes", "open_files"])
def test_tasks_under_different_limits_do_not_go_together(bench, limit):
    bench.hold()
    handles = [bench.submit(word, **({limit: 99} if word in "bd" else {})) for word in "abcd"]
    bench.gate.set()
    assert [result_of(handle) for handle in handles] == [f"result of {word}" for word in "abcd"]
    assert ["a", "c"] in bench.calls
    assert "b" in bench.calls
    assert "d" in bench.calls


def test_whoever_asks_to_be_told_is_told_once(bench):
    heard = []
    bench.hold()
    handles = [bench.submit(word) for word in "abc"]
    for word, handle in zip("abc", handles, strict=True):
        handle.on_done(lambda word=word: heard.append(word))
    bench.gate.set()
    for handle in handles:
        result_of(handle)
    wait_until(lambda: len(heard) == 3)
    handles[0].on_done(lambda: heard.append("late"))
    assert heard == ["a", "b", "c", "late"]


def test_a_task_that_fails_fails_as_it_does_alone_and_harms_no_other(bench):
    bench.hold()
    a, bad, b = (bench.submit(word) for word in ("a", "bad", "b"))
    bench.gate.set()
    assert (result_of(a), result_of(b)) == ("result of a", "result of b")
    with pytest.raises(InvalidProgramError, match="this is broken"):
        bad.result(60)
    assert bench.calls[-1] == "bad"


def test_a_group_that_is_lost_is_run_one_by_one(bench):
    bench.hold()
    handles = [bench.submit(word) for word in ("a", "closes the group", "b")]
    bench.gate.set()
    assert [result_of(handle) for handle in handles] == ["result of a", "result of closes the group", "result of b"]
    assert sorted(bench.calls[3:]) == ["a", "b", "closes the group"]


def test_a_task_that_holds_its_group_up_ends_by_its_own_limit(bench, monkeypatch):
    monkeypatch.setattr("qdepot.adapters.providers.aer_gather._GROUP_LIMIT_S", 0.2)
    bench.hold()
    a, stuck, b = bench.submit("a"), bench.submit("stuck", time_s=0.3), bench.submit("b")
    bench.gate.set()
    assert (result_of(a), result_of(b)) == ("result of a", "result of b")
    with pytest.raises(TimeLimitExceededError):
        stuck.result(60)


def test_what_a_group_had_no_time_for_goes_with_the_next(bench):
    bench.most = 2
    bench.hold()
    handles = [bench.submit(word) for word in "abcde"]
    bench.gate.set()
    assert [result_of(handle) for handle in handles] == [f"result of {word}" for word in "abcde"]
    assert list("abcde") in bench.calls
    assert sum(len(call) for call in bench.calls[2:]) > 5


def test_a_waiting_task_that_is_cancelled_never_starts(bench):
    bench.hold()
    a, b = bench.submit("a"), bench.submit("b")
    b.cancel()
    with pytest.raises(TaskCancelledError):
        b.result(60)
    bench.gate.set()
    assert result_of(a) == "result of a"
    assert "b" not in str(bench.calls)


def test_a_cancel_in_a_running_group_stops_it_at_once_and_the_others_run_again(bench):
    bench.hold()
    stuck, a, b = (bench.submit(word) for word in ("stuck", "a", "b"))
    bench.gate.set()
    wait_until(lambda: ["stuck", "a", "b"] in bench.calls)
    stuck.cancel()
    with pytest.raises(TaskCancelledError):
        stuck.result(60)
    assert (result_of(a), result_of(b)) == ("result of a", "result of b")
    assert bench.calls[-1] == ["a", "b"]


def test_owners_are_never_in_one_group(bench):
    bench.hold("anna")
    handles = [bench.submit(f"{owner}{number}", owner=owner) for number in range(4) for owner in ("anna", "bert")]
    bench.gate.set()
    for handle in handles:
        result_of(handle)
    for call in bench.calls:
        words = [call] if isinstance(call, str) else call
        assert len({word.rstrip("0123456789") for word in words}) == 1


def test_more_groups_are_under_way_when_the_pool_has_grown_and_fewer_when_it_has_shrunk(bench):
    bench.hold()
    waiting = [bench.submit("wait") for _ in range(100)]
    assert bench.groups_under_way == 2, "one that runs, and one"
    bench.pool.resize(4)
    waiting.append(bench.submit("wait"))
    assert bench.groups_under_way == 5
    bench.pool.resize(1)
    waiting.append(bench.submit("wait"))
    assert bench.groups_under_way == 5, "what is under way is not taken back"
    bench.gate.set()
    assert {result_of(handle) for handle in waiting} == {"result of wait"}


def test_an_owner_with_one_task_does_not_wait_for_anothers_thousand(bench):
    bench.hold("anna")
    for number in range(1000):
        bench.submit(f"a{number}")
    alone = bench.submit("b", owner="bert")
    bench.gate.set()
    result_of(alone)
    before = bench.calls[: bench.calls.index("b")]
    assert sum(1 if isinstance(call, str) else len(call) for call in before) < 20


def test_a_pool_that_is_closed_is_no_fault_of_the_task(bench):
    bench.pool.close()
    with pytest.raises(WorkerLostError):
        bench.submit("a").result(60)


def test_tasks_that_wait_when_the_pool_closes_end(bench):
    handles = [*bench.hold(), *(bench.submit(word) for word in "abc")]
    bench.pool.close()
    for handle in handles:
        with pytest.raises((WorkerLostError, TaskCancelledError)):
            handle.result(60)


def test_nothing_is_kept_of_owners_whose_tasks_are_over(bench):
    handles = [bench.submit("a", owner=f"owner{number}") for number in range(20)]
    for handle in handles:
        result_of(handle)
    wait_until(lambda: not bench.gatherer._lines)
