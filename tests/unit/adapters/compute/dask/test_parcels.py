from __future__ import annotations

import json

import pytest

from qdepot.adapters.compute.dask.parcels import packed_outcome, packed_task, unpacked_outcome, unpacked_task
from qdepot.domain.framing import Frame, encoded
from qdepot.errors import (
    InternalError,
    InvalidProgramError,
    PermissionDeniedError,
    ResourceLimitError,
    TaskCancelledError,
    TimeLimitExceededError,
    WorkerLostError,
)
from qdepot.ports.compute_pool import Lane, Limits, Payload, Task


def opened(parcel, *, max_bytes=1 << 20, in_memory_bytes=1 << 20):
    return unpacked_outcome(memoryview(parcel), max_bytes=max_bytes, in_memory_bytes=in_memory_bytes, folder=None)


def framed(kind, meta):
    return b"".join(encoded(Frame(kind=kind, meta=meta)))


def test_a_task_arrives_as_it_was_sent():
    task = Task(
        operation="simulate",
        payload=Payload(meta={"n": 2**70, "text": "π"}, parts={"a": b"x", "empty": b""}),
        lane=Lane.RUN,
        limits=Limits(time_s=0.25, memory_bytes=2**30, cpu_time_s=0.5, file_bytes=7, open_files=70),
        owner="ada",
    )
    back = unpacked_task(packed_task(task))
    assert (back.operation, back.lane, back.limits, back.owner) == ("simulate", Lane.RUN, task.limits, "ada")
    assert back.payload.meta == task.payload.meta
    assert {name: bytes(part) for name, part in back.payload.parts.items()} == {"a": b"x", "empty": b""}


def test_a_task_without_end_can_be_sent():
    task = Task(operation="echo", payload=Payload(), limits=Limits(time_s=float("inf")))
    assert unpacked_task(packed_task(task)).limits.time_s == 1e9


def test_what_was_sent_may_change_afterwards():
    part = bytearray(b"before")
    parcel = packed_task(Task(operation="echo", payload=Payload(parts={"a": part})))
    part[:] = b"after!"
    assert bytes(unpacked_task(parcel).payload.parts["a"]) == b"before"


@pytest.mark.parametrize("in_memory_bytes", [0, 1 << 20], ids=["file", "memory"])
def test_a_result_arrives_as_it_was_sent_and_cannot_be_changed(in_memory_bytes):
    sent = Payload(meta={"x": 0.1}, parts={"one": b"1" * 1000, "none": b"", "two": b"2"})
    back, run_s = opened(packed_outcome(sent, run_s=1.5), in_memory_bytes=in_memory_bytes)
    assert isinstance(back, Payload)
    assert (back.meta, run_s) == ({"x": 0.1}, 1.5)
    assert {name: bytes(part) for name, part in back.parts.items()} == sent.parts
    assert all(memoryview(part).readonly for part in back.parts.values())


def test_a_result_that_is_too_large_is_not_taken():
    with pytest.raises(ResourceLimitError, match="1,000"):
        opened(packed_outcome(Payload(parts={"a": bytes(1000)}), run_s=0.0), max_bytes=999)


@pytest.mark.parametrize("error_class", [InvalidProgramError, TimeLimitExceededError, WorkerLostError, InternalError])
def test_an_error_arrives_as_it_was_raised(error_class):
    sent = error_class("what: π", solution="do so", details={"line": 3, "at": [1, "x"]})
    back, _ = opened(packed_outcome(sent, run_s=0.0))
    assert type(back) is error_class
    assert (back.message, back.solution, back.details) == (sent.message, sent.solution, sent.details)


@pytest.mark.parametrize("error_class", [TaskCancelledError, PermissionDeniedError])
def test_an_error_that_no_task_can_end_with_is_a_mistake(error_class):
    back, _ = opened(packed_outcome(error_class("no"), run_s=0.0))
    assert type(back) is InternalError


def test_an_unknown_error_is_a_mistake():
    told = {"code": "nobody_knows", "message": "?", "solution": "", "details": {}, "run_s": 0.0}
    back, _ = opened(framed("error", told))
    assert type(back) is InternalError


BAD = [
    b"",
    b"x" * 100,
    packed_outcome(Payload(), run_s=0.0).tobytes()[:-1],
    packed_outcome(Payload(), run_s=0.0).tobytes() * 2,
    framed("result", {"run_s": 0.0}),
    framed("result", {"run_s": 0.0, "meta": 7}),
    framed("result", {"run_s": "long", "meta": {}}),
    framed("error", {"run_s": 0.0, "code": "internal_error"}),
]


@pytest.mark.parametrize("parcel", BAD, ids=range(len(BAD)))
def test_what_is_no_outcome_is_a_mistake(parcel):
    with pytest.raises(InternalError):
        opened(parcel)


@pytest.mark.parametrize("change", [{"lane": "fast"}, {"meta": []}, {"limits": {}}], ids=json.dumps)
def test_what_is_no_task_is_a_mistake(change):
    meta = {"operation": "echo", "lane": "run", "owner": "ada", "limits": Limits().plain(), "meta": {}}
    assert unpacked_task(framed("task", meta))
    with pytest.raises(InternalError):
        unpacked_task(framed("task", {**meta, **change}))
