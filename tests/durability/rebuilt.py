"""A ledger that is rebuilt from the archive alone, compared with the one that was there all along."""

from __future__ import annotations

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.adapters.system_clock import SystemClock
from qdepot.archive.archive import Archive
from qdepot.domain.job import Job
from qdepot.errors import GoneError, QDepotError
from qdepot.ports.ledger import Ledger
from qdepot.services.backends import Backends
from qdepot.services.rebuilding import Rebuilding
from qdepot.testing.ledger.validate import every_job

COORDINATION = {
    *("version", "edits", "request_key", "request_index", "prepared", "queue_position", "last_poll_error"),
    *("failures_in_row", "next_try_at", "pending_removed", "parts"),
}
"""Fields that no user sees."""


def differences(ledger: Ledger, archive: Archive) -> list[str]:
    """A line for each job that ended and of which a rebuild tells otherwise. Only of what has ended is all known."""
    clock = SystemClock()
    rebuilt = MemoryLedger(clock)
    backends = Backends(providers={}, clock=clock)
    report = Rebuilding(ledger=rebuilt, archive=archive, backends=backends, clock=clock).run(merge=False)
    found = [f"the rebuild finds damage: {error.message}" for error in report.damaged]
    found += [f"the rebuild leaves out: {line}" for line in report.left_out]
    known = {job.id: job for job in every_job(ledger)}
    for job in known.values():
        if job.is_final:
            found += _of_job(job, rebuilt)
    back = [job.id for job in every_job(rebuilt) if job.id not in known and job.is_final]
    return found + [f"the rebuild brings back job {job_id}" for job_id in back]


def _of_job(job: Job, rebuilt: Ledger) -> list[str]:
    try:
        other = rebuilt.get(job.id)
    except (QDepotError, GoneError) as error:
        return [f"the rebuild does not find job {job.id}: {error.message}"]
    names = Job.__dataclass_fields__.keys() - COORDINATION
    unlike = {name: (getattr(job, name), getattr(other, name)) for name in sorted(names)}
    unlike = {name: pair for name, pair in unlike.items() if pair[0] != pair[1]}
    return [f"a rebuild tells otherwise of job {job.id}: {unlike}"] if unlike else []
