"""What could endanger somebody is refused, with words that help."""

from __future__ import annotations

from pathlib import Path

import pytest

from qdepot.errors import InvalidRequestError
from qdepot.server.listening import Listening

CERT, KEY = Path("cert.pem"), Path("key.pem")
TLS = {"tls_cert": CERT, "tls_key": KEY}
OPEN = ["0.0.0.0", "::", "192.168.1.7", "lab.example", "localhost.example", ""]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"])
@pytest.mark.parametrize("protection", [{}, TLS, {"plain_http": True}, {"authenticated": True}])
def test_loopback_may_be_listened_on_in_every_way(host, protection):
    Listening(host=host, **protection).check()


@pytest.mark.parametrize("host", OPEN)
@pytest.mark.parametrize("protection", [{}, TLS, {"plain_http": True}])
def test_without_authentication_nothing_else_may_be_listened_on(host, protection):
    with pytest.raises(InvalidRequestError, match=r"will not listen on .* without authentication"):
        Listening(host=host, **protection).check()


@pytest.mark.parametrize("host", OPEN)
def test_tokens_are_not_taken_in_the_clear_unless_a_proxy_does_tls(host):
    with pytest.raises(InvalidRequestError, match=r"will not listen on .* without HTTPS") as caught:
        Listening(host=host, authenticated=True).check()
    assert caught.value.solution is not None
    assert "--plain-http" in caught.value.solution
    Listening(host=host, authenticated=True, plain_http=True).check()
    Listening(host=host, authenticated=True, **TLS).check()


@pytest.mark.parametrize("half", [{"tls_cert": CERT}, {"tls_key": KEY}])
def test_a_certificate_without_its_key_is_refused(half):
    with pytest.raises(InvalidRequestError, match="certificate and its key"):
        Listening(**half).check()


def test_plain_http_with_a_certificate_is_a_contradiction():
    with pytest.raises(InvalidRequestError, match="cannot both"):
        Listening(plain_http=True, authenticated=True, **TLS).check()
