"""Every register of tokens keeps the promises of the port."""

import pytest
from sqlalchemy import text

from qdepot.adapters.ledgers.memory_tokens import MemoryTokenRegister
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.domain.caller import Role
from qdepot.domain.token import TokenText
from qdepot.errors import UnavailableError
from qdepot.testing.clock import FrozenClock
from qdepot.testing.jobs import MADE_AT
from qdepot.testing.token_register import TokenRegisterConformance, make_token
from qdepot.wire.tokens import TokenAnswer


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


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def ledger(request):
    ledger = open_ledger(request.getfixturevalue(request.param), clock=FrozenClock())
    yield ledger
    ledger.close()


def spoil(ledger, field, value):
    """Have something stored in the first token that no version of qdepot would store now."""
    table = ledger._database.writers
    with table.begin() as connection:
        connection.execute(text(f"UPDATE tokens SET {field} = {value} WHERE id = :id"), {"id": make_token(1).id})


TOO_LATE = {"sqlite": "253402351199000000", "postgresql": "TIMESTAMPTZ '9999-12-31 23:59:59-14'"}
TOO_EARLY = {"sqlite": "-62135596801000000", "postgresql": "TIMESTAMPTZ '0044-03-15 12:00:00+00 BC'"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("role", "'king'"),
        ("scopes", "'jobs:read all:all'"),
        *(
            (field, value)
            for field in ("expires_at", "created_at", "last_used_at", "revoked_at")
            for value in (TOO_LATE, TOO_EARLY)
        ),
    ],
)
def test_a_token_that_cannot_be_read_is_listed_as_damaged_worth_nothing_and_can_be_revoked(ledger, field, value):
    register, name = ledger.token_register(), ledger._database.writers.dialect.name
    text_of = TokenText.new()
    register.add(make_token(1, secret_sha256=text_of.sha256, role=Role.ADMIN, scopes=Role.ADMIN.scopes))
    register.add(make_token(2))
    spoil(ledger, field, value if isinstance(value, str) else value[name])
    found = {token.id: token for token in register.list_all()}
    assert found.keys() == {make_token(1).id, make_token(2).id}
    assert found[make_token(1).id].damaged == (field,)
    assert found[make_token(1).id].caller.scopes <= Role.ADMIN.scopes
    assert found[make_token(2).id] == make_token(2)
    assert register.get(make_token(1).id) == found[make_token(1).id]
    TokenAnswer.of(found[make_token(1).id])
    assert make_token(1).id in register.revoke(make_token(1).id, at=MADE_AT)
    register.note_used(make_token(1).id, at=MADE_AT)
    assert register.get(make_token(1).id).revoked_at is not None


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
