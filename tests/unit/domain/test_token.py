"""What a token is."""

from __future__ import annotations

import string
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdepot.domain.caller import ALL_SCOPES, Caller, Role, Scope
from qdepot.domain.token import TokenText
from qdepot.testing.jobs import MADE_AT
from qdepot.testing.token_register import make_token

ALPHABET = string.ascii_letters + string.digits + "-_"


def test_a_token_says_its_id_and_can_be_found_by_a_scanner():
    text = TokenText.new()
    assert text.revealed.startswith(f"qdp_{text.id}_")
    assert len(text.revealed) == 69
    assert set(text.revealed) <= set(ALPHABET)


def test_no_two_tokens_are_alike():
    assert len({TokenText.new().revealed for _ in range(1000)}) == 1000


def test_a_token_is_read_as_it_was_written():
    text = TokenText.new()
    assert TokenText.parse(text.revealed) == text


@given(place=st.integers(0, 68), other=st.sampled_from(ALPHABET))
def test_any_wrong_character_is_noticed(place, other):
    text = TokenText.new().revealed
    wrong = text[:place] + other + text[place + 1 :]
    assert (TokenText.parse(wrong) is None) == (wrong != text)


@pytest.mark.parametrize("change", [lambda text: text[:-1], lambda text: text + "A", lambda text: f" {text}"])
def test_only_the_whole_token_and_nothing_else_is_one(change):
    assert TokenText.parse(change(TokenText.new().revealed)) is None


@pytest.mark.parametrize("text", ["", "qdp__", "qdp_x_y", "Bearer", "\ud800", "qdp_" + "0" * 16 + "_" + "ä" * 48])
def test_anything_else_is_none(text):
    assert TokenText.parse(text) is None


def test_the_secret_is_never_shown():
    text = TokenText.new()
    secret = text.revealed[-48:]
    token = make_token(secret_sha256=text.sha256)
    for shown in (repr(text), str(text), f"{text}", repr(token), str(token), repr([text, token])):
        assert secret not in shown
        assert text.sha256 not in shown


def test_a_token_knows_its_own_text_alone():
    mine, other = TokenText.new(), TokenText.new()
    token = make_token(id=mine.id, secret_sha256=mine.sha256)
    assert token.is_of(mine)
    assert not token.is_of(other)


def test_a_token_expires_at_its_moment():
    token = make_token(expires_at=MADE_AT)
    assert not token.has_expired(MADE_AT - timedelta(microseconds=1))
    assert token.has_expired(MADE_AT)
    assert not make_token().has_expired(MADE_AT + timedelta(days=36500))


def test_its_bearer_is_its_user_with_its_rights():
    scopes = frozenset({Scope.JOBS_READ})
    token = make_token(user="ada", project="lab", role=Role.VIEWER, scopes=scopes)
    assert token.caller == Caller(user="ada", project="lab", role=Role.VIEWER, scopes=scopes, token_id=token.id)


@pytest.mark.parametrize(
    ("role", "covers"), [(Role.VIEWER, {"viewer"}), (Role.MEMBER, {"viewer", "member"}), (Role.ADMIN, set(Role))]
)
def test_each_role_covers_those_before_it(role, covers):
    assert {other.value for other in Role if role.covers(other)} == covers
    assert all(other.scopes <= role.scopes for other in Role if role.covers(other))


def test_no_role_has_the_rights_of_whoever_runs_the_service():
    assert all(Scope.SERVICE_ADMIN not in role.scopes for role in Role)
    assert Caller().scopes == ALL_SCOPES
