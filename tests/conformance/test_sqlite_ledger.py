"""The ledger on SQLite keeps the promises of the port."""

import pytest

from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.testing.ledger import LedgerConformance


class TestSqliteLedger(LedgerConformance):
    @pytest.fixture
    def fresh_ledger(self, clock, tmp_path):
        ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db", clock=clock)
        yield ledger
        ledger.close()
