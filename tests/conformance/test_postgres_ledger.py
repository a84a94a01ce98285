"""The ledger on PostgreSQL keeps the promises of the port."""

import pytest

from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.testing.ledger import LedgerConformance


class TestPostgresLedger(LedgerConformance):
    @pytest.fixture
    def fresh_ledger(self, clock, postgres_url):
        ledger = open_ledger(postgres_url, clock=clock, use_database_clock=False)
        yield ledger
        ledger.close()
