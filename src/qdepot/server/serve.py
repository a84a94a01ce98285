"""Listening: the application behind a socket, until it is told to stop."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from qdepot.errors import UnavailableError
from qdepot.server.connections import raise_open_files
from qdepot.server.http_protocol import protocol_class
from qdepot.server.listening import Listening
from qdepot.server.memory import keep_what_is_loaded, map_large_blocks
from qdepot.server.tls import CertificateFiles

GRACE_S = 10


def serve(app: FastAPI, listening: Listening | None = None, *, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve an application until SIGTERM or SIGINT, then return: requests under way get time to end, waits end at once.

    Args:
        app: From :func:`qdepot.server.app.build_app`.
        listening: Where, and how it is protected there; default: a free port of loopback.
        on_ready: Called with the service's URL once it takes requests.

    Raises:
        InvalidRequestError: It may not listen like that, or the TLS files cannot be used.
        UnavailableError: The address is taken.
    """
    map_large_blocks()
    keep_what_is_loaded()
    build_server(app, listening, on_ready=on_ready).run()


def build_server(
    app: FastAPI, listening: Listening | None = None, *, on_ready: Callable[[str], None] | None = None
) -> WebServer:
    """What :func:`serve` runs; for those who stop it by :meth:`WebServer.stop`. Arguments and errors as there."""
    listening = listening or Listening()
    listening.check()
    tls = _certificates(listening)
    limits = listening.connections.within(raise_open_files())
    config = uvicorn.Config(
        app,
        http=protocol_class(limits),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=limits.idle_timeout_s,
        timeout_graceful_shutdown=GRACE_S,
        ssl_context_factory=(lambda *_: tls.context()) if tls else None,
    )
    config.load()
    listener = _listen(listening.host, listening.port)
    return WebServer(config, listener=listener, url=_url(listener, listening), on_ready=on_ready)


class WebServer(uvicorn.Server):
    """Serves one application on one socket.

    Attributes:
        url: Where it is reached.
    """

    def __init__(
        self, config: uvicorn.Config, *, listener: socket.socket, url: str, on_ready: Callable[[str], None] | None
    ) -> None:
        super().__init__(config)
        self.url = url
        self._listener = listener
        self._on_ready = on_ready

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until :meth:`stop`, or a signal if this is the main thread."""
        with self._listener:
            super().run(sockets or [self._listener])

    def stop(self) -> None:
        """Come to an end. Quick; any thread."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        if self.started and self._on_ready is not None:
            self._on_ready(self.url)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Send those home who only wait; then let the others finish."""
        close_waits: Callable[[], None] = self.config.app.state.close_waits  # type: ignore[union-attr]  # a FastAPI
        close_waits()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals as a wish to stop, without raising them again: whoever called has still to tidy up."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _certificates(listening: Listening) -> CertificateFiles | None:
    if listening.tls_cert is None or listening.tls_key is None:
        return None
    return CertificateFiles(listening.tls_cert, listening.tls_key)


def _listen(host: str, port: int) -> socket.socket:
    address = "127.0.0.1" if host == "localhost" else host.strip("[]")
    try:
        return socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    except OSError as error:
        raise UnavailableError(
            f"cannot listen on {host}, port {port}: {error.strerror or error}",
            solution="Stop what listens there, or choose another port; 0 takes a free one.",
        ) from error


def _url(listener: socket.socket, listening: Listening) -> str:
    host = listening.host
    name = f"[{host}]" if ":" in host.strip("[]") and not host.startswith("[") else host
    return f"{'https' if listening.tls_cert else 'http'}://{name}:{listener.getsockname()[1]}"
