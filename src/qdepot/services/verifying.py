"""Verifying: is everything there, and is it what was written?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from qdepot.archive.archive import Archive
from qdepot.archive.going_through import groups, places, read_any, read_each
from qdepot.archive.places import Kind, Place, place_of
from qdepot.archive.recovery import AskedJob
from qdepot.domain.job import Job
from qdepot.errors import ArchiveDamagedError
from qdepot.ports.ledger import JobFilter, Ledger
from qdepot.ports.object_store import KeepsDrafts, ObjectNotFoundError, ObjectStore, checked_at
from qdepot.services.judging import judged_batch, judged_completed, judged_pending
from qdepot.services.orphans import Orphans
from qdepot.services.verify_report import Flaw, Suspect, VerifyReport

_AT_ONCE = 200
_READERS = 8
_LONGEST_CHECK = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Compares ledger and archive, and all bytes with their checksums. May run beside a service.

    Attributes:
        ledger, archive: What is compared.
    """

    ledger: Ledger
    archive: Archive

    def run(
        self,
        *,
        at: datetime,
        project: str | None = None,
        remove_left_over: bool = False,
        remove_orphans_older_than: timedelta | None = None,
    ) -> VerifyReport:
        """Read every object and every row.

        Args:
            at: Now.
            project: Only this one.
            remove_left_over: Remove objects of which ledger or tombstone say that nobody needs them.
            remove_orphans_older_than: Remove requests without a row that were made longer ago than this, which must be
                longer than any submit may take. None is removed if ledger or archive are not sound: then the ledger
                may have lost the row.

        Raises:
            UnavailableError: Ledger or store do not answer.
        """
        run = _Run(ledger=self.ledger, archive=self.archive, project=project, at=at)
        run.check_rows()
        run.check_objects()
        run.confirm()
        if remove_left_over:
            run.remove_left_over()
        if remove_orphans_older_than is not None and run.report.is_sound:
            orphans = Orphans(ledger=self.ledger, store=self.archive.pending)
            run.remove_orphans(orphans, before=at - remove_orphans_older_than)
        return run.report


