"""What a proxy says of the request that it passes on: believed from those that the operator trusts alone."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping, Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from qdepot.errors import InvalidRequestError

_HOP = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_PAIR = re.compile(r'([A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]+))')
_HOST = re.compile(r"[A-Za-z0-9.\-_:\[\]]{1,300}")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks_of(proxies: Collection[str]) -> tuple[Network, ...]:
    """The networks that these addresses and networks are.

    Raises:
        InvalidRequestError: One is neither.
    """
    found = [_network(proxy) for proxy in proxies]
    wrong = [str(number) for number, network in enumerate(found, start=1) if network is None]
    if wrong:
        raise InvalidRequestError(
            f"trusted_proxies: entry {', '.join(wrong)} is not the address of a machine or network",
            solution="List IP addresses and networks, such as 10.1.2.3 or 10.128.0.0/14; names are not looked up, and "
            "in a network all bits behind its prefix are 0.",
        )
    return tuple(network for network in found if network is not None)


def _network(proxy: str) -> Network | None:
    try:
        return ipaddress.ip_network(proxy)
    except ValueError:
        return None


class Forwarded:
    """Sees a request as the client sent it: scheme, host and address come from what a trusted proxy says.

    Read are ``Forwarded`` (RFC 7239) or, where it is missing, ``X-Forwarded-Proto``, ``-Host`` and ``-For``. Of lists,
    the client is the last address that is no trusted proxy; scheme and host are those of the nearest proxy. From
    anybody else these headers change nothing.
    """

    def __init__(self, app: ASGIApp, *, proxies: Sequence[Network]) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as the client sent it."""
        if self._proxies and scope["type"] == "http" and scope.get("client") and self._trusts(scope["client"][0]):
            scope = self._seen(scope)
        await self._app(scope, receive, send)

    def _seen(self, scope: Scope) -> Scope:
        headers = Headers(scope=scope)
        hops = _standard(headers) if "forwarded" in headers else _customary(headers)
        seen = dict(scope)
        if hops["proto"] and hops["proto"][-1].lower() in {"http", "https"}:
            seen["scheme"] = hops["proto"][-1].lower()
        if hops["host"] and _HOST.fullmatch(hops["host"][-1]):
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            seen["headers"] = [*others, (b"host", hops["host"][-1].encode("ascii"))]
        client = self._client(hops["for"])
        if client is not None:
            seen["client"] = (client, 0)
        return seen

    def _client(self, passed: Sequence[str]) -> str | None:
        """The nearest address that is no proxy of ours; the farthest, if all are; None where one is no address."""
        found = None
        for text in reversed(passed):
            found = _address(text)
            if found is None or not self._trusts(found):
                return found
        return found

    def _trusts(self, address: str) -> bool:
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = known.ipv4_mapped if isinstance(known, ipaddress.IPv6Address) else None
        return any((mapped or known) in network for network in self._proxies)


def _customary(headers: Headers) -> Mapping[str, Sequence[str]]:
    """The values of each ``X-Forwarded-`` header, the nearest hop last."""
    return {
        name: [part.strip() for value in headers.getlist(f"x-forwarded-{name}") for part in value.split(",")]
        for name in ("proto", "host", "for")
    }


def _standard(headers: Headers) -> Mapping[str, Sequence[str]]:
    """The addresses of all hops in ``Forwarded``, the nearest last; scheme and host as the nearest gives them."""
    hops = [
        {name.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain for name, quoted, plain in _PAIR.findall(hop)}
        for hop in _HOP.findall(", ".join(headers.getlist("forwarded")))
    ]
    nearest = hops[-1:]
    return {
        "for": [hop["for"] for hop in hops if "for" in hop],
        "proto": [hop["proto"] for hop in nearest if "proto" in hop],
        "host": [hop["host"] for hop in nearest if "host" in hop],
    }


def _address(text: str) -> str | None:
    """The address of ``192.0.2.1``, ``192.0.2.1:80``, ``2001:db8::1`` or ``[2001:db8::1]:80``; else None."""
    bare = text[1:].partition("]")[0] if text.startswith("[") else text
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return None
