"""A ledger in this process's memory: for tests, and as the plainest reading of the contract."""

from __future__ import annotations

import heapq
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from qdepot.adapters.ledgers.cursor import Position, cursor_of, position_of
from qdepot.adapters.ledgers.refusals import (
    batch_checked,
    exists_already,
    gone,
    identity_checked,
    key_of,
    not_final,
    not_found,
    page_limit_checked,
)
from qdepot.adapters.ledgers.subscribers import Subscribers
from qdepot.domain.event import JobEvent
from qdepot.domain.job import CANCELLING, Duty, Job, JobChange, JobStatus
from qdepot.errors import UnavailableError
from qdepot.ports.clock import Clock
from qdepot.ports.ledger import JobFilter, Page, Tombstone

_FIELDS = tuple(field.name for field in fields(Job))


@dataclass(slots=True)
class _Entry:
    """A job with what the ledger alone knows of it. Times are readings of the monotonic clock."""

    job: Job
    due_at: float
    holder: str | None = None
    lease_until: float = 0.0
    events: list[JobEvent] = field(default_factory=list)

    def held_by(self, holder: str, *, now: float) -> bool:
        return self.holder == holder and self.lease_until > now

    def free_for(self, holder: str, *, now: float) -> bool:
        return self.holder in {None, holder} or self.lease_until <= now


