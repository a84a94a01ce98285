"""qdepot: submit a circuit, get a job id at once, and keep the result permanently in your own object store."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str
    from qdepot import errors
    from qdepot.client.async_client import AsyncClient
    from qdepot.client.client import Client
    from qdepot.client.handle import AsyncJobHandle, JobHandle
    from qdepot.client.jobspec import JobSpec
    from qdepot.client.results import Result
    from qdepot.domain.job import JobStatus
    from qdepot.errors import JobFailedError, QDepotError, UnavailableError, WaitTimeoutError

__all__ = [
    "AsyncClient",
    "AsyncJobHandle",
    "Client",
    "JobFailedError",
    "JobHandle",
    "JobSpec",
    "JobStatus",
    "QDepotError",
    "Result",
    "UnavailableError",
    "WaitTimeoutError",
    "errors",
]

_HOMES = {
    "AsyncClient": "qdepot.client.async_client",
    "AsyncJobHandle": "qdepot.client.handle",
    "Client": "qdepot.client.client",
    "JobFailedError": "qdepot.errors",
    "JobHandle": "qdepot.client.handle",
    "JobSpec": "qdepot.client.jobspec",
    "JobStatus": "qdepot.domain.job",
    "QDepotError": "qdepot.errors",
    "Result": "qdepot.client.results",
    "UnavailableError": "qdepot.errors",
    "WaitTimeoutError": "qdepot.errors",
}


def __getattr__(name: str) -> object:
    # Loaded on first use: HTTP and validation are slower to load than all the rest together.
    if name == "errors":
        return import_module("qdepot.errors")
    if name == "__version__":
        return import_module("importlib.metadata").version("qdepot")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
