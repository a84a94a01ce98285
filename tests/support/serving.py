"""An application behind a real socket, served by a thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from fastapi import FastAPI

from qdepot.server.listening import Listening
from qdepot.server.serve import WebServer, build_server


@contextmanager
def served(app: FastAPI, **options) -> Iterator[WebServer]:
    """The application on a free port; options as of :class:`Listening`."""
    ready: queue.Queue[str] = queue.Queue()
    server = build_server(app, Listening(**options), on_ready=ready.put)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert ready.get(timeout=30) == server.url
        yield server
    finally:
        server.stop()
        thread.join(timeout=30)
        assert not thread.is_alive()


def address_of(server: WebServer) -> tuple[str, int]:
    """Where the server's socket is."""
    url = httpx.URL(server.url)
    assert url.port is not None
    return url.host, url.port
