"""A thread that waits for channels, for calls from other threads and for points in time, all at once."""

from __future__ import annotations

import math
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

Action = Callable[[], None]

_NOTHING = (None, None)


class EventLoop:
    """Runs everything that it is given on one thread of its own, one after the other.

    Attributes:
        turn: Called after each batch of events with the time on the monotonic clock; returns when it wants to be
            called again at the latest (``math.inf``: only after the next event).
        on_end: Called on the thread as its last act, with what made it end unless that was :meth:`stop`.
    """

    def __init__(self, *, turn: Callable[[float], float], on_end: Callable[[Exception | None], None]) -> None:
        self.turn = turn
        self.on_end = on_end
        self._selector = selectors.DefaultSelector()
        self._watched: dict[object, tuple[Action, Action | None]] = {}
        self._calls: deque[Action] = deque()
        self._lock = threading.Lock()
        self._woken = False
        self._stopped = False
        self._bell, self._ear = socket.socketpair()
        self._ear.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="qdepot-compute-pool", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def call(self, action: Action) -> bool:
        """Have ``action`` called on the thread, soon. From any thread; False if the loop has ended and will not."""
        with self._lock:
            if self._stopped:
                return False
            self._calls.append(action)
            if not self._woken:
                self._woken = True
                self._bell.send(b"\0")
            return True

    def stop(self) -> None:
        """End after the current batch of events. On the thread itself only."""
        with self._lock:
            self._stopped = True

    def join(self) -> None:
        """Wait until the thread has ended, unless this is that thread."""
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def watch(self, channel: socket.socket, on_readable: Action, on_writable: Action | None = None) -> None:
        """Call back whenever there is something to read or, with ``on_writable``, room to write. Replaces a watch."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if on_writable else 0)
        change = self._selector.modify if channel in self._watched else self._selector.register
        change(channel, events)
        self._watched[channel] = (on_readable, on_writable)

    def forget(self, channel: socket.socket) -> None:
        """Stop watching a channel; must come before it is closed. May be repeated."""
        if self._watched.pop(channel, None):
            self._selector.unregister(channel)

    def _run(self) -> None:
        reason: Exception | None = None
        try:
            self.watch(self._ear, self._on_bell)
            while not self._stopped:
                self._one_batch()
        except Exception as error:
            reason = error
        self.stop()
        try:
            self.on_end(reason)
            self._make_calls()
        finally:
            for resource in (self._selector, self._bell, self._ear):
                resource.close()

    def _one_batch(self) -> None:
        wake_at = self.turn(time.monotonic())
        timeout = None if wake_at == math.inf else max(0.0, wake_at - time.monotonic())
        for key, events in self._selector.select(timeout):
            for event, place in ((selectors.EVENT_READ, 0), (selectors.EVENT_WRITE, 1)):
                # Looked up anew: what was done for one channel may have ended the watch of another.
                action = self._watched.get(key.fileobj, _NOTHING)[place]
                if events & event and action is not None:
                    action()

    def _on_bell(self) -> None:
        self._ear.recv(64)
        self._woken = False  # before the calls are taken: one that comes in between rings again
        self._make_calls()

    def _make_calls(self) -> None:
        while self._calls:
            self._calls.popleft()()
