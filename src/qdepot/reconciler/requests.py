"""What was asked, kept from the start of a job to its end where that is soon and the request is small."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from qdepot.archive.archive import Archive
from qdepot.archive.request import RequestRecord
from qdepot.domain.job import Job
from qdepot.errors import QDepotError

_KEPT_BYTES = 16 * 1024 * 1024
_SMALL_BYTES = 64 * 1024


class Requests:
    """Reads requests from the archive, each once if it can. Thread-safe.

    They never change, so a kept one is as good as a read one.

    Args:
        archive: Where they are.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._kept: OrderedDict[str, RequestRecord] = OrderedDict()
        self._kept_bytes = 0
        self._lock = threading.Lock()

    def of(self, jobs: Sequence[Job], *, last: bool = False) -> list[RequestRecord | QDepotError]:
        """What each job asks for; an error is the answer for its job alone.

        Args:
            jobs: Whose requests are wanted.
            last: They will hardly be wanted again.
        """
        known = {job.id: record for job in jobs if (record := self._taken(job)) is not None}
        missing = [job for job in jobs if job.id not in known]
        read = dict(zip((job.id for job in missing), self._archive.read_requests(missing), strict=True))
        if not last:
            for found in (*known.values(), *read.values()):
                self._keep(found)
        return [known.get(job.id) or read[job.id] for job in jobs]

    def _taken(self, job: Job) -> RequestRecord | None:
        with self._lock:
            record = self._kept.pop(job.id, None)
            if record is not None:
                self._kept_bytes -= len(record.body)
        is_same = record is not None and record.request_sha256 == job.request_sha256
        return record if is_same else None

    def _keep(self, record: RequestRecord | QDepotError) -> None:
        if isinstance(record, QDepotError) or len(record.body) > _SMALL_BYTES:
            return
        with self._lock:
            if record.job_id in self._kept:
                return
            self._kept[record.job_id] = record
            self._kept_bytes += len(record.body)
            while self._kept_bytes > _KEPT_BYTES:
                _, oldest = self._kept.popitem(last=False)
                self._kept_bytes -= len(oldest.body)
