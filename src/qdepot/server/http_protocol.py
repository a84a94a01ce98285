"""HTTP/1.1 from clients that are slow, or never come to an end."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from qdepot.server.connections import ConnectionLimits, Connections

MAX_HEAD_BYTES = 64 * 1024
"""Longest request line with headers."""

_DRAIN_BYTES_PER_S = 64 * 1024**2
"""How fast the rest of bodies is read that were refused, of all connections together: reading it takes time from
others."""


class Pace:
    """Spreads work over time, so that no more than a rate is done."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._free_at = 0.0

    def delay_s(self, amount: float, *, now: float) -> float:
        """Seconds until an amount that was done just now is paid for."""
        self._free_at = max(self._free_at, now) + amount / self._per_s
        return self._free_at - now


class LimitedProtocol(HttpToolsProtocol):
    """A connection that gives requests a limited time, and heads a limited length.

    Lengths of bodies are limited where they are read.
    """

    limits: ConnectionLimits
    open_connections: Connections
    drain_pace: Pace

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own arguments
        super().__init__(*args, **kwargs)
        self.address = ""
        self._reading: Literal["head", "body"] | None = "head"
        self._began_at = self.loop.time()
        self._bytes = 0
        self._watch: asyncio.TimerHandle | None = None
        self._resume: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """No request is being worked on."""
        return not self.pipeline and (self.cycle is None or self.cycle.response_complete)

    def drop(self) -> None:
        """Close the connection without a word."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Take the connection up, or close it if there are too many."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        if not self.open_connections.add(self):
            self._refuse(503, "There are too many connections; try again later.")
            return
        self._expect("head")
        self._look_again()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.open_connections.remove(self)
        for timer in (self._watch, self._resume):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        if self._reading != "head":
            self._expect("head")

    def on_headers_complete(self) -> None:
        """A body begins, if there is one."""
        self._expect("body")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of a request has come."""
        self._expect(None)
        super().on_message_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body; of one that is not wanted any more only slowly."""
        super().on_body(body)
        if self.cycle.response_complete:
            self._slow_down(len(body))

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._bytes += len(data)
        super().data_received(data)
        if self._reading == "head" and self._bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The head of a request may have {MAX_HEAD_BYTES} bytes.")
        if self._reading is not None and self._watch is None and not self.transport.is_closing():
            self._look_again()

    def _expect(self, part: Literal["head", "body"] | None) -> None:
        self._reading = part
        self._began_at = self.loop.time()
        self._bytes = 0

    def _look_again(self) -> None:
        """Close the connection if its time is over; else look again when it could be."""
        self._watch = None
        if self._reading is None or self.transport.is_closing():
            return
        now = self.loop.time()
        # The client is not slow where the service does not read, or works on a request before this one.
        if self.flow.read_paused or (self._reading == "head" and not self.is_idle):
            self._began_at, self._bytes = now, 0
        left_s = self._began_at + self._allowed_s() - now
        if left_s > 0:
            self._watch = self.loop.call_later(left_s, self._look_again)
        elif self._reading == "head" and not self._bytes:
            self.transport.close()  # it was opened in advance, and is not needed
        else:
            self._refuse(408, f"The {self._reading} of the request did not come in time.")

    def _allowed_s(self) -> float:
        if self._reading == "head":
            return self.limits.head_timeout_s
        return self.limits.body_timeout_s + self._bytes / self.limits.body_bytes_per_s

    def _slow_down(self, size: int) -> None:
        delay_s = self.drain_pace.delay_s(size, now=self.loop.time())
        if self._resume is None and not self.transport.is_closing():
            self.flow.pause_reading()
            self._resume = self.loop.call_later(delay_s, self._read_on)

    def _read_on(self) -> None:
        self._resume = None
        if not self.transport.is_closing():
            self.flow.resume_reading()

    def _refuse(self, status: Literal[408, 503], text: str) -> None:
        if self.cycle is None or not self.cycle.response_started:  # nothing was said on it before
            phrase = {408: "Request Timeout", 503: "Service Unavailable"}[status]
            self.transport.write(
                f"HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
                f"content-length: {len(text)}\r\nconnection: close\r\n\r\n{text}".encode("ascii")
            )
        self.transport.close()


def protocol_class(limits: ConnectionLimits) -> type[LimitedProtocol]:
    """The protocol of one server, whose connections are counted together."""

    class OfServer(LimitedProtocol):
        pass

    OfServer.limits = limits
    OfServer.open_connections = Connections(limits)
    OfServer.drain_pace = Pace(_DRAIN_BYTES_PER_S)
    return OfServer
