"""A PostgreSQL that takes what it is sent and answers nothing."""

from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from qdepot.adapters.ledgers.sql import impatience
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.errors import UnavailableError
from qdepot.testing.clock import FrozenClock
from qdepot.testing.fault_proxy import Fault, FaultProxy
from qdepot.testing.jobs import accepted, job_id_of, make_job

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def proxy(postgres):
    with FaultProxy(Path(postgres.folder) / ".s.PGSQL.5432") as proxy:
        yield proxy


@pytest.fixture
def ledger(postgres, proxy, monkeypatch):
    """Its database lies behind the proxy; it waits two seconds for an answer, and has a connection open."""
    database = postgres.create_database()
    opened = open_ledger(f"postgresql://postgres@127.0.0.1:{proxy.port}/{database}", clock=FrozenClock())
    monkeypatch.setattr(impatience, "ANSWER_S", 2.0)
    opened.check()
    yield opened
    proxy.heal()
    opened.close()
    postgres.drop_database(database)


def test_who_asks_a_silent_database_is_told_to_come_again(ledger, proxy):
    proxy.play(Fault(black_hole=True))
    with pytest.raises(UnavailableError, match="cannot be reached"):
        ledger.get(job_id_of(1))


def test_who_adds_to_a_silent_database_is_told_to_come_again_and_can_do_so(ledger, proxy):
    proxy.play(Fault(black_hole=True))
    with pytest.raises(UnavailableError, match="cannot be reached"):
        ledger.add([accepted(make_job(1))])
    proxy.heal()
    ledger.add([accepted(make_job(1))])
    assert ledger.get(job_id_of(1)) == make_job(1)


def test_a_connection_that_fell_silent_is_not_used_again(ledger, proxy):
    with ledger._database.readers.connect() as connection:
        driver = connection.connection.driver_connection
        proxy.play(Fault(black_hole=True))
        with pytest.raises(DBAPIError, match=r"did not answer within 2 s") as caught:
            connection.exec_driver_sql("SELECT 1")
    assert caught.value.connection_invalidated
    assert driver.closed
    proxy.heal()
    with ledger._database.readers.connect() as another:
        assert another.exec_driver_sql("SELECT 1").scalar() == 1


def test_who_waits_for_a_notice_may_hear_none_for_long(ledger):
    with ledger._database.readers.connect() as connection:
        driver = connection.connection.driver_connection
        assert list(driver.notifies(timeout=1.5 * impatience.ANSWER_S)) == []
        assert not driver.closed


@pytest.mark.parametrize("limit", ["statement_timeout", "lock_timeout"])
def test_the_server_gives_up_before_we_do(postgres, limit):
    database = postgres.create_database()
    ledger = open_ledger(postgres.url_of(database), clock=FrozenClock())
    with ledger._database.writers.connect() as connection:
        told = connection.exec_driver_sql(f"SELECT setting::int, unit FROM pg_settings WHERE name = '{limit}'").one()
    ledger.close()
    postgres.drop_database(database)
    assert told.unit == "ms"
    assert 0 < told.setting / 1000 < impatience.ANSWER_S
