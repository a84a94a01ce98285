"""A little of S3, played by a server of the standard library; each test says in what its own is different."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from support.listening import listening


class Bucket(BaseHTTPRequestHandler):
    """Takes and gives whole objects, and deletes all of them at once; what is there is overwritten."""

    protocol_version = "HTTP/1.1"
    server: BucketServer

    def do_PUT(self) -> None:
        self.put(self._body())

    def do_GET(self) -> None:
        self.get()

    def do_HEAD(self) -> None:
        self.get()

    def do_POST(self) -> None:
        self.post(self._body())

    @property
    def key(self) -> str:
        """What is asked for, without the bucket."""
        return self.path.partition("?")[0].strip("/").partition("/")[2]

    def put(self, body: bytes) -> None:
        self.server.objects[self.key] = body
        self.answer(200)

    def get(self) -> None:
        content = self.server.objects.get(self.key)
        self.answer(404 if content is None else 200, content or b"<Error><Code>NoSuchKey</Code></Error>")

    def post(self, _body: bytes) -> None:
        deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in self.server.objects)
        self.server.objects.clear()
        self.answer(200, f"<DeleteResult>{deleted}</DeleteResult>".encode())

    def answer(self, status: int, content: bytes = b"") -> None:
        """As S3 answers."""
        self.server.requests.append((self.command, dict(self.headers)))
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def log_message(self, *_: Any) -> None:
        """Nowhere."""


class BucketServer(ThreadingHTTPServer):
    """What handlers share.

    Attributes:
        objects: By key.
        requests: Verb and headers of all that was answered.
    """

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.objects: dict[str, bytes] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[BucketServer]:
    with listening(BucketServer(handler)) as server:
        yield server
