from __future__ import annotations

import math
import socket
import threading

import pytest

from qdepot.adapters.compute.event_loop import EventLoop

PATIENCE_S = 30.0


class Recorder:
    def __init__(self):
        self.wake_at = math.inf
        self.reasons = []
        self.ended = threading.Event()

    def turn(self, now):
        wake_at, self.wake_at = self.wake_at, math.inf
        return wake_at

    def on_end(self, reason):
        self.reasons.append(reason)
        self.ended.set()


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def loop(recorder):
    loop = EventLoop(turn=recorder.turn, on_end=recorder.on_end)
    loop.start()
    yield loop
    loop.call(loop.stop)
    loop.join()


def on_the_loop(loop, action):
    """Call something on the loop's thread and wait for what it gives back."""
    done = threading.Event()
    got = []
    assert loop.call(lambda: (got.append(action()), done.set()))
    assert done.wait(PATIENCE_S)
    return got[0]


def test_calls_are_made_in_order_on_one_thread(loop):
    seen = []
    for number in range(100):
        loop.call(lambda number=number: seen.append((number, threading.get_ident())))
    on_the_loop(loop, lambda: None)
    assert [number for number, _ in seen] == list(range(100))
    assert {thread for _, thread in seen} != {threading.get_ident()}


def test_a_channel_is_watched_until_it_is_forgotten(loop):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        heard = threading.Semaphore(0)
        on_the_loop(loop, lambda: loop.watch(ours, lambda: (ours.recv(10), heard.release())))
        theirs.send(b"a")
        assert heard.acquire(timeout=PATIENCE_S)
        on_the_loop(loop, lambda: loop.forget(ours))
        theirs.send(b"b")
        on_the_loop(loop, lambda: loop.forget(ours))
        assert ours.recv(10) == b"b"


def test_what_one_channel_ends_is_not_called_any_more(loop):
    pairs = [socket.socketpair() for _ in range(2)]
    calls = []

    def end_both():
        calls.append(True)
        for ours, _ in pairs:
            loop.forget(ours)

    def ring_both():
        for ours, theirs in pairs:
            loop.watch(ours, end_both)
            theirs.send(b"a")

    on_the_loop(loop, ring_both)
    on_the_loop(loop, lambda: None)
    for pair in pairs:
        for end in pair:
            end.close()
    assert calls == [True]


def test_it_ends_when_it_is_stopped_and_takes_no_calls_after_that(loop, recorder):
    loop.call(loop.stop)
    loop.join()
    assert recorder.reasons == [None]
    assert not loop.call(lambda: None)


def test_it_tells_what_made_it_fail_and_still_makes_the_calls_that_it_took(loop, recorder):
    made = threading.Event()
    gate = threading.Event()
    loop.call(lambda: gate.wait(PATIENCE_S))
    loop.call(lambda: 1 / 0)
    loop.call(made.set)
    gate.set()
    assert recorder.ended.wait(PATIENCE_S)
    assert made.wait(PATIENCE_S)
    assert isinstance(recorder.reasons[0], ZeroDivisionError)


def test_joining_from_the_loop_itself_does_not_wait_for_ever(loop):
    assert on_the_loop(loop, loop.join) is None
