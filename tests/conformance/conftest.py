"""What the tests of this folder share."""

import pytest
from sqlalchemy import NullPool, create_engine, text

from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.adapters.ledgers.sql.tables import metadata
from qdepot.testing.clock import FrozenClock


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    """The bytes of an empty ledger on SQLite, to copy from."""
    path = tmp_path_factory.mktemp("template") / "ledger.db"
    open_ledger(f"sqlite:///{path}", clock=FrozenClock()).close()
    return path.read_bytes()


@pytest.fixture
def sqlite_url(sqlite_template, tmp_path):
    """An empty ledger of one's own on SQLite."""
    path = tmp_path / "ledger.db"
    path.write_bytes(sqlite_template)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def ledger_database(postgres):
    """A database with the tables of a ledger, and an engine to empty it with."""
    url = postgres.url_of(postgres.create_database())
    open_ledger(url, clock=FrozenClock()).close()
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
    yield url, engine
    engine.dispose()


@pytest.fixture
def empty_postgres(ledger_database):
    """Empties the ledger on PostgreSQL and says where it is."""
    url, engine = ledger_database

    def empty():
        names = ", ".join(metadata.tables)
        with engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
        return url

    return empty


@pytest.fixture
def postgres_url(empty_postgres):
    """An empty ledger on PostgreSQL."""
    return empty_postgres()
