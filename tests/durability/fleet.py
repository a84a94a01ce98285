"""Services and reconcilers in parallel, each started again whenever it ends."""

from __future__ import annotations

import random
import re
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Select, select
from sqlalchemy.exc import OperationalError

from durability.lab import environment_of
from durability.processes import Nursery, Process
from qdepot.adapters.ledgers.sql.tables import jobs

LOOK_S = 0.05


@dataclass
class Member:
    """A process that is to run all the time.

    Attributes:
        name: For people.
        arguments: Of the command.
        folder: Its data folder.
        process: That runs now.
        url: Where it listens, if it is a service that does.
        ends: Exit statuses of those that ran before.
    """

    name: str
    arguments: tuple[str, ...]
    folder: Path
    process: Process | None = None
    url: str | None = None
    ends: list[int] = field(default_factory=list)

    def holder(self, *, alone: bool) -> str:
        """A pattern of the name under which it holds leases now; ``alone`` in its folder, a service has that of it."""
        lock = self.folder / "service.lock"
        if alone and self.arguments[0] == "serve" and lock.exists() and lock.read_text():
            return lock.read_text().strip()
        return (
            f"{'service' if self.arguments[0] == 'serve' else 'reconcile'}-{self.process.pid if self.process else 0}-%"
        )


class Fleet:
    """Keeps its members running.

    Args:
        nursery: Where processes come from.
        folder: Of logs and data.
        settings: Of all of them; ``data`` gives a member's data folder, by its name.
        ledger: To look into, past all faults.
        chance: Of how long it takes until somebody starts a process again.
    """

    def __init__(
        self,
        nursery: Nursery,
        folder: Path,
        settings: Callable[[str], dict[str, Any]],
        *,
        ledger: Engine,
        chance: random.Random,
    ) -> None:
        self.recoveries_s: list[float] = []
        self.most_at_a_time = 0
        self._nursery = nursery
        self._folder = folder
        self._settings = settings
        self._ledger = ledger
        self._chance = chance
        self._stopping = threading.Event()
        self._watches: list[threading.Thread] = []
        names = {
            "service-1": "serve",
            "service-2": "serve",
            "one": "reconcile",
            "two": "reconcile",
            "three": "reconcile",
        }
        self.members = [self._member(name, command) for name, command in names.items()]
        self._wardens = [threading.Thread(target=self._keep, args=(member,)) for member in self.members]

    def start(self) -> None:
        for warden in self._wardens:
            warden.start()

    def count(self) -> int:
        """How many processes live now."""
        now = self._nursery.living()
        self.most_at_a_time = max(self.most_at_a_time, now)
        return now

    def stop(self) -> list[int]:
        """End all as an operator does; their exit statuses."""
        self._stopping.set()
        for thread in [*self._wardens, *self._watches]:
            thread.join()
        return [member.process.end() for member in self.members if member.process is not None]

    def urls(self) -> list[str]:
        """Services that can be asked now."""
        return [member.url for member in self.members if member.url is not None]

    def kill(self, member: Member) -> bool:
        """kill -9; False if it did not run."""
        process = member.process
        if process is None or process.ended.is_set():
            return False
        held = self._held_by(member)
        killed_at = time.monotonic()
        process.send(signal.SIGKILL)
        process.wait()
        if held:
            watch = threading.Thread(target=self._watch_recovery, args=(held, killed_at))
            self._watches.append(watch)
            watch.start()
        return True

    def freeze(self, member: Member, seconds: float) -> bool:
        """Stop a process, and let it go on; False if it did not run."""
        process = member.process
        if process is None or process.ended.is_set():
            return False
        process.send(signal.SIGSTOP)
        time.sleep(seconds)
        process.send(signal.SIGCONT)
        return True

    def _member(self, name: str, command: str) -> Member:
        folder = Path(self._settings(name)["data"])
        folder.mkdir(exist_ok=True)
        options = ("--port", "0") if command == "serve" else ("--every", "0.3s")
        return Member(name, (command, *options), folder)

    def _keep(self, member: Member) -> None:
        while not self._stopping.is_set():
            number = len(member.ends)
            process = member.process = self._nursery.start(
                *member.arguments,
                folder=member.folder,
                log=self._folder / f"{member.name}-{number}.log",
                environment=environment_of(self._settings(member.name)),
            )
            if member.arguments[0] == "serve":
                member.url = process.url()
            while not process.ended.wait(LOOK_S) and not self._stopping.is_set():
                pass
            member.url = None
            if process.status is not None:
                member.ends.append(process.status)
                time.sleep(self._chance.random())

    def _held_by(self, member: Member) -> dict[str, tuple[int, str | None]]:
        """What a member has in hand."""
        holder = member.holder(alone=sum(other.folder == member.folder for other in self.members) == 1)
        query = select(jobs.c.id, jobs.c.version, jobs.c.lease_holder).where(jobs.c.lease_holder.like(holder))
        return self._looked_up(query) or {}

    def _looked_up(self, query: Select[Any]) -> dict[str, tuple[int, str | None]] | None:
        """Version and holder by job; None while the database itself recovers from a crash."""
        try:
            with self._ledger.connect() as connection:
                return {row.id: (row.version, row.lease_holder) for row in connection.execute(query)}
        except OperationalError:
            return None

    def _watch_recovery(self, held: dict[str, tuple[int, str | None]], killed_at: float) -> None:
        """Note how long it took until all that a dead process had in hand was somebody's again, or nobody's."""
        query = select(jobs.c.id, jobs.c.version, jobs.c.lease_holder).where(jobs.c.id.in_(held))
        while True:
            now = self._looked_up(query)
            if now is not None and all(now.get(job_id) != before for job_id, before in held.items()):
                self.recoveries_s.append(time.monotonic() - killed_at)
                return
            time.sleep(LOOK_S)


def complaints(folder: Path) -> dict[str, int]:
    """What the logs say that should not be, and how often: errors of ours, not of what was broken on purpose."""
    found: dict[str, int] = {}
    for log in folder.glob("*.log"):
        for line in re.findall(r"^\w*(?:Error|Exception)\b.*$", log.read_text(errors="replace"), re.MULTILINE):
            found[line[:150]] = found.get(line[:150], 0) + 1
    return found
