"""A child's loop, without a process around it."""

from __future__ import annotations

import socket
import threading

import pytest

from qdepot.domain.framing import Frame, FrameDecoder, encoded
from qdepot.ports.compute_pool import Limits
from qdepot.quantum import sandbox
from qdepot.quantum.worker import Table, Worker
from qdepot.testing.drill import OPERATIONS

LIMITS = Limits(time_s=1.0, memory_bytes=1000, cpu_time_s=2.0, file_bytes=3, open_files=40)


class Talk:
    """The service's side of a channel to a worker."""

    def __init__(self, channel):
        self.channel = channel
        self.decoder = FrameDecoder(max_body_bytes=1 << 30)

    def hear(self):
        while not (frames := self.decoder.feed(self.channel.recv(1 << 20))):
            pass
        (frame,) = frames
        return frame

    def ask(self, operation, meta=None, parts=None, number=1):
        order = {"operation": operation, "limits": LIMITS.plain(), "meta": meta or {}}
        for piece in encoded(Frame(kind="run", number=number, meta=order, parts=parts or {})):
            self.channel.sendall(piece)
        return self.hear()


@pytest.fixture
def walls(monkeypatch):
    """The walls would be around the tests: they are only counted."""
    built = []
    monkeypatch.setattr(sandbox, "confine", lambda limits: built.append(("all its life", limits)))
    monkeypatch.setattr(sandbox, "allow_cpu_time", lambda limits: built.append(("task", limits)))
    return built


@pytest.fixture
def talk(walls):
    threads = []
    channels = []

    def make(problem=None):
        ours, theirs = socket.socketpair()
        channels.extend([ours, theirs])
        worker = Worker(channel=theirs, table=Table(operations=OPERATIONS), problem=problem)
        threads.append(threading.Thread(target=worker.serve))
        threads[-1].start()
        ours.settimeout(30)
        return Talk(ours)

    yield make
    for channel in channels[::2]:
        channel.close()
    for thread in threads:
        thread.join()
    for channel in channels[1::2]:
        channel.close()


def test_it_says_that_it_is_ready_and_answers_with_the_number_it_was_asked_with(talk):
    it = talk()
    assert it.hear().kind == "ready"
    answer = it.ask("echo", {"n": 1}, {"a": b"b"}, number=42)
    assert (answer.kind, answer.number, answer.meta["meta"], bytes(answer.parts["a"])) == ("result", 42, {"n": 1}, b"b")


def test_memory_and_files_are_limited_once_and_the_cpu_time_for_each_task(talk, walls):
    it = talk()
    it.hear()
    it.ask("echo")
    it.ask("echo")
    assert walls == [("all its life", LIMITS), ("task", LIMITS), ("task", LIMITS)]


def test_a_failure_tells_its_kind_and_place_but_not_its_words(talk):
    it = talk()
    it.hear()
    answer = it.ask("fail", {"message": "OPENQASM 3;"})
    assert answer.kind == "error"
    assert answer.meta["code"] == "internal_error"
    assert "ValueError" in answer.meta["message"]
    assert any("drill.py" in line for line in answer.meta["trace"])
    assert "OPENQASM" not in repr(answer)


@pytest.mark.parametrize("details", [{"x": "y" * 100_000}, {"small": None}])
def test_details_that_are_too_large_are_left_out(talk, details):
    it = talk()
    it.hear()
    answer = it.ask("refuse", {"code": "invalid_program", "message": "m" * 10_000, "details": details})
    assert len(answer.meta["message"]) == 4000
    assert answer.meta["details"] == ({} if "x" in details else details)


def test_what_is_missing_is_the_answer_to_every_task(talk):
    it = talk(problem="ImportError: No module named 'qiskit'")
    assert it.hear().meta["problem"] == "ImportError: No module named 'qiskit'"
    answer = it.ask("echo")
    assert (answer.kind, answer.meta["code"]) == ("error", "unavailable")
    assert "qiskit" in answer.meta["message"]
    assert "extras `server` and `aer`" in answer.meta["solution"]


def test_it_ends_with_its_channel():
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs, pytest.raises(ConnectionError):
        Worker(channel=theirs, table=Table(operations={})).serve()