@dataclass(slots=True, kw_only=True)
class _Run:
    """One verification; a service may change things while it goes on, so what looks wrong is looked at twice."""

    ledger: Ledger
    archive: Archive
    project: str | None
    at: datetime
    report: VerifyReport = field(default_factory=VerifyReport)
    deleted: set[str] = field(default_factory=set)

    def check_rows(self) -> None:
        """Read what the ledger says must be there."""
        self.deleted = {it.id for it in places(self.archive.completed, Kind.TOMBSTONE, prefix=self._prefix)}
        with ThreadPoolExecutor(_READERS) as readers:
            for rows in self._pages():
                self.report.rows += len(rows)
                whole = [row for row in rows if row.id not in self.deleted]
                self.report.flaws += [flaw for flaw in readers.map(self._row_flaw, whole) if flaw is not None]

    def check_objects(self) -> None:
        """Read what is there besides, and see whether anybody wants it."""
        for area in ("completed", "pending"):
            store = self._store(area)
            for some in groups(places(store, *Kind, prefix=self._prefix), size=_AT_ONCE):
                self.report.objects.update(place.kind for place in some)
                rows = self.ledger.get_many([place.id for place in some])
                self.report.flaws += [flaw for it in some if (flaw := self._judged(area, it, rows.get(it.id)))]
                unread = [it for it in some if not _is_read_with_row(it, rows.get(it.id))]
                for place, told in read_each(unread, partial(read_any, store)):
                    self.report.flaws += self._read_flaws(area, place, told)
            if isinstance(store, KeepsDrafts):
                self.report.drafts += sum(1 for _ in store.drafts())

    def confirm(self) -> None:
        """Look again at what looked wrong, now that whatever was under way then is done."""
        self.report.flaws = [again for it in self.report.flaws if (again := self._confirmed(it)) is not None]

    def remove_left_over(self) -> None:
        """Remove what nobody needs."""
        for area in ("completed", "pending"):
            keys = [it.key for it in self.report.flaws if it.flaw is Flaw.LEFT_OVER and it.area == area]
            self._store(area).delete(keys)
            self.report.removed += len(keys)

    def remove_orphans(self, orphans: Orphans, *, before: datetime) -> None:
        """Remove what became no job long ago."""
        for flaw in self.report.flaws:
            if flaw.flaw is Flaw.ORPHAN and orphans.removed(flaw.key, before=before):
                self.report.removed += 1

    @property
    def _prefix(self) -> str:
        return "" if self.project is None else f"{self.project}/"

    def _pages(self) -> Iterator[Sequence[Job]]:
        cursor = None
        while True:
            page = self.ledger.page(JobFilter(project=self.project), limit=_AT_ONCE, cursor=cursor)
            yield page.jobs
            cursor = page.next_cursor
            if cursor is None:
                return

    def _row_flaw(self, row: Job) -> Suspect | None:
        try:
            self.archive.verify(row)
        except ArchiveDamagedError as error:
            now = self.ledger.get_many([row.id]).get(row.id)
            if now is None:
                return None
            if now.version != row.version:
                return self._row_flaw(now)
            area = "completed" if row.is_final else "pending"
            key = str(error.details.get("key", row.request_key))
            return Suspect(flaw=Flaw.DAMAGED, area=area, key=key, message=f"job {row.id}: {error.message}")
        return None

    def _judged(self, area: str, place: Place, row: Job | None) -> Suspect | None:
        if place.kind is Kind.BATCH:
            return None  # judged when it was read
        if place.kind is Kind.CHECK and not _is_interrupted(place, at=self.at):
            return None
        judged = judged_completed if area == "completed" else judged_pending
        return judged(place, row, deleted=place.id in self.deleted)

    def _read_flaws(self, area: str, place: Place, told: object) -> list[Suspect]:
        """What is wrong with an object that was read."""
        found = told if isinstance(told, list) else [told]
        flaws = [
            Suspect(flaw=Flaw.DAMAGED, area=area, key=place.key, message=it.message)
            for it in found
            if isinstance(it, ArchiveDamagedError) and self._is_there(area, place.key)
        ]
        job_ids = [it.record.job_id for it in found if isinstance(it, AskedJob)]
        if place.kind is Kind.BATCH and job_ids:
            judged = judged_batch(place, job_ids, self.ledger.get_many(job_ids), deleted=self.deleted)
            flaws += [judged] if judged is not None else []
        return flaws

    def _confirmed(self, suspect: Suspect) -> Suspect | None:
        if suspect.flaw is Flaw.DAMAGED:
            return suspect
        if not self._is_there(suspect.area, suspect.key):
            return None
        place = place_of(suspect.key)
        if place.kind is Kind.BATCH:
            flaws = self._read_flaws(suspect.area, place, read_any(self.archive.pending, place.key))
            return next((it for it in flaws if it.flaw is not Flaw.DAMAGED), None)
        return self._judged(suspect.area, place, self.ledger.get_many([place.id]).get(place.id))

    def _is_there(self, area: str, key: str) -> bool:
        try:
            self._store(area).head(key)
        except ObjectNotFoundError:
            return False
        return True

    def _store(self, area: str) -> ObjectStore:
        return self.archive.completed if area == "completed" else self.archive.pending


def _is_interrupted(check: Place, *, at: datetime) -> bool:
    """True if nobody can still be at this check of a store."""
    began_at = checked_at(check.key)
    return began_at is not None and at - began_at > _LONGEST_CHECK


def _is_read_with_row(place: Place, row: Job | None) -> bool:
    """True if this object was read when its row was compared."""
    if row is None:
        return False
    return row.is_final if place.kind is Kind.BUNDLE else place.kind is Kind.REQUEST and not row.is_final
