"""The memory ledger keeps the promises of the port."""

import pytest

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.testing.ledger import LedgerConformance


class TestMemoryLedger(LedgerConformance):
    @pytest.fixture
    def fresh_ledger(self, clock):
        ledger = MemoryLedger(clock)
        yield ledger
        ledger.close()
