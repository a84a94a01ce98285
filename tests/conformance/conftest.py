"""What the tests of this folder share."""

import pytest

from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.testing.clock import FrozenClock
from qdepot.testing.postgres import NoPostgresError, postgres_server

LEDGER = "ledger_template"


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server with a database that has the tables of a ledger, to copy from."""
    try:
        with postgres_server() as server:
            server.create_database(name=LEDGER)
            open_ledger(server.url_of(LEDGER), clock=FrozenClock()).close()
            yield server
    except NoPostgresError as error:
        pytest.skip(str(error))


@pytest.fixture
def postgres_url(postgres):
    """An empty ledger's database of one's own."""
    name = postgres.create_database(template=LEDGER)
    yield postgres.url_of(name)
    postgres.drop_database(name)
