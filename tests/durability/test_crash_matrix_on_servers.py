"""The same on PostgreSQL and S3: what a lab would use."""

from __future__ import annotations

import uuid

import pytest

from durability.cases import Cases
from durability.ways import BIG_ROWS, Row
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.testing.clock import FrozenClock

pytestmark = pytest.mark.timeout(400)  # the first case of a row waits for them all


@pytest.fixture(scope="module")
def settings(postgres, s3_server):
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


@pytest.fixture(scope="module")
def verdicts(nursery, clouds, settings, tmp_path_factory):
    """The verdicts of a row; all its cases run at the first question."""
    cases = Cases(nursery, tmp_path_factory.mktemp("labs"), settings)
    known = {}

    def of(row: Row):
        if row.way.name not in known:
            known[row.way.name] = cases.run_all(row.way, clouds[row.cloud], row.points)
        return known[row.way.name]

    return of


@pytest.mark.parametrize(
    ("row", "point"),
    [pytest.param(row, point, id=f"{row.way.name}-{point}") for row in BIG_ROWS for point in row.points],
)
def test_a_process_that_dies_here_does_no_harm(row, point, verdicts):
    verdict = verdicts(row)[point]
    assert verdict.died, "the process never came to this point"
    assert verdict.problems == []
    assert verdict.job.is_final
    assert verdict.submissions == row.sent
