"""The same on PostgreSQL and S3: what a lab would use."""

from __future__ import annotations

import uuid

import pytest

from durability.ways import BIG_ROWS, cases_of
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.testing.clock import FrozenClock

pytestmark = pytest.mark.timeout(400)  # the first case of a row waits for them all


@pytest.fixture(scope="module")
def lab_settings(postgres, s3_server):
    """Gives each lab a database and a place in the bucket of its own."""
    template = postgres.create_database()
    open_ledger(postgres.url_of(template), clock=FrozenClock()).close()
    options = s3_server.options

    def make(name):
        place = uuid.uuid4().hex
        return {
            "ledger": postgres.url_of(postgres.create_database(name=f"lab_{place}", template=template)),
            "store_pending": s3_server.url(f"{place}/pending"),
            "store_completed": s3_server.url(f"{place}/completed"),
            "store": {
                "endpoint": options.endpoint,
                "region": options.region,
                "access_key_id": options.access_key_id,
                "secret_access_key": options.secret_access_key,
            },
        }

    return make


@pytest.mark.parametrize(("row", "point"), cases_of(BIG_ROWS))
def test_a_process_that_dies_here_does_no_harm(row, point, verdicts):
    verdict = verdicts(row)[point]
    assert verdict.died, "the process never came to this point"
    assert verdict.problems == []
    assert verdict.job.is_final
    assert verdict.submissions == row.sent
