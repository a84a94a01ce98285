"""What the tests of the suite share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from qdepot.domain.job import Job
from qdepot.ports.ledger import Ledger
from qdepot.testing.clock import FrozenClock
from qdepot.testing.jobs import accepted
from qdepot.testing.ledger.validate import validate_ledger

LEASE_S = 15.0
"""How long leases are in these tests."""


class LedgerFixtures:
    """A ledger that is sound after each test."""

    @pytest.fixture
    def clock(self) -> FrozenClock:
        """The time of this test."""
        return FrozenClock()

    @pytest.fixture
    def fresh_ledger(self, clock: FrozenClock) -> Ledger:
        """An empty ledger that takes its time from ``clock``; whoever inherits the suite provides it."""
        raise NotImplementedError("override the fixture fresh_ledger")

    @pytest.fixture
    def ledger(self, fresh_ledger: Ledger) -> Iterator[Ledger]:
        """The fresh ledger; what the test leaves in it is checked."""
        yield fresh_ledger
        validate_ledger(fresh_ledger)


def add(ledger: Ledger, *jobs: Job) -> None:
    """Accept these jobs in one transaction."""
    ledger.add([accepted(job) for job in jobs])
