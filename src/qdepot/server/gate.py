"""From where this service may be spoken to, and where it may listen.

What must be kept out are other pages in a user's browser, which reach whatever that browser reaches, loopback too.
Three things tell them apart: the ``Host`` they were made to use (DNS rebinding), the ``Origin`` they come from, and
what the browser says about the site of the caller.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from qdepot.errors import InvalidRequestError, QDepotError
from qdepot.server.errors import CrossSiteError, WrongHostError, problem_response

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})

_DEFAULT_PORTS = {"http": 80, "https": 443}
_OWN_SITES = {"same-origin", "none"}


def require_loopback(host: str) -> None:
    """Refuse to listen where others could come in, as long as there is no authentication.

    Raises:
        InvalidRequestError: ``host`` is neither ``localhost`` nor a loopback address.
    """
    if host == "localhost":
        return
    try:
        if ipaddress.ip_address(host.strip("[]")).is_loopback:
            return
    except ValueError:
        pass
    raise InvalidRequestError(
        f"qdepot will not listen on {host!r}: everybody who reaches that address could use it",
        solution="Listen on 127.0.0.1, and reach it from elsewhere through SSH: ssh -L 8484:127.0.0.1:8484 HOST.",
    )


class Gate:
    """Lets in only what was meant for this service and was not sent by a foreign web page."""

    def __init__(self, app: ASGIApp, *, allowed_hosts: Iterable[str]) -> None:
        """Guard an application.

        Args:
            app: What is guarded.
            allowed_hosts: ``name`` (any port: tunnels choose their own) or ``name:port``; IPv6 in brackets.
        """
        self._app = app
        self._allowed = frozenset(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it."""
        if scope["type"] == "http":
            refusal = self._refusal(scope)
            if refusal is not None:
                await problem_response(refusal, instance=scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> QDepotError | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_allowed(hosts[0].lower()):
            return WrongHostError(
                f"this service is not {', '.join(hosts)[:200] or 'nameless'!r}",
                solution=f"Address it as one of: {', '.join(sorted(self._allowed))}.",
            )
        origin = headers.get("origin")
        if origin is not None and not _same_host(origin, hosts[0].lower(), scheme=scope["scheme"]):
            return CrossSiteError(
                f"the page at {origin[:200]!r} may not use this service",
                solution="Use the service from its own pages, from the qdepot client, or from a program.",
            )
        if _is_cross_site(headers, scope["method"]):
            return CrossSiteError(solution="Open the address yourself, or use the qdepot client.")
        return None

    def _is_allowed(self, host: str) -> bool:
        name, bracket, rest = host.rpartition("]")
        name = name + bracket if bracket else rest.partition(":")[0]
        return host in self._allowed or name in self._allowed


def _same_host(origin: str, host: str, *, scheme: str) -> bool:
    try:
        theirs, ours = urlsplit(origin.lower()), urlsplit(f"{scheme}://{host}")
        their_port, our_port = theirs.port, ours.port
    except ValueError:
        return False
    if theirs.scheme not in _DEFAULT_PORTS or theirs.hostname is None:
        return False
    return (theirs.hostname, their_port or _DEFAULT_PORTS[theirs.scheme]) == (
        ours.hostname,
        our_port or _DEFAULT_PORTS[scheme],
    )


def _is_cross_site(headers: Headers, method: str) -> bool:
    """True for what a foreign page loads or sends; a link that the user follows is the user."""
    if headers.get("sec-fetch-site", "none") in _OWN_SITES:
        return False
    followed = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return not (followed and method == "GET")
