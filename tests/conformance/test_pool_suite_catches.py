"""The suite of compute pools is a law only if breaking it shows: one broken pool for each rule."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from qdepot.errors import InternalError, InvalidRequestError, QDepotError, TimeLimitExceededError
from qdepot.ports.compute_pool import Lane, Limits, Payload
from qdepot.testing import compute_pool as suite
from qdepot.testing.compute_pool import ComputePoolConformance
from qdepot.testing.fake_pool import FunctionPool


class BrokenHandle:
    """Passes all on to a sound handle; broken ones override."""

    def __init__(self, sound):
        self.sound = sound

    def __getattr__(self, name):
        return getattr(self.sound, name)


class LosesParts(FunctionPool):
    def submit(self, task):
        return super().submit(replace(task, payload=Payload(meta=task.payload.meta)))


class LosesDetails(FunctionPool):
    def _outcome(self, task):
        outcome = super()._outcome(task)
        return type(outcome)(outcome.message) if isinstance(outcome, QDepotError) else outcome


class ForgetsTheClass(FunctionPool):
    def _outcome(self, task):
        outcome = super()._outcome(task)
        return InvalidRequestError(outcome.message) if isinstance(outcome, InvalidRequestError) else outcome


class TellsTheProgram(FunctionPool):
    def _outcome(self, task):
        outcome = super()._outcome(task)
        return InternalError(str(task.payload.meta)) if isinstance(outcome, InternalError) else outcome


class ForgetsToCancelWhatWaits(FunctionPool):
    def submit(self, task):
        handle = BrokenHandle(super().submit(task))
        handle.cancel = lambda: handle.sound.cancel() if handle.started else None
        return handle


class ForgetsToCancelWhatRuns(FunctionPool):
    def submit(self, task):
        handle = BrokenHandle(super().submit(task))
        handle.cancel = lambda: None if handle.started else handle.sound.cancel()
        return handle


class CancelsAllThatRuns(FunctionPool):
    def submit(self, task):
        handle = BrokenHandle(super().submit(task))
        handle.cancel = lambda: [run.handle.cancel() for line in self._lines.values() for run in list(line.running)]
        return handle


class KnowsNoTimeLimit(FunctionPool):
    def submit(self, task):
        return super().submit(replace(task, limits=Limits()))


class ForgetsToNameTheLimit(FunctionPool):
    def _stop(self, run, outcome):
        super()._stop(run, TimeLimitExceededError() if isinstance(outcome, TimeLimitExceededError) else outcome)


class CallsBackTwice(FunctionPool):
    def submit(self, task):
        handle = BrokenHandle(super().submit(task))

        def on_done(callback):
            handle.sound.on_done(callback)
            handle.sound.on_done(callback)

        handle.on_done = on_done
        return handle


class SaysDoneBeforeItIs(FunctionPool):
    def submit(self, task):
        handle = BrokenHandle(super().submit(task))
        handle.done = True
        return handle


class ServesOneOwnerAfterTheOther(FunctionPool):
    def submit(self, task):
        return super().submit(replace(task, owner="all the same"))


class ServesTheNewestFirst(FunctionPool):
    count = 0

    def submit(self, task):
        type(self).count += 1
        return super().submit(replace(task, owner=f"owner {self.count}"))

    def _start_waiting(self, lane):
        queue = self._lines[lane].queue
        for owner in reversed(list(queue._by_owner)):
            queue._by_owner.move_to_end(owner)
        super()._start_waiting(lane)


class HasOneLane(FunctionPool):
    def submit(self, task):
        return super().submit(replace(task, lane=Lane.RUN))


class IsNeverWarm(FunctionPool):
    def ready(self, lane):
        return False


class CountsOnlyFreePlaces(FunctionPool):
    def size(self, lane):
        return max(1, super().size(lane) - len(self._lines[lane].running))


class LetsWorkGoOnWhenClosed(FunctionPool):
    def close(self):
        self._closed = True


class TakesWorkWhenClosed(FunctionPool):
    def close(self):
        super().close()
        self._closed = False


CAUGHT = [
    (LosesParts, "test_parts_come_back_as_they_were_sent", ()),
    (LosesDetails, "test_a_refusal_arrives_as_it_was_raised", ("invalid_program",)),
    (ForgetsTheClass, "test_a_refusal_arrives_as_it_was_raised", ("invalid_program",)),
    (TellsTheProgram, "test_a_mistake_in_an_operation_is_told_without_its_words", ("fail",)),
    (ForgetsToCancelWhatWaits, "test_a_waiting_task_that_is_cancelled_never_starts", ()),
    (ForgetsToCancelWhatRuns, "test_only_the_running_task_that_is_cancelled_ends", ()),
    (CancelsAllThatRuns, "test_only_the_running_task_that_is_cancelled_ends", ()),
    (KnowsNoTimeLimit, "test_a_task_that_takes_too_long_is_stopped_and_told_its_limit", ()),
    (ForgetsToNameTheLimit, "test_a_task_that_takes_too_long_is_stopped_and_told_its_limit", ()),
    (CallsBackTwice, "test_who_asked_is_called_once_when_it_is_done", ()),
    (SaysDoneBeforeItIs, "test_waiting_no_longer_than_wished_leaves_the_task_alone", ()),
    (ServesOneOwnerAfterTheOther, "test_an_owner_with_one_task_does_not_wait_for_a_backlog", ()),
    (ServesTheNewestFirst, "test_tasks_of_one_owner_go_in_order", ()),
    (HasOneLane, "test_a_full_lane_does_not_hold_up_the_other", ()),
    (IsNeverWarm, "test_each_lane_becomes_warm", ()),
    (CountsOnlyFreePlaces, "test_it_says_how_many_tasks_of_a_lane_run_at_once", ()),
    (LetsWorkGoOnWhenClosed, "test_closing_ends_what_runs_and_what_waits", ()),
    (TakesWorkWhenClosed, "test_a_closed_pool_takes_nothing_and_may_be_closed_again", ()),
]


def refuse(payload):
    raise suite.error_classes()[payload.meta["code"]](
        payload.meta["message"], solution=payload.meta["solution"], details=payload.meta["details"]
    )


def fail(payload):
    raise ValueError(payload.meta["message"])


@pytest.fixture
def morning():
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def make(morning):
    pools = []

    def sleep(payload):
        morning.wait(payload.meta["seconds"])
        return Payload()

    def make_pool(pool_class):
        operations = {"echo": lambda payload: payload, "sleep": sleep, "refuse": refuse, "fail": fail}
        pools.append(pool_class(operations, size=ComputePoolConformance.size))
        return pools[-1]

    yield make_pool
    for pool in pools:
        FunctionPool.close(pool)


@pytest.mark.parametrize(("broken", "test", "arguments"), CAUGHT, ids=lambda value: getattr(value, "__name__", None))
def test_a_broken_pool_fails_and_a_sound_one_passes(make, monkeypatch, broken, test, arguments):
    run = getattr(ComputePoolConformance(), test)
    run(make(FunctionPool), *arguments)
    monkeypatch.setattr(suite, "PATIENCE_S", 1.0)
    with pytest.raises((AssertionError, pytest.fail.Exception, TimeoutError, QDepotError)):
        run(make(broken), *arguments)
