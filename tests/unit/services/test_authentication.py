"""Who is behind a token, and how soon a change is noticed."""

from __future__ import annotations

import base64
import zlib
from dataclasses import replace
from datetime import timedelta

import pytest

from qdepot.adapters.ledgers.memory_tokens import MemoryTokenRegister
from qdepot.domain.caller import Caller
from qdepot.domain.token import TokenText, TokenWish
from qdepot.errors import NotAuthenticatedError, TokenExpiredError, TokenRevokedError, UnavailableError
from qdepot.services.authentication import FRESH_S, Authentication
from qdepot.services.tokens import Tokens
from qdepot.testing.clock import FrozenClock


class CountingRegister(MemoryTokenRegister):
    """Counts what it is asked, and may do something in between."""

    asked = 0
    after_reading = None

    def get(self, token_id):
        self.asked += 1
        found = super().get(token_id)
        if self.after_reading is not None:
            self.after_reading()
        return found


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def register():
    return CountingRegister()


@pytest.fixture
def later():
    return []


@pytest.fixture
def authentication(register, clock, later):
    return Authentication(register, clock, run_later=later.append)


@pytest.fixture
def tokens(register, clock, authentication):
    return Tokens(register=register, clock=clock, on_revoked=authentication.forget)


@pytest.fixture
def token(tokens):
    return tokens.create(TokenWish(), caller=Caller(user="ada"))


def test_the_bearer_is_known_and_for_some_seconds_nobody_is_asked(authentication, register, clock, token):
    stored, text = token
    assert authentication.known(text.revealed) is None
    assert authentication.caller_of(text.revealed) == stored.caller
    clock.advance(FRESH_S - 0.001)
    assert authentication.known(text.revealed) == stored.caller
    assert register.asked == 1
    clock.advance(0.001)
    assert authentication.known(text.revealed) is None


def test_whatever_is_wrong_the_answer_is_the_same(authentication, tokens, token):
    text, other = token[1], TokenText.new()
    gone, _ = tokens.create(TokenWish(), caller=Caller())
    tokens.revoke(gone.id, caller=Caller())
    said = set()
    for wrong in ("", "x", text.revealed[:-1], other.revealed, "\ud800", "a" * 100_000, _forged(gone.id)):
        with pytest.raises(NotAuthenticatedError) as caught:
            authentication.caller_of(wrong)
        assert type(caught.value) is NotAuthenticatedError
        said.add((caught.value.message, caught.value.solution, str(caught.value.details)))
    assert len(said) == 1


def test_a_token_of_which_something_cannot_be_read_is_worth_nothing(authentication, register, token):
    stored, text = token
    register._tokens[stored.id] = replace(stored, damaged=("expires_at",))
    with pytest.raises(NotAuthenticatedError):
        authentication.caller_of(text.revealed)


def _forged(token_id):
    """A whole token with the id of one that was revoked, and a secret that is not its own."""
    secret = bytes(32)
    checksum = zlib.crc32(token_id.encode() + secret).to_bytes(4, "big")
    text = f"qdp_{token_id}_{base64.urlsafe_b64encode(secret + checksum).decode()}"
    assert TokenText.parse(text) is not None
    return text


def test_a_typing_error_asks_no_register(authentication, register, token):
    wrong = token[1].revealed[:-1] + ("A" if token[1].revealed[-1] != "A" else "B")
    with pytest.raises(NotAuthenticatedError):
        authentication.caller_of(wrong)
    assert register.asked == 0


def test_a_revoked_token_is_refused_at_once(authentication, tokens, token):
    stored, text = token
    authentication.caller_of(text.revealed)
    tokens.revoke(stored.id, caller=Caller())
    assert authentication.known(text.revealed) is None
    with pytest.raises(TokenRevokedError, match=stored.id):
        authentication.caller_of(text.revealed)


def test_one_revoked_elsewhere_is_refused_within_seconds(authentication, register, clock, token):
    stored, text = token
    authentication.caller_of(text.revealed)
    register.revoke(stored.id, at=clock.now())
    assert authentication.known(text.revealed) == stored.caller
    clock.advance(FRESH_S)
    assert authentication.known(text.revealed) is None
    with pytest.raises(TokenRevokedError):
        authentication.caller_of(text.revealed)


def test_one_revoked_while_it_is_looked_up_is_not_remembered(authentication, register, clock, token):
    stored, text = token

    def revoke():
        register.revoke(stored.id, at=clock.now())
        authentication.forget(stored.id)

    register.after_reading = revoke
    authentication.caller_of(text.revealed)
    assert authentication.known(text.revealed) is None


def test_an_expired_token_is_refused_at_its_second_also_where_it_is_remembered(authentication, tokens, clock):
    soon = clock.now() + timedelta(seconds=1)
    _, text = tokens.create(TokenWish(expires_at=soon), caller=Caller())
    authentication.caller_of(text.revealed)
    clock.advance(1)
    assert authentication.known(text.revealed) is None
    with pytest.raises(TokenExpiredError):
        authentication.caller_of(text.revealed)


def test_others_are_remembered_when_one_is_revoked(authentication, tokens, token):
    other, text = tokens.create(TokenWish(), caller=Caller())
    authentication.caller_of(text.revealed)
    authentication.forget(token[0].id)
    assert authentication.known(text.revealed) == other.caller


def test_a_use_is_noted_off_the_way_and_once_a_minute(authentication, register, clock, later, token):
    stored, text = token
    begin = clock.now()
    for _ in range(60):
        assert authentication.known(text.revealed) or authentication.caller_of(text.revealed)
        clock.advance(1)
    assert len(later) == 1
    assert register._tokens[stored.id].last_used_at is None
    later.pop()()
    assert register._tokens[stored.id].last_used_at == begin
    authentication.caller_of(text.revealed)
    later.pop()()
    assert register._tokens[stored.id].last_used_at == begin + timedelta(minutes=1)


def test_a_note_that_cannot_be_written_harms_nobody(authentication, register, later, token, caplog):
    def away(*_, **__):
        raise UnavailableError("the ledger is away")

    register.note_used = away
    authentication.caller_of(token[1].revealed)
    later.pop()()
    assert "token_use_not_noted" in caplog.text
    assert token[1].revealed not in caplog.text


def test_no_text_of_a_token_is_kept_in_memory(authentication, token):
    text = token[1].revealed
    authentication.caller_of(text)
    assert text not in repr(vars(authentication))
    assert text.encode() not in b"".join(authentication._seen)


def test_what_is_remembered_has_an_end(authentication, tokens, monkeypatch):
    monkeypatch.setattr("qdepot.services.authentication._MOST_REMEMBERED", 3)
    texts = [tokens.create(TokenWish(), caller=Caller())[1].revealed for _ in range(10)]
    for text in texts:
        authentication.caller_of(text)
    assert len(authentication._seen) <= 3
    assert len(authentication._noted) <= 3
    assert authentication.known(texts[-1]) is not None
