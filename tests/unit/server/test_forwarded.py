"""Proxies are believed if they are ours, and nobody else is."""

from __future__ import annotations

import asyncio

import pytest
from starlette.datastructures import Headers

from qdepot.errors import InvalidRequestError
from qdepot.server.forwarded import Forwarded, networks_of

PROXIES = networks_of(("10.0.0.0/8", "2001:db8::1"))
TOLD = (
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "jobs.example.org"),
    ("x-forwarded-for", "198.51.100.7"),
)


def seen(*headers: tuple[str, str], client="10.1.2.3", proxies=PROXIES) -> tuple[str, list[str], str]:
    """Scheme, hosts and client address that the application sees."""
    scopes = []

    async def app(scope, receive, send):
        scopes.append(scope)

    scope = {
        "type": "http",
        "scheme": "http",
        "client": (client, 40000),
        "headers": [(name.encode(), value.encode()) for name, value in (("host", "10.9.9.9:8484"), *headers)],
    }
    asyncio.run(Forwarded(app, proxies=proxies)(scope, None, None))
    return scopes[0]["scheme"], Headers(scope=scopes[0]).getlist("host"), scopes[0]["client"][0]


def test_what_a_trusted_proxy_says_is_believed():
    assert seen(*TOLD) == ("https", ["jobs.example.org"], "198.51.100.7")
    assert seen(*TOLD, client="2001:db8::1") == ("https", ["jobs.example.org"], "198.51.100.7")
    assert seen(*TOLD, client="::ffff:10.1.2.3") == ("https", ["jobs.example.org"], "198.51.100.7")


@pytest.mark.parametrize("client", ["192.0.2.1", "11.0.0.1", "2001:db8::2", "testclient"])
def test_nobody_else_is_believed(client):
    assert seen(*TOLD, client=client) == ("http", ["10.9.9.9:8484"], client)


def test_without_trusted_proxies_nobody_is_believed():
    assert seen(*TOLD, proxies=()) == ("http", ["10.9.9.9:8484"], "10.1.2.3")


def test_the_standard_header_goes_before_the_customary_ones():
    standard = 'for="[2001:db8:1::9]:4711";proto=https;host="lab.example:8443"'
    assert seen(("forwarded", standard), *TOLD) == ("https", ["lab.example:8443"], "2001:db8:1::9")


def test_the_client_is_the_last_address_that_is_no_proxy_of_ours():
    chain = ("x-forwarded-for", "203.0.113.66, 198.51.100.7:5000, 10.4.4.4")
    assert seen(chain)[2] == "198.51.100.7"
    assert seen(("x-forwarded-for", "10.5.5.5, 10.4.4.4"))[2] == "10.5.5.5"


def test_what_a_client_wrote_before_the_proxy_added_to_it_is_not_believed():
    lists = (("x-forwarded-proto", "http, https"), ("x-forwarded-host", "evil.example, jobs.example.org"))
    assert seen(*lists)[:2] == ("https", ["jobs.example.org"])
    standard = (
        "forwarded",
        'for="203.0.113.66, 10.1.1.1";host=evil.example;proto=https, for=198.51.100.7;host=jobs.example.org',
    )
    assert seen(standard) == ("http", ["jobs.example.org"], "198.51.100.7")


@pytest.mark.parametrize(
    "headers",
    [
        [("x-forwarded-proto", "gopher"), ("x-forwarded-host", "a b"), ("x-forwarded-for", "unknown")],
        [("x-forwarded-proto", ""), ("x-forwarded-host", ""), ("x-forwarded-for", "")],
        [("forwarded", 'for=_hidden;proto=gopher;host="a b"')],
        [("forwarded", "nonsense")],
    ],
)
def test_nonsense_changes_nothing(headers):
    assert seen(*headers) == ("http", ["10.9.9.9:8484"], "10.1.2.3")


@pytest.mark.parametrize("proxy", ["proxy.example", "10.0.0.1/8", "10.0.0.0/99", ""])
def test_what_is_no_network_is_refused(proxy):
    with pytest.raises(InvalidRequestError, match="trusted_proxies"):
        networks_of((proxy,))
