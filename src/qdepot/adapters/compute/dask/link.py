"""The connection to a scheduler, from its opening until it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import dask
from distributed import Client, Future, Security

from qdepot.adapters.compute.dask.options import ClusterOptions
from qdepot.adapters.compute.dask.station import STARTED, hire, perform

_CLOSE_WITHIN_S = 2.0


class Link:
    """One client of Dask, which is not asked to connect again: what is lost with it has to be given out anew.

    Used on the pool's thread alone, in its event loop.
    """

    def __init__(self, client: Client, options: ClusterOptions) -> None:
        self._client: Any = client  # most of its methods have no types
        self._options = options
        self._scheduler_id: object = None

    @classmethod
    async def open(cls, options: ClusterOptions, *, on_started: Callable[[str], None]) -> Link:
        """Connect.

        Args:
            options: Where to.
            on_started: Called with the key of each task that a child works on, also those of other services.

        Raises:
            OSError: Nobody answers, or not as a scheduler does.
        """
        # It logs each loss as an error with a traceback; the pool tells of it, and goes on.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        # Circuits are as large as they are; a warning about that would be for a person at a notebook.
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TiB"})
        client: Any = Client(  # type: ignore[no-untyped-call]
            options.scheduler,
            security=_security(options),
            timeout=options.connect_s,
            asynchronous=True,
            set_as_default=False,
            name="qdepot",
            direct_to_workers=options.direct,
        )
        try:
            await asyncio.wait_for(client, options.connect_s + 1.0)
            client.subscribe_topic(STARTED, lambda event: on_started(str(event[1])))
        except BaseException:
            await _close(client)
            raise
        return cls(client, options)

    @property
    def is_sound(self) -> bool:
        """False once the connection broke."""
        return bool(self._client.status == "running")

    async def look(self) -> Mapping[str, Mapping[str, object]]:
        """What the scheduler knows of its workers, by address.

        Raises:
            OSError: It does not answer, or it is another one than before.
        """
        told = await asyncio.wait_for(self._client.scheduler.identity(n_workers=-1), self._options.silence_s)
        self._scheduler_id = self._scheduler_id or told["id"]
        if told["id"] != self._scheduler_id:
            raise OSError("the scheduler was started anew")
        workers: Mapping[str, Mapping[str, object]] = told["workers"]
        return workers

    async def hire(self, address: str) -> Mapping[str, object]:
        """Have a station made on a worker.

        Raises:
            Exception: Whatever the worker raised: qdepot may be missing there.
        """
        asked = self._client.run(hire, self._options.station, workers=[address])
        told: Mapping[str, object] = (await asyncio.wait_for(asked, self._options.silence_s))[address]
        return told

    def send(self, parcel: bytes, *, operation: str, address: str, boot: str) -> Future[memoryview]:
        """Have a task done by a worker, by this one alone, and only once.

        Dask would by itself give the task of a worker that died to the next one, and so let a task that kills workers
        go round. Bound to one address it has nowhere to go; the pool learns of the loss and ends it.
        """
        future: Future[memoryview] = self._client.submit(
            perform,
            parcel,
            station=self._options.station.name,
            boot=boot,
            key=f"qdepot-{operation}-{uuid.uuid4().hex}",
            workers=[address],
            allow_other_workers=False,
            retries=0,
            pure=False,
        )
        return future

    async def close(self) -> None:
        """Let go of all tasks; workers kill what they still do for us."""
        await _close(self._client)


async def _close(client: Client) -> None:
    with contextlib.suppress(Exception):
        closing = client.close(timeout=_CLOSE_WITHIN_S)  # type: ignore[no-untyped-call]
        await asyncio.wait_for(closing, 2 * _CLOSE_WITHIN_S)


def _security(options: ClusterOptions) -> Security:
    files = {
        "tls_ca_file": options.tls_ca,
        "tls_client_cert": options.tls_cert,
        "tls_client_key": options.tls_key,
    }
    given = {name: str(path) for name, path in files.items() if path is not None}
    return Security(require_encryption=options.scheduler.startswith("tls://"), **given)  # type: ignore[no-untyped-call]
