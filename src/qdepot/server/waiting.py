"""Waiting for jobs: a thousand waiters cost one query a change, and no thread."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from starlette.types import Receive

from qdepot.domain.caller import Caller
from qdepot.domain.job import Job
from qdepot.errors import QDepotError

logger = logging.getLogger(__name__)


class Look(Protocol):
    """Reads many jobs at once; blocks."""

    def __call__(self, job_ids: Sequence[str], *, caller: Caller) -> Mapping[str, Job]:
        """Those that exist, by id."""
        ...


@dataclass(slots=True, eq=False)
class _Waiter:
    job_id: str
    caller: Caller
    is_over: Callable[[Job], bool]
    seen: Job | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, job: Job | None) -> None:
        """What the job is now; one that vanished is not waited for any longer."""
        self.seen = job
        if job is None or self.is_over(job):
            self.done.set()


class Waiters:
    """All requests that wait for a job.

    One task looks, while anybody waits at all: at once when :meth:`wake` was called or somebody new came, else every
    ``poll_s``, and never more often than ``pause_s`` apart. It asks once per caller, however many wait.
    """

    def __init__(self, look: Look, *, poll_s: float = 1.0, pause_s: float = 0.01) -> None:
        self._look = look
        self._poll_s = poll_s
        self._pause_s = pause_s
        self._waiting: set[_Waiter] = set()
        self._changed = asyncio.Event()
        self._signalled = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def wake(self) -> None:
        """Jobs have changed. Quick; any thread."""
        if self._waiting and not self._signalled and self._loop is not None:
            self._signalled = True
            with suppress(RuntimeError):  # the loop was closed meanwhile: then nobody waits
                self._loop.call_soon_threadsafe(self._changed.set)

    def close(self) -> None:
        """Send everybody home with what was last seen, now and from now on. Only on the event loop's thread."""
        self._closed = True
        for waiter in self._waiting:
            waiter.done.set()

    async def until(
        self, job_id: str, *, caller: Caller, is_over: Callable[[Job], bool], timeout_s: float, receive: Receive
    ) -> Job | None:
        """Wait until a job is as wanted, the time is over, the client is gone, or the service stops.

        Args:
            job_id: Which.
            caller: Who asks.
            is_over: Whether the wait is over with a job like this.
            timeout_s: At most so many seconds.
            receive: The request's, to notice that the client is gone.

        Returns:
            The job as it was last seen; None if it was not seen, or is there no more.
        """
        if self._closed:
            return None
        waiter = _Waiter(job_id, caller, is_over)
        self._add(waiter)
        tasks = {asyncio.ensure_future(waiter.done.wait()), asyncio.ensure_future(_disconnected(receive))}
        try:
            await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            self._discard(waiter)
        return waiter.seen

    def _add(self, waiter: _Waiter) -> None:
        self._waiting.add(waiter)
        self._changed.set()
        if self._task is None or self._task.done():
            self._loop = asyncio.get_running_loop()
            self._task = self._loop.create_task(self._keep_looking())

    def _discard(self, waiter: _Waiter) -> None:
        self._waiting.discard(waiter)
        if not self._waiting:
            self._changed.set()

    async def _keep_looking(self) -> None:
        while self._waiting:
            self._signalled = False
            self._changed.clear()
            started = time.monotonic()
            await self._look_once()
            # A look that took long is followed by as long a pause, so that waiting never costs more than half a thread.
            await asyncio.sleep(max(self._pause_s, time.monotonic() - started))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._changed.wait()

    async def _look_once(self) -> None:
        by_caller: dict[Caller, list[_Waiter]] = {}
        for waiter in self._waiting:
            by_caller.setdefault(waiter.caller, []).append(waiter)
        for caller, waiters in by_caller.items():
            ids = sorted({waiter.job_id for waiter in waiters})
            try:
                jobs = await asyncio.to_thread(self._look, ids, caller=caller)
            except Exception as error:
                # They stay, and are served by a later look or told so by their own when their time is over.
                expected = isinstance(error, QDepotError)
                logger.warning("waiters_not_served", exc_info=None if expected else error, extra={"why": str(error)})
            else:
                for waiter in waiters:
                    waiter.tell(jobs.get(waiter.job_id))


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
