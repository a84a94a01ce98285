"""Every register of tokens keeps the promises of the port."""

import pytest

from qdepot.adapters.ledgers.memory_tokens import MemoryTokenRegister
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.errors import UnavailableError
from qdepot.testing.clock import FrozenClock
from qdepot.testing.token_register import TokenRegisterConformance, make_token


def opener(url):
    """Opens the database anew each time, as another process does."""
    opened = []

    def open_one():
        opened.append(open_ledger(url, clock=FrozenClock()))
        return opened[-1].token_register()

    yield open_one
    for ledger in opened:
        ledger.close()


class TestMemoryTokenRegister(TokenRegisterConformance):
    @pytest.fixture
    def open_register(self):
        register = MemoryTokenRegister()
        return lambda: register


class TestSqliteTokenRegister(TokenRegisterConformance):
    @pytest.fixture
    def open_register(self, sqlite_url):
        yield from opener(sqlite_url)


class TestPostgresTokenRegister(TokenRegisterConformance):
    @pytest.fixture
    def open_register(self, postgres_url):
        yield from opener(postgres_url)


def test_a_register_whose_ledger_is_closed_takes_nothing_more(sqlite_url):
    ledger = open_ledger(sqlite_url, clock=FrozenClock())
    register = ledger.token_register()
    ledger.close()
    with pytest.raises(UnavailableError):
        register.add(make_token())


def test_a_register_shows_neither_password_nor_hash(sqlite_url):
    ledger = open_ledger(sqlite_url, clock=FrozenClock())
    assert repr(ledger.token_register()).startswith("SqlTokenRegister(SQLite file")
    assert make_token().secret_sha256 not in repr(make_token())
    ledger.close()
