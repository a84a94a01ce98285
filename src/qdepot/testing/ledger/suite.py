"""The whole suite."""

from __future__ import annotations

from qdepot.testing.ledger.accepting import Accepting
from qdepot.testing.ledger.crowding import Crowding
from qdepot.testing.ledger.deleting import Deleting
from qdepot.testing.ledger.leasing import Leasing
from qdepot.testing.ledger.listing import Listing
from qdepot.testing.ledger.restoring import Restoring
from qdepot.testing.ledger.saving import Saving
from qdepot.testing.ledger.telling import Telling


class LedgerConformance(Accepting, Listing, Leasing, Saving, Deleting, Restoring, Telling, Crowding):
    """The promises of :class:`~qdepot.ports.ledger.Ledger`, one test each.

    Inherit, and override the fixture ``fresh_ledger(clock)``: an empty ledger that takes its time from ``clock``.
    """
