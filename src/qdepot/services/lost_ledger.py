"""A ledger that knows nothing of an archive that is full: a wrong path, a lost database, or a forgotten rebuild."""

from __future__ import annotations

from qdepot.archive.archive import Archive
from qdepot.archive.going_through import places
from qdepot.archive.places import Kind
from qdepot.errors import UnavailableError
from qdepot.ports.ledger import JobFilter, Ledger


def warning_about(ledger: Ledger, archive: Archive) -> str | None:
    """What an operator should know before jobs are accepted; None if ledger and archive may belong together.

    Looks for one object only. A store that does not answer now is no reason to warn.

    Raises:
        UnavailableError: The ledger does not answer.
    """
    if ledger.page(JobFilter(), limit=1).jobs:
        return None
    try:
        found = next(places(archive.completed, Kind.BUNDLE), None) or next(
            places(archive.pending, Kind.REQUEST, Kind.BATCH), None
        )
    except UnavailableError:
        return None
    if found is None:
        return None
    return (
        f"the ledger has no jobs, but the archive has (for example {found.key}): users do not see them. If the ledger "
        "was lost, stop the service and run: qdepot ledger rebuild. Else see whether the settings name the right "
        "database."
    )
