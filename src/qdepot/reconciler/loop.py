"""The loop: run the duties again and again, at once when there is work."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from qdepot.domain.job import Duty
from qdepot.errors import QDepotError

_log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0


class RunsOnce(Protocol):
    """A duty."""

    def run_once(self) -> int:
        """Do one batch; how many jobs it met."""
        ...


class Waker:
    """Lets whoever made work wake whoever does it. Thread-safe; a wake before the wait is not lost."""

    def __init__(self) -> None:
        self._bells: dict[Duty, list[threading.Event]] = {duty: [] for duty in Duty}

    def bell(self, duty: Duty) -> threading.Event:
        """An event of the caller's own that is set whenever there is work for the duty."""
        event = threading.Event()
        self._bells[duty].append(event)
        return event

    def wake(self, duties: Iterable[Duty]) -> None:
        """There is work for these duties."""
        for duty in duties:
            for event in self._bells[duty]:
                event.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """Runs each duty in a thread of its own, so that a slow one does not hold up the others.

    Attributes:
        duties: What to run; several doers of one duty each have a part of the work.
        waker: Wakes them.
        keep_leases: Called about three times a lease: extends the leases of the work under way.
        lease_s: How long a lease lasts, in seconds.
        idle_interval_s: A duty that nobody wakes looks for work so often, in seconds.
    """

    duties: Sequence[tuple[Duty, RunsOnce]]
    waker: Waker
    keep_leases: Callable[[], object]
    lease_s: float
    idle_interval_s: float
    _stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Start the threads."""
        for duty, doer in self.duties:
            self._spawn(f"qdepot-{duty}", self._run, duty, doer)
        self._spawn("qdepot-leases", self._keep_leases)

    def stop(self, *, timeout_s: float = 5.0) -> None:
        """Let each duty end its batch; wait for that at most so long."""
        self._stopping.set()
        self.waker.wake(Duty)
        for thread in self._threads:
            thread.join(timeout_s)

    def _spawn(self, name: str, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, duty: Duty, doer: RunsOnce) -> None:
        bell = self.waker.bell(duty)
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            try:
                if doer.run_once() == 0 and bell.wait(self.idle_interval_s):
                    bell.clear()
                pause_s = _FIRST_PAUSE_S
            except Exception as error:
                _report(duty, error)
                self._stopping.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _keep_leases(self) -> None:
        while not self._stopping.wait(self.lease_s / 3):
            try:
                self.keep_leases()
            except Exception as error:
                _report("leases", error)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePass:
    """What a cron starts: do all there is to do now, then end.

    Attributes:
        duties: What to run.
        waker: Woken when a job that runs here has ended.
        live: How many jobs run in this process.
        monotonic: Seconds that only grow.
    """

    duties: Sequence[RunsOnce]
    waker: Waker
    live: Callable[[], int]
    monotonic: Callable[[], float]

    def run(self, *, longest_s: float) -> int:
        """Run the duties in turn until none finds work and nothing runs here, at most so long; how many jobs they met.

        Raises:
            UnavailableError: Ledger or store do not answer.
        """
        total = 0
        bell = self.waker.bell(Duty.POLL)
        deadline = self.monotonic() + longest_s
        while self.monotonic() < deadline:
            met = sum(duty.run_once() for duty in self.duties)
            total += met
            if met == 0 and self.live() == 0:
                break
            if met == 0 and bell.wait(min(_FIRST_PAUSE_S, max(0.0, deadline - self.monotonic()))):
                bell.clear()
        return total


def _report(duty: str, error: Exception) -> None:
    """A part that is away is a line; what should not happen has its traceback."""
    if isinstance(error, QDepotError):
        _log.warning("duty_failed duty=%s code=%s message=%s", duty, error.code, error.message)
    else:
        _log.exception("duty_failed duty=%s", duty)
