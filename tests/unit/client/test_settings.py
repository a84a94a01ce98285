from __future__ import annotations

from pathlib import Path

import pytest

from qdepot.client.settings import DEFAULT_URL, client_settings
from qdepot.errors import InvalidRequestError


def test_without_anything_the_service_is_on_this_machine():
    settings = client_settings()
    assert (settings.url, settings.token) == (DEFAULT_URL, None)


def test_arguments_go_before_the_environment(monkeypatch):
    monkeypatch.setenv("QDEPOT_URL", "https://from.environment")
    monkeypatch.setenv("QDEPOT_TOKEN", "environment-token")
    assert client_settings().url == "https://from.environment"
    assert client_settings().token == "environment-token"
    given = client_settings("https://given", "given-token")
    assert (given.url, given.token) == ("https://given", "given-token")


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://host:1/", "http://host:1"),
        ("https://host/v1/", "https://host"),
        (" https://host/qdepot ", "https://host/qdepot"),
        ("http://[::1]:8484", "http://[::1]:8484"),
    ],
)
def test_an_address_is_the_root_of_the_service(given, used):
    assert client_settings(given).url == used


@pytest.mark.parametrize(
    "url", ["localhost:8484", "ftp://host", "http://", "https://host?x=1", "http://host:99999", "http://[::1"]
)
def test_what_is_no_web_address_is_refused(url):
    with pytest.raises(InvalidRequestError, match="not a plain"):
        client_settings(url)


def test_a_password_in_an_address_is_refused_and_not_repeated():
    with pytest.raises(InvalidRequestError) as caught:
        client_settings("https://user:secret-word@host")
    assert "secret-word" not in f"{caught.value} {caught.value.solution} {caught.value.details}"


def test_a_token_is_not_shown():
    assert "secret-word" not in repr(client_settings("https://host", "secret-word"))
    with pytest.raises(InvalidRequestError) as caught:
        client_settings("https://host", "secret-word\nsecond line")
    assert "secret-word" not in f"{caught.value} {caught.value.solution}"


def test_an_authority_of_ones_own_is_given_or_named_by_the_environment(monkeypatch):
    assert client_settings().ca is None
    monkeypatch.setenv("QDEPOT_CA", "~/lab.pem")
    assert client_settings().ca == Path.home() / "lab.pem"
    assert client_settings(ca="other.pem").ca == Path("other.pem")


def test_a_line_break_at_the_end_of_a_token_is_no_part_of_it():
    assert client_settings("https://host", "word\n").token == "word"
