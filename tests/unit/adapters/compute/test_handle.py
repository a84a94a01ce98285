from __future__ import annotations

import logging

import pytest

from qdepot.adapters.compute.handle import Handle
from qdepot.errors import InvalidProgramError, TaskCancelledError
from qdepot.ports.compute_pool import Payload


@pytest.fixture
def stops():
    return []


@pytest.fixture
def handle(stops):
    return Handle(on_cancel=lambda: stops.append(True))


def test_a_handle_that_was_cancelled_does_not_begin(handle, stops):
    handle.cancel()
    assert (handle.begin(), handle.started, handle.done, stops) == (False, False, True, [True])


def test_cancelling_what_runs_is_left_to_the_pool(handle, stops):
    assert handle.begin()
    handle.cancel()
    assert (handle.done, stops) == (False, [True])


def test_cancelling_what_is_done_does_not_bother_the_pool(handle, stops):
    handle.finish(Payload())
    handle.cancel()
    assert stops == []


def test_only_the_first_end_counts(handle):
    handle.finish(Payload(meta={"n": 1}))
    handle.finish(TaskCancelledError())
    assert handle.result(0).meta == {"n": 1}


def test_every_caller_gets_an_error_with_all_that_it_says(handle):
    handle.finish(InvalidProgramError("no", solution="so", details={"line": 3}))
    caught = []
    for _ in range(2):
        with pytest.raises(InvalidProgramError) as error:
            handle.result(0)
        caught.append(error.value)
    assert caught[0] is not caught[1]
    assert [(e.message, e.solution, e.details) for e in caught] == [("no", "so", {"line": 3})] * 2


def test_a_callback_that_fails_is_logged_and_keeps_no_other_from_being_called(handle, caplog):
    calls = []
    handle.on_done(lambda: 1 / 0)
    handle.on_done(lambda: calls.append(handle.done))
    with caplog.at_level(logging.ERROR):
        handle.finish(Payload())
    assert calls == [True]
    assert "task_callback_failed" in caplog.text


def test_time_is_measured_from_the_begin_to_the_end(stops):
    times = iter([10.0, 11.5, 14.0])
    handle = Handle(on_cancel=lambda: None, monotonic=lambda: next(times))
    assert handle.run_s == 0.0
    handle.begin()
    assert handle.run_s == 1.5
    handle.finish(Payload())
    assert [handle.run_s, handle.run_s] == [4.0, 4.0]
