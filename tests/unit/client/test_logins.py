"""A log-in is found again by whoever made it, and by nobody else."""

from __future__ import annotations

import os
import stat

import pytest

from qdepot.client.async_client import AsyncClient
from qdepot.client.client import Client
from qdepot.client.logins import Login, Logins, logins_file, read_logins, write_logins
from qdepot.client.settings import DEFAULT_URL, ExposedTokenWarning, client_settings, is_exposed
from qdepot.errors import InvalidRequestError

LAB = "https://lab.example"
OTHER = "https://other.example"


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def log_in(url=LAB, token="secret-of-lab", **more):
    write_logins(read_logins().with_login(url, Login(token=token, **more)))


def test_without_a_log_in_there_is_none():
    assert read_logins() == Logins()
    assert (client_settings().url, client_settings().token) == (DEFAULT_URL, None)


def test_the_last_log_in_is_where_a_client_goes():
    log_in(OTHER, "secret-of-other")
    log_in()
    assert (client_settings().url, client_settings().token) == (LAB, "secret-of-lab")
    assert (client_settings(OTHER).url, client_settings(OTHER).token) == (OTHER, "secret-of-other")


@pytest.mark.parametrize("url", ["https://lab.example/", "https://LAB.example", "https://lab.example/v1/"])
def test_one_service_has_one_log_in_however_it_is_written(url):
    log_in()
    assert client_settings(url).token == "secret-of-lab"


@pytest.mark.parametrize(
    "url",
    ["https://lab.example:444", "http://127.0.0.1:8484", "https://lab.example.evil.example", "https://lab.exam"],
)
def test_a_token_goes_to_no_service_but_its_own(url):
    log_in()
    assert client_settings(url).token is None


def test_arguments_and_environment_go_before_the_log_in(monkeypatch):
    log_in(ca="/lab.pem")
    assert client_settings(token="other").token == "other"
    monkeypatch.setenv("QDEPOT_TOKEN", "from-environment")
    monkeypatch.setenv("QDEPOT_URL", OTHER)
    assert (client_settings().url, client_settings().token, client_settings().ca) == (OTHER, "from-environment", None)
    assert str(client_settings(LAB).ca) == "/lab.pem"


def test_a_log_out_forgets_one_and_leaves_the_others():
    log_in(OTHER, "secret-of-other")
    log_in()
    write_logins(read_logins().without(LAB))
    assert client_settings().url == DEFAULT_URL
    assert client_settings(LAB).token is None
    assert client_settings(OTHER).token == "secret-of-other"


@pytest.mark.skipif(os.name != "posix", reason="other systems keep files private in other ways")
def test_nobody_else_can_read_it_and_no_draft_is_left():
    old = os.umask(0)
    try:
        log_in()
    finally:
        os.umask(old)
    assert stat.S_IMODE(logins_file().stat().st_mode) == 0o600
    assert [path.name for path in logins_file().parent.iterdir()] == ["logins.json"]


@pytest.mark.skipif(os.name != "posix", reason="other systems keep files private in other ways")
def test_a_file_that_others_can_read_is_not_used():
    log_in()
    logins_file().chmod(0o640)
    with pytest.raises(InvalidRequestError, match="others on this machine") as caught:
        client_settings()
    assert "chmod 600" in caught.value.solution
    assert "secret-of-lab" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "qdepot-logins/9", "logins": {}}', '{"format": 1}'])
def test_a_damaged_file_is_an_error_that_says_what_to_do(text):
    log_in()
    logins_file().write_text(text)
    with pytest.raises(InvalidRequestError, match="cannot be read") as caught:
        client_settings()
    assert "log in again" in caught.value.solution


def test_a_user_without_a_home_has_no_log_ins(monkeypatch):
    monkeypatch.delenv("XDG_CONFIG_HOME")

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("qdepot.client.logins.Path.home", homeless)
    assert read_logins() == Logins()


def test_no_token_is_shown():
    log_in()
    assert "secret-of-lab" not in f"{read_logins()!r} {client_settings()!r} {Client()!r} {AsyncClient()!r}"


@pytest.mark.parametrize(
    ("url", "exposed"),
    [
        ("http://lab.example", True),
        ("http://192.168.1.7:8484", True),
        ("http://localhost.evil.example", True),
        ("https://lab.example", False),
        ("http://localhost:8484", False),
        ("http://127.8.8.8", False),
        ("http://[::1]:8484", False),
    ],
)
def test_plain_http_to_another_machine_is_told_of(url, exposed):
    assert is_exposed(url) == exposed
    if exposed:
        with pytest.warns(ExposedTokenWarning, match="without encryption"):
            client_settings(url, "secret-of-lab")
    else:
        client_settings(url, "secret-of-lab")


def test_without_a_token_nothing_is_exposed():
    client_settings("http://lab.example")


def test_who_has_agreed_is_not_warned_again():
    log_in("http://lab.example", insecure=True)
    assert client_settings("http://lab.example").token == "secret-of-lab"
