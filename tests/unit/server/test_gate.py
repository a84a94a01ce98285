"""Other pages in the user's browser are not the user."""

from __future__ import annotations

import asyncio
import json

import pytest

from qdepot.errors import InvalidRequestError
from qdepot.server.gate import LOOPBACK_HOSTS, Gate, checked_public_url, names_of


async def inner(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"in"})


def ask(
    *headers: tuple[str, str], allowed=LOOPBACK_HOSTS, method="GET", scheme="http", public_url=None
) -> tuple[int, str]:
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
    asyncio.run(Gate(inner, allowed_hosts=allowed, public_url=public_url)(scope, receive, send))
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


PUBLIC = "https://jobs.example.org"


def test_pages_of_the_public_address_are_our_own_whatever_the_proxy_tells():
    allowed = names_of("0.0.0.0", public_url=PUBLIC)
    host, origin = ("host", "jobs.example.org"), ("origin", PUBLIC)
    assert ask(host, origin, allowed=allowed, method="POST", public_url=PUBLIC)[0] == 200
    assert ask(host, origin, allowed=allowed, method="POST") == (403, "cross_site")
    for foreign in ("https://jobs.example.org:8443", "http://jobs.example.org:443", "https://evil.example"):
        assert ask(host, ("origin", foreign), allowed=allowed, public_url=PUBLIC) == (403, "cross_site")


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("127.0.0.1", set()),
        ("0.0.0.0", set()),
        ("::", set()),
        ("192.0.2.7", {"192.0.2.7"}),
        ("2001:db8::7", {"[2001:db8::7]"}),
        ("Lab.Example.org", {"lab.example.org"}),
    ],
)
def test_a_service_answers_to_loopback_names_and_where_it_listens(host, names):
    assert names_of(host) == LOOPBACK_HOSTS | names


def test_a_service_answers_to_the_names_that_it_is_given():
    names = names_of("0.0.0.0", allowed_hosts=("QDepot.lab.svc", "lab:8443"), public_url="https://[2001:db8::7]:444")
    assert names == LOOPBACK_HOSTS | {"qdepot.lab.svc", "lab:8443", "[2001:db8::7]"}


@pytest.mark.parametrize("url", ["https://Jobs.example.org", "https://jobs.example.org/"])
def test_a_public_address_is_the_root_of_a_site(url):
    assert checked_public_url(url) == PUBLIC


@pytest.mark.parametrize(
    "url",
    [
        "jobs.example.org",
        "ftp://jobs.example.org",
        "https://",
        "https://jobs.example.org/qdepot",
        "https://h?x",
        "https://h:0",
    ],
)
def test_what_is_no_root_of_a_site_is_refused(url):
    with pytest.raises(InvalidRequestError, match="public_url"):
        checked_public_url(url)


def test_a_password_in_the_public_address_is_refused_and_not_repeated():
    with pytest.raises(InvalidRequestError) as caught:
        checked_public_url("https://user:secret-word@jobs.example.org")
    assert "secret-word" not in f"{caught.value} {caught.value.solution}"
