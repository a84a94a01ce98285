"""What all commands share: where the service is, and how to reach it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import httpx

    from qdepot.client.client import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What was said before the command's name.

    Attributes:
        url: The service, if it was given.
        debug: Show tracebacks.
        transport: How HTTP is spoken; for tests.
    """

    url: str | None = None
    debug: bool = False
    transport: httpx.BaseTransport | None = None


@contextmanager
def connected(context: typer.Context) -> Iterator[Client]:
    """A client for the command."""
    from qdepot.client.client import Client

    session = context.find_object(Session) or Session()
    with Client(session.url, transport=session.transport) as client:
        yield client
