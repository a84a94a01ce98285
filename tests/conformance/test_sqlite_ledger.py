"""The ledger on SQLite keeps the promises of the port."""

import pytest

from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.testing.ledger import LedgerConformance


class TestSqliteLedger(LedgerConformance):
    @pytest.fixture
    def fresh_ledger(self, clock, sqlite_url):
        ledger = open_ledger(sqlite_url, clock=clock)
        yield ledger
        ledger.close()
