"""Other pages in the user's browser are not the user."""

from __future__ import annotations

import asyncio
import json

import pytest

from qdepot.errors import InvalidRequestError
from qdepot.server.gate import LOOPBACK_HOSTS, Gate, require_loopback


async def inner(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"in"})


def ask(*headers: tuple[str, str], allowed=LOOPBACK_HOSTS, method="GET", scheme="http") -> tuple[int, str]:
    """The status that a request with these headers gets, and the problem's code."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": "/v1/jobs",
        "scheme": scheme,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    asyncio.run(Gate(inner, allowed_hosts=allowed)(scope, receive, send))
    body = sent[1]["body"]
    return sent[0]["status"], "" if body == b"in" else json.loads(body)["code"]


HERE = ("host", "127.0.0.1:8484")


@pytest.mark.parametrize("host", ["127.0.0.1:8484", "localhost:8484", "LOCALHOST", "[::1]:8484", "localhost:9000"])
def test_the_loopback_names_are_let_in_at_any_port(host):
    assert ask(("host", host)) == (200, "")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8484", "127.0.0.1.evil.example", "localhost.evil.example:8484", "", "[::2]"]
)
def test_any_other_host_is_refused(host):
    assert ask(("host", host)) == (421, "wrong_host")


def test_a_request_without_a_host_or_with_two_is_refused():
    assert ask() == (421, "wrong_host")
    assert ask(HERE, ("host", "evil.example")) == (421, "wrong_host")


def test_an_allowed_name_with_a_port_is_allowed_at_that_port_alone():
    allowed = frozenset({"lab.example:8443"})
    assert ask(("host", "lab.example:8443"), allowed=allowed)[0] == 200
    assert ask(("host", "lab.example:80"), allowed=allowed)[0] == 421
    assert ask(("host", "lab.example"), allowed=allowed)[0] == 421


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://127.0.0.1:3000",
        "http://localhost:8484",
        "null",
        "",
        "file://",
        "http://127.0.0.1:notaport",
        "http://127.0.0.1:8484.evil.example",
        "ftp://127.0.0.1:8484",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_from_elsewhere_is_refused(origin, method):
    assert ask(HERE, ("origin", origin), method=method) == (403, "cross_site")


@pytest.mark.parametrize(
    ("host", "origin", "scheme"),
    [
        ("127.0.0.1:8484", "http://127.0.0.1:8484", "http"),
        ("localhost", "http://localhost", "http"),
        ("localhost:80", "http://localhost", "http"),
        ("localhost", "https://localhost:443", "https"),
        ("[::1]:8484", "http://[::1]:8484", "http"),
    ],
)
def test_our_own_pages_are_let_in(host, origin, scheme):
    assert ask(("host", host), ("origin", origin), scheme=scheme)[0] == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("mode", ["no-cors", "cors", "navigate"])
def test_what_a_foreign_page_loads_is_refused_also_without_an_origin(site, mode):
    headers = [HERE, ("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", "iframe")]
    assert ask(*headers) == (403, "cross_site")


def test_a_link_that_the_user_follows_is_the_user():
    headers = [HERE, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]
    assert ask(*headers)[0] == 200
    assert ask(*headers, method="POST") == (403, "cross_site")


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_what_the_browser_calls_ours_is_let_in(site):
    assert ask(HERE, ("sec-fetch-site", site))[0] == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"])
def test_loopback_may_be_listened_on(host):
    require_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "lab.example", ""])
def test_nothing_else_may_be_listened_on(host):
    with pytest.raises(InvalidRequestError, match="will not listen"):
        require_loopback(host)
