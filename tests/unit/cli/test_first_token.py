"""Somebody can use a service from its first start on, and only one such token is made."""

from __future__ import annotations

import stat

import pytest

config = pytest.importorskip("qdepot.config", reason="the service is not installed here")

from qdepot.adapters.ledgers.memory_tokens import MemoryTokenRegister  # noqa: E402 - needs the service
from qdepot.cli.local_tokens import LocalDesk, ensure_first_token  # noqa: E402 - needs the service
from qdepot.domain.caller import Role  # noqa: E402 - needs the service
from qdepot.domain.token import TokenText  # noqa: E402 - needs the service
from qdepot.errors import InvalidRequestError  # noqa: E402 - needs the service
from qdepot.services.tokens import Tokens  # noqa: E402 - needs the service
from qdepot.testing.clock import FrozenClock  # noqa: E402 - needs the service


@pytest.fixture
def tokens():
    return Tokens(register=MemoryTokenRegister(), clock=FrozenClock(), on_revoked=lambda _: None)


def start(tokens, **given):
    ensure_first_token(tokens, config.Settings.read(**{"auth": "tokens", **given}))


def test_the_first_start_prints_a_token_and_no_other_does(tokens, capsys):
    start(tokens)
    out = capsys.readouterr().out
    text = TokenText.parse(next(word for word in out.split() if word.startswith("qdp_")))
    [token] = tokens.register.list_all()
    assert token.is_of(text)
    start(tokens)
    assert capsys.readouterr().out == ""
    assert tokens.register.list_all() == [token]


def test_without_authentication_none_is_made(tokens, capsys):
    start(tokens, auth="none")
    assert tokens.register.list_all() == []
    assert capsys.readouterr().out == ""


def test_the_token_can_go_into_a_file_that_nobody_else_reads(tokens, tmp_path, capsys):
    file = tmp_path / "admin-token"
    start(tokens, admin_token_file=file)
    text = TokenText.parse(file.read_text().strip())
    assert tokens.register.get(text.id).is_of(text)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert text.revealed not in capsys.readouterr().out


def test_a_later_start_leaves_the_file_alone(tokens, tmp_path):
    start(tokens)
    start(tokens, admin_token_file=tmp_path / "admin-token")
    assert list(tmp_path.iterdir()) == []


def test_where_no_file_can_be_written_no_token_is_made(tokens, tmp_path):
    with pytest.raises(InvalidRequestError, match="admin_token_file"):
        start(tokens, admin_token_file=tmp_path / "missing" / "admin-token")
    assert tokens.register.list_all() == []


def test_the_token_of_the_settings_is_valid_at_each_start_also_a_new_one(tokens, capsys):
    first, second = TokenText.new(), TokenText.new()
    for text in (first, first, second):
        start(tokens, admin_token=f"{text.revealed}\n")
    assert {token.id for token in tokens.register.list_all()} == {first.id, second.id}
    assert capsys.readouterr().out == ""


def test_a_setting_that_is_no_token_is_refused_without_showing_it(tokens):
    with pytest.raises(InvalidRequestError, match="admin_token") as caught:
        start(tokens, admin_token="my-secret-word")
    assert "my-secret-word" not in f"{caught.value} {caught.value.solution}"
    assert "my-secret-word" not in repr(config.Settings.read(admin_token="my-secret-word"))


def test_on_the_machine_of_the_service_any_token_can_be_made_and_revoked(tokens):
    desk = LocalDesk(tokens)
    made = desk.create_token("rescue", user="ada", project="lab", role="admin", scopes=["service:admin"])
    assert (made.project, made.made_by) == ("lab", "operator")
    assert tokens.register.get(made.id).is_of(TokenText.parse(made.token))
    assert [token.id for token in desk.tokens()] == [made.id]
    rights = desk.create_token(role="admin").scopes
    assert rights == sorted(Role.ADMIN.scopes)
    desk.revoke_token(made.id)
    assert desk.tokens(project="lab")[0].revoked_at is not None


def test_what_no_token_can_be_is_refused_in_words(tokens):
    with pytest.raises(InvalidRequestError, match="role"):
        LocalDesk(tokens).create_token(role="king")
