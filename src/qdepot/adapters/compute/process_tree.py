"""The supervisor and its children: started, listened to, killed, buried and started again."""

from __future__ import annotations

import functools
import itertools
import logging
import math
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from qdepot.adapters.compute import verdicts
from qdepot.adapters.compute.child_link import ChildLink, ChildState
from qdepot.adapters.compute.event_loop import EventLoop
from qdepot.adapters.compute.options import PoolOptions
from qdepot.adapters.compute.orders import Order
from qdepot.adapters.compute.spool import storage_for
from qdepot.adapters.compute.supervisor_link import SupervisorLink
from qdepot.domain.framing import Frame, FrameDecoder
from qdepot.errors import InternalError, InvalidRequestError, QDepotError
from qdepot.ports.compute_pool import Lane, Payload

_log = logging.getLogger(__name__)

_READ_BYTES = 256 * 1024
_LOAD_WITHIN_S = 300.0  # of a supervisor: a cold disk may be slow
_START_WITHIN_S = 30.0  # of a child, once the supervisor is loaded
_KILL_WITHIN_S = 5.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Who wants to know of children.

    Attributes:
        on_supervisor: There is a supervisor, which was not there before.
        on_idle: A child is warm, or has answered. It may be doomed already.
        on_gone: A child has ended, and its order with it.
    """

    on_supervisor: Callable[[], None]
    on_idle: Callable[[ChildLink], None]
    on_gone: Callable[[ChildLink], None]


class ProcessTree:
    """Keeps one supervisor alive. Used on the loop's thread alone.

    Attributes:
        children: All that are not known to be dead, by number.
        failed_starts: How often in a row a supervisor ended before it was loaded.
        complaint: The end of what the last one said that was lost.
        problem: Why children refuse all work, by their own word; None if they do not.
        walls: What the last supervisor found of its sandbox: by name empty, or why a wall is missing.
    """

    def __init__(self, options: PoolOptions, loop: EventLoop, listener: Listener) -> None:
        self.children: dict[int, ChildLink] = {}
        self.failed_starts = 0
        self.complaint = ""
        self.problem: str | None = None
        self.walls: dict[str, object] = {}
        self._options = options
        self._loop = loop
        self._listener = listener
        self._numbers = itertools.count(1)
        self._supervisor: SupervisorLink | None = None
        self._start_at = 0.0
        self._load_by = math.inf
        self._buffer = memoryview(bytearray(_READ_BYTES))

    def tick(self, now: float) -> None:
        """Start a supervisor if there is none, and do what is due with children."""
        if self._supervisor is None and now >= self._start_at:
            self._start(now)
        if now >= self._load_by:
            self._lose("did not load in time")
        for child in list(self.children.values()):
            if now >= child.due_at:
                self._on_due(child)

    def next_tick(self) -> float:
        """When :meth:`tick` has something to do even if nothing happens until then."""
        if self._supervisor is None:
            return self._start_at
        return min([self._load_by, *[child.due_at for child in self.children.values()]])

    def fork(self, lane: Lane) -> ChildLink | None:
        """Order a child; None while there is no supervisor.

        Raises:
            OSError: The system, or the supervisor, refuses.
        """
        if self._supervisor is None:
            return None
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                number = next(self._numbers)
                self._supervisor.fork(number, theirs)
            ours.setblocking(False)
        except OSError:
            ours.close()
            raise
        child = ChildLink(number=number, lane=lane, channel=ours, decoder=self._decoder())
        if self._supervisor.said_hello:
            child.due_at = time.monotonic() + _START_WITHIN_S
        self.children[number] = child
        self._watch(child)
        return child

    def _decoder(self) -> FrameDecoder:
        options = self._options
        storage = functools.partial(storage_for, in_memory_bytes=options.in_memory_bytes, folder=options.spool_dir)
        return FrameDecoder(max_body_bytes=options.max_result_bytes, storage=storage)

    def give(self, child: ChildLink, order: Order, *, now: float) -> None:
        """Start an order on an idle child."""
        child.give(order, now=now)
        if child.send():
            self._watch(child, self._on_writable)

    def doom(self, child: ChildLink, verdict: QDepotError | None = None) -> None:
        """Have a child killed.

        Args:
            child: Whose order ends once it is dead.
            verdict: How its order ends; None: as the supervisor's report says.
        """
        if child.state is ChildState.DYING:
            return
        child.state = ChildState.DYING
        child.verdict = verdict
        child.due_at = time.monotonic() + _KILL_WITHIN_S
        self._loop.forget(child.channel)
        if self._supervisor is not None:
            try:
                self._supervisor.kill(child.number)
            except OSError:
                child.due_at = 0.0  # the supervisor does not listen: the next tick ends it

    def end(self, verdict: QDepotError) -> None:
        """End all processes; orders that run end with ``verdict``."""
        for child in self.children.values():
            child.verdict = verdict
        self._let_go(gently=True)

    # The supervisor

    def _start(self, now: float) -> None:
        try:
            self._supervisor = SupervisorLink(
                self._options.module, threads=self._options.threads, sandbox=self._options.sandbox
            )
        except OSError as error:
            _log.error("pool_supervisor_not_started", extra={"reason": str(error)})
            self._count_failure(now, complaint=str(error))
        else:
            self._load_by = now + _LOAD_WITHIN_S
            self._loop.watch(self._supervisor.control, self._on_control)
            self._listener.on_supervisor()

    def _count_failure(self, now: float, *, complaint: str) -> None:
        self._start_at = now + min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**self.failed_starts)
        self.failed_starts += 1
        self.complaint = complaint

    def _on_control(self) -> None:
        frames = self._supervisor.receive() if self._supervisor is not None else None
        if frames is None:
            self._lose("ended")
            return
        for frame in frames:
            if frame.kind == "hello":
                self._on_hello(frame)
            elif (child := self.children.get(frame.number)) is not None:
                self._on_gone(child, frame)

    def _on_hello(self, frame: Frame) -> None:
        assert self._supervisor is not None
        self._supervisor.said_hello = True
        self._load_by = math.inf
        self.failed_starts = 0
        for child in self.children.values():
            child.due_at = time.monotonic() + _START_WITHIN_S
        problem = frame.meta.get("problem")
        self.problem = problem if isinstance(problem, str) else None
        if self.problem is not None:
            _log.error("pool_cannot_load", extra={"problem": self.problem})
        self._tell_walls(frame.meta.get("walls"), is_essential=frame.meta.get("gap") is not None)

    def _tell_walls(self, walls: object, *, is_essential: bool) -> None:
        """Log, once, what stands between a circuit and this machine; a warning where something essential does not."""
        if not isinstance(walls, dict) or self.walls == walls:
            return
        self.walls = walls
        missing = {name: reason for name, reason in walls.items() if reason}
        level = logging.WARNING if is_essential else logging.INFO
        stand = [name for name in walls if name not in missing]
        _log.log(level, "pool_sandbox", extra={"closed": stand, "open": missing})

    def _lose(self, how: str) -> None:
        """The supervisor is gone or of no more use: start another one."""
        assert self._supervisor is not None
        was_loaded = self._supervisor.said_hello
        complaint = self._let_go(gently=False)
        _log.warning("pool_supervisor_lost", extra={"how": how, "loaded": was_loaded, "complaint": complaint})
        self._start_at = 0.0
        if not was_loaded:
            self._count_failure(time.monotonic(), complaint=complaint)

    def _let_go(self, *, gently: bool) -> str:
        supervisor, self._supervisor = self._supervisor, None
        self._load_by = math.inf
        complaint = ""
        if supervisor is not None:
            self._loop.forget(supervisor.control)
            complaint = supervisor.end(gently=gently)
        for child in list(self.children.values()):
            self._bury(child, child.verdict or verdicts.lost("ended together with its supervisor"))
        return complaint

    # Children

    def _watch(self, child: ChildLink, on_writable: Callable[[ChildLink], None] | None = None) -> None:
        on_readable = functools.partial(self._on_readable, child)
        self._loop.watch(child.channel, on_readable, functools.partial(on_writable, child) if on_writable else None)

    def _on_writable(self, child: ChildLink) -> None:
        if not child.send():
            self._watch(child)

    def _on_readable(self, child: ChildLink) -> None:
        try:
            for frame in child.receive(self._buffer):
                self._on_frame(child, frame)
        except QDepotError as error:
            self.doom(child, error)
        except OSError as error:
            reason = error.strerror or "of an error"
            self.doom(child, verdicts.lost("was stopped: its result could not be stored", reason=reason))
        if child.hung_up:
            self.doom(child)

    def _on_frame(self, child: ChildLink, frame: Frame) -> None:
        resident = frame.meta.get("resident_bytes", 0)
        resident = resident if isinstance(resident, int) else 0
        if frame.kind == "ready" and child.state is ChildState.STARTING:
            child.started(resident_bytes=resident)
            self._listener.on_idle(child)
        elif child.state is ChildState.BUSY and child.order is not None and frame.number == child.order.number:
            self._on_answer(child, frame, resident_bytes=resident)
        elif child.state is not ChildState.DYING:
            raise InternalError("a child said what it was not asked for")

    def _on_answer(self, child: ChildLink, frame: Frame, *, resident_bytes: int) -> None:
        order = child.order
        assert order is not None
        outcome = _outcome(frame, order)
        child.answered(resident_bytes=resident_bytes)
        grown = child.resident_bytes - child.resident_at_start > self._options.growth_bytes
        worn = grown or child.tasks_done >= self._options.tasks_per_child
        if worn or not isinstance(outcome, Payload | InvalidRequestError):
            self.doom(child)
        order.handle.finish(outcome)
        self._listener.on_idle(child)

    def _on_due(self, child: ChildLink) -> None:
        if child.state is ChildState.BUSY and child.order is not None:
            self.doom(child, verdicts.out_of_time(child.order.limits))
        elif child.state is ChildState.STARTING:
            self.doom(child)
        elif self._supervisor is not None:
            self._lose("did not kill a child in time")

    def _on_gone(self, child: ChildLink, report: Frame) -> None:
        if child.state is not ChildState.DYING:
            self._on_readable(child)  # it may have answered before it died
        error = child.verdict
        if error is None and child.order is not None:
            error = verdicts.death(report.meta, child.order.limits)
        self._bury(child, error)

    def _bury(self, child: ChildLink, error: QDepotError | None) -> None:
        del self.children[child.number]
        self._loop.forget(child.channel)
        child.close()
        if child.order is not None and error is not None:
            child.order.handle.finish(error)
        self._listener.on_gone(child)


def _outcome(frame: Frame, order: Order) -> Payload | QDepotError:
    """What a task ends with, from the frame that answers it.

    Raises:
        InternalError: It is no answer.
    """
    if frame.kind == "error":
        return verdicts.said_by_child(frame.meta, order.limits)
    meta = frame.meta.get("meta")
    if frame.kind != "result" or not isinstance(meta, dict):
        raise InternalError("a child's answer is neither a result nor an error")
    return Payload(meta=meta, parts=frame.parts)