class MemoryLedger:
    """A :class:`~qdepot.ports.ledger.Ledger` that ends with its process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._keys: dict[tuple[str, str, str], str] = {}
        self._deleted: dict[str, Tombstone] = {}
        self._last_event = 0
        self._subscribers = Subscribers()
        self._closed = False

    def add(self, jobs: Sequence[tuple[Job, JobEvent]]) -> None:
        """See the port."""
        self.restore([(job, [event]) for job, event in jobs])

    def restore(self, jobs: Sequence[tuple[Job, Sequence[JobEvent]]]) -> None:
        """See the port."""
        batch_checked(job for job, _ in jobs)
        with self._opened() as now:
            for job, _ in jobs:
                self._check_free(job)
            for job, history in jobs:
                self._entries[job.id] = entry = _Entry(job, due_at=now)
                if (key := key_of(job)) is not None:
                    self._keys[key] = job.id
                for event in history:
                    self._write(entry, event)
        self._subscribers.tell()

    def bury(self, deleted: Sequence[Tombstone]) -> None:
        """See the port."""
        with self._opened():
            for tombstone in deleted:
                if tombstone.job_id in self._entries:
                    raise exists_already(tombstone.job_id, what="id")
            self._deleted = {**{tombstone.job_id: tombstone for tombstone in deleted}, **self._deleted}

    def get(self, job_id: str, *, project: str | None = None) -> Job:
        """See the port."""
        with self._opened():
            tombstone, entry = self._deleted.get(job_id), self._entries.get(job_id)
            if tombstone is not None and project in {None, tombstone.project}:
                raise gone(job_id, at=tombstone.deleted_at)
            if entry is None or project not in {None, entry.job.project}:
                raise not_found(job_id)
            return entry.job

    def get_many(self, job_ids: Sequence[str]) -> dict[str, Job]:
        """See the port."""
        with self._opened():
            return {job_id: self._entries[job_id].job for job_id in job_ids if job_id in self._entries}

    def find_by_idempotency_key(self, *, project: str, owner: str, key_sha256: str) -> Job | None:
        """See the port."""
        with self._opened():
            job_id = self._keys.get((project, owner, key_sha256))
            return None if job_id is None else self._entries[job_id].job

    def page(self, job_filter: JobFilter, *, limit: int, cursor: str | None = None) -> Page:
        """See the port."""
        page_limit_checked(limit)
        behind = None if cursor is None else _place(position_of(cursor))
        with self._opened():
            jobs = [entry.job for entry in self._entries.values()]
        found = heapq.nlargest(
            limit + 1,
            (job for job in jobs if _matches(job_filter, job) and (behind is None or _age(job) < behind)),
            key=_age,
        )
        if len(found) <= limit:
            return Page(jobs=tuple(found), next_cursor=None)
        last = found[limit - 1]
        return Page(
            jobs=tuple(found[:limit]),
            next_cursor=cursor_of(Position(created_at=last.created_at, job_id=last.id)),
        )

    def claim(
        self,
        duty: Duty,
        *,
        holder: str,
        lease_s: float,
        limit: int,
        job_ids: Sequence[str] | None = None,
        backends: Sequence[str] | None = None,
    ) -> list[Job]:
        """See the port."""
        with self._opened() as now:
            wanted = self._entries.keys() if job_ids is None else set(job_ids) & self._entries.keys()
            free = [
                entry
                for entry in map(self._entries.__getitem__, wanted)
                if entry.job.next_duty is duty
                and entry.free_for(holder, now=now)
                and (job_ids is not None or entry.due_at <= now)
                and (backends is None or entry.job.backend in backends)
            ]
            taken = heapq.nsmallest(limit, free, key=lambda entry: _turn(entry.job))
            for entry in taken:
                entry.holder, entry.lease_until = holder, now + lease_s
            return [entry.job for entry in taken]

    def renew(self, job_ids: Sequence[str], *, holder: str, lease_s: float) -> set[str]:
        """See the port."""
        with self._opened() as now:
            held = self._held(holder, job_ids, now=now)
            for job_id in held:
                self._entries[job_id].lease_until = now + lease_s
            return held

    def save(self, changes: Sequence[JobChange], *, holder: str | None = None, keep_lease: bool = False) -> list[bool]:
        """See the port."""
        for change in changes:
            identity_checked(change)
        with self._opened() as now:
            won: list[bool] = []
            refused: set[str] = set()
            for change in changes:
                wins = change.before.id not in refused and self._save_one(change, holder=holder, now=now)
                won.append(wins)
                if not wins:
                    refused.add(change.before.id)
            if holder is not None and not keep_lease:
                for change, this_won in zip(changes, won, strict=True):
                    if this_won:
                        self._entries[change.before.id].holder = None
        if any(won):
            self._subscribers.tell()
        return won

    def release(self, *, holder: str, job_ids: Sequence[str] | None = None) -> int:
        """See the port."""
        with self._opened() as now:
            held = self._held(holder, self._entries.keys() if job_ids is None else job_ids, now=now)
            for job_id in held:
                self._entries[job_id].holder = None
        if held:
            self._subscribers.tell()
        return len(held)

    def events(self, job_id: str, *, after: int = 0, limit: int = 1000) -> list[JobEvent]:
        """See the port."""
        with self._opened():
            history = self._entries[job_id].events if job_id in self._entries else []
            return [event for event in history if event.number > after][:limit]

    def histories(self, job_ids: Sequence[str]) -> dict[str, list[JobEvent]]:
        """See the port."""
        with self._opened():
            return {it: list(self._entries[it].events) if it in self._entries else [] for it in job_ids}

    def counts(self, *, project: str | None = None) -> Mapping[JobStatus, int]:
        """See the port."""
        with self._opened():
            jobs = [entry.job for entry in self._entries.values()]
        found = Counter(job.status for job in jobs if project in {None, job.project})
        return {status: found[status] for status in JobStatus}

    def count_open(self, project: str) -> int:
        """See the port."""
        with self._opened():
            jobs = [entry.job for entry in self._entries.values()]
        return sum(job.project == project and not job.is_final for job in jobs)

    def unfinished_with_request(self, request_key: str) -> int:
        """See the port."""
        with self._opened():
            return sum(
                entry.job.request_key == request_key and not entry.job.is_final for entry in self._entries.values()
            )

    def delete(self, job: Job, *, at: datetime) -> bool:
        """See the port."""
        if not job.is_final:
            raise not_final(job)
        with self._opened():
            entry = self._entries.get(job.id)
            if entry is None or entry.job.version != job.version:
                return False
            del self._entries[job.id]
            self._deleted[job.id] = Tombstone(job_id=job.id, project=job.project, deleted_at=at)
            if (key := key_of(entry.job)) is not None:
                del self._keys[key]
        self._subscribers.tell()
        return True

    def on_change(self, callback: Callable[[], None]) -> None:
        """See the port."""
        self._subscribers.add(callback)

    def check(self) -> None:
        """See the port."""
        with self._opened():
            pass

    def close(self) -> None:
        """See the port."""
        self._closed = True

    @contextmanager
    def _opened(self) -> Iterator[float]:
        """One caller at a time; gives the time by which leases are judged."""
        if self._closed:
            raise UnavailableError("This ledger has been closed.")
        with self._lock:
            yield self._clock.monotonic()

    def _check_free(self, job: Job) -> None:
        if job.id in self._entries or job.id in self._deleted:
            raise exists_already(job.id, what="id")
        key = key_of(job)
        if key in self._keys:
            raise exists_already(self._keys[key], what="idempotency key")

    def _held(self, holder: str, job_ids: Iterable[str], *, now: float) -> set[str]:
        known = (job_id for job_id in job_ids if job_id in self._entries)
        return {job_id for job_id in known if self._entries[job_id].held_by(holder, now=now)}

    def _save_one(self, change: JobChange, *, holder: str | None, now: float) -> bool:
        entry = self._entries.get(change.before.id)
        if entry is None or entry.job.version != change.before.version:
            return False
        if change.is_edit and entry.job.edits != change.before.edits:
            return False
        if holder is not None and not entry.held_by(holder, now=now):
            return False
        entry.job = _changed(entry.job, change)
        if not change.is_edit:
            entry.due_at = now + change.retry_in_s
        if change.event is not None:
            self._write(entry, change.event)
        return True

    def _write(self, entry: _Entry, event: JobEvent) -> None:
        self._last_event += 1
        entry.events.append(replace(event, number=self._last_event))


def _changed(job: Job, change: JobChange) -> Job:
    """The stored job with what the change changes."""
    before, after = change.before, change.after
    changed = {name: value for name in _FIELDS if (value := getattr(after, name)) != getattr(before, name)}
    return replace(job, **changed)


def _age(job: Job) -> tuple[datetime, str]:
    return job.created_at, job.id


def _place(position: Position) -> tuple[datetime, str]:
    return position.created_at, position.job_id


def _turn(job: Job) -> tuple[int, datetime, str]:
    return -job.priority, job.created_at, job.id


def _matches(wanted: JobFilter, job: Job) -> bool:
    cancelling = job.shown_status == CANCELLING
    return (
        wanted.project in {None, job.project}
        and (wanted.status is None or job.status in wanted.status)
        and wanted.cancelling in {None, cancelling}
        and wanted.backend in {None, job.backend}
        and wanted.name in {None, job.name}
        and (wanted.tag is None or wanted.tag in job.tags)
        and (wanted.created_from is None or job.created_at >= wanted.created_from)
        and (wanted.created_before is None or job.created_at < wanted.created_before)
    )
