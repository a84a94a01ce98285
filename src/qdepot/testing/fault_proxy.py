"""A TCP proxy that breaks connections on command."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

_PIECE_BYTES = 64 * 1024
_LINGER_NOT = struct.pack("ii", 1, 0)  # a close that drops what was not sent, and says RST


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to connections, those that are open included. The default: nothing.

    Attributes:
        delay_s: Each piece of data is held for so long.
        bytes_per_s: No more than this gets through, in each direction of each connection.
        cut_after_sent: The connection is reset once the client has sent so many bytes more; those arrive.
        cut_after_answered: The same for bytes of the answer: with 0 a request arrives, and nothing comes back.
        black_hole: Data is swallowed; connections that lost some are reset once this ends.
        refuse: No connection comes about, and open ones are reset.
        reset: Connections come about and are reset.
    """

    delay_s: float = 0.0
    bytes_per_s: float | None = None
    cut_after_sent: int | None = None
    cut_after_answered: int | None = None
    black_hole: bool = False
    refuse: bool = False
    reset: bool = False


@dataclass(slots=True, eq=False)
class _Link:
    """One connection: the client's end, the server's end, what passed since the fault began."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    passed: dict[str, int] = field(default_factory=lambda: {"sent": 0, "answered": 0})
    lost_data: bool = False
    is_cut: bool = False

    def reset(self) -> None:
        """Break both ends."""
        self.break_end(self.client)
        self.break_end(self.server)

    @staticmethod
    def break_end(end: asyncio.StreamWriter | None) -> None:
        """Reset one end, with what was not sent yet."""
        if end is None or end.is_closing():
            return
        with contextlib.suppress(OSError):
            end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        end.transport.abort()

    def close(self) -> None:
        """End in peace, with all data delivered."""
        self.client.close()
        if self.server is not None:
            self.server.close()


class FaultProxy:
    """Listens on 127.0.0.1 and passes everything on to a server, unless told otherwise. Use it in a ``with``.

    Args:
        upstream: The server: a port on 127.0.0.1, or the path of a Unix socket.
        tap: Sees each piece of data that a client sent, before it is passed on.

    Attributes:
        port: Where clients connect.
        connections: How many there were.
    """

    def __init__(self, upstream: int | Path, *, tap: Callable[[bytes], None] | None = None) -> None:
        self._upstream = upstream
        self._tap = tap
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        # Never listens: it keeps the port ours while connections are refused.
        self._holder = _bound(0)
        self.port: int = self._holder.getsockname()[1]
        self.connections = 0
        self._listener: asyncio.Server | None = None
        self._fault = Fault()
        self._links: set[_Link] = set()

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        self._wait_for(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wait_for(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._holder.close()

    def play(self, fault: Fault) -> None:
        """Let this happen from now on, until told otherwise; any thread."""
        self._wait_for(self._play(fault))

    def heal(self) -> None:
        """Pass everything on."""
        self.play(Fault())

    def _wait_for(self, step: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(step, self._loop).result()

    async def _play(self, fault: Fault) -> None:
        self._fault = fault
        for link in list(self._links):
            link.passed = {"sent": 0, "answered": 0}
            if fault.refuse or fault.reset or (link.lost_data and not fault.black_hole):
                link.reset()
        if fault.refuse and self._listener is not None:
            self._listener.close()
            self._listener = None
        elif not fault.refuse and self._listener is None:
            await self._listen()

    async def _listen(self) -> None:
        self._listener = await asyncio.start_server(self._serve, sock=_bound(self.port))

    async def _end(self) -> None:
        if self._listener is not None:
            self._listener.close()
        for link in list(self._links):
            link.reset()
        pumps = asyncio.all_tasks() - {asyncio.current_task()}
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        link = _Link(writer)
        self._links.add(link)
        try:
            if self._fault.reset:
                link.reset()
            else:
                await self._pass_on(link, reader)
                link.close()
        except OSError:
            link.reset()
        finally:
            self._links.discard(link)

    async def _pass_on(self, link: _Link, reader: asyncio.StreamReader) -> None:
        if isinstance(self._upstream, Path):
            answers, link.server = await asyncio.open_unix_connection(self._upstream)
        else:
            answers, link.server = await asyncio.open_connection("127.0.0.1", self._upstream)
        pumps = [
            asyncio.create_task(self._pump(link, reader, link.server, "sent")),
            asyncio.create_task(self._pump(link, answers, link.client, "answered")),
        ]
        try:
            await asyncio.gather(*pumps)
        finally:
            for pump in pumps:
                pump.cancel()

    async def _pump(
        self, link: _Link, source: asyncio.StreamReader, target: asyncio.StreamWriter, direction: str
    ) -> None:
        while data := await source.read(_PIECE_BYTES):
            fault = self._fault
            if fault.delay_s or fault.bytes_per_s:
                await asyncio.sleep(fault.delay_s + (len(data) / fault.bytes_per_s if fault.bytes_per_s else 0.0))
            if link.is_cut:
                continue
            if self._fault.black_hole:
                link.lost_data = True
                continue
            most = self._fault.cut_after_sent if direction == "sent" else self._fault.cut_after_answered
            link.passed[direction] += len(data)
            beyond = 0 if most is None else max(0, link.passed[direction] - most)
            if direction == "sent" and self._tap is not None:
                self._tap(data)
            target.write(data[: len(data) - beyond])
            await target.drain()
            if beyond or link.passed[direction] == most:
                # What was passed on arrives, so this end is not reset but shut; what it still says goes nowhere.
                link.is_cut = True
                link.break_end(link.client if target is link.server else link.server)
                break
        with contextlib.suppress(OSError):
            target.write_eof()
            await target.drain()


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound
