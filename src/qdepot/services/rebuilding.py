"""Rebuilding: a ledger from the archive alone."""

from __future__ import annotations

from dataclasses import dataclass

from qdepot.archive.archive import Archive
from qdepot.archive.traces import Traces
from qdepot.errors import ConflictError
from qdepot.ports.clock import Clock
from qdepot.ports.ledger import Ledger
from qdepot.services.backends import Backends
from qdepot.services.rebuild_report import RebuildReport
from qdepot.services.rebuild_run import RebuildRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilding:
    """Makes a ledger from the archive. No other process may work with either meanwhile.

    Attributes:
        ledger: Empty, or to be merged into.
        archive: Is only read.
        backends: Tell where a job may be run without a person's consent.
        clock: Tells when it was done.
    """

    ledger: Ledger
    archive: Archive
    backends: Backends
    clock: Clock

    def run(self, *, merge: bool = False, run_pending: bool = False) -> RebuildReport:
        """Restore all jobs with their histories, and all tombstones. It submits nothing. A repeat merges.

        Args:
            merge: Add to a ledger what it misses, and move on rows that are behind, as when an old backup of the
                database came back; else the ledger must be empty.
            run_pending: Run pending jobs on repeatable backends again, although nothing in the archive proves that a
                job was ever acknowledged. Otherwise such jobs are held.

        Raises:
            ConflictError: The ledger is not empty; or another process works with it.
            UnavailableError: Ledger or store do not answer. What was restored until then stays.
        """
        known = sum(self.ledger.counts().values())
        if known and not merge:
            raise ConflictError(
                f"the ledger is not empty: it has {known} jobs",
                solution="Add what it misses with --merge; or move the old database away, to begin anew.",
            )
        run = RebuildRun(
            ledger=self.ledger,
            archive=self.archive,
            backends=self.backends,
            traces=Traces.of(pending=self.archive.pending, completed=self.archive.completed),
            at=self.clock.now(),
            run_pending=run_pending,
        )
        run.bury()
        run.restore_ended()
        run.restore_pending()
        return run.report
