"""From where this service may be spoken to, and where it may listen.

What must be kept out are other pages in a user's browser, which reach whatever that browser reaches, loopback too.
Three things tell them apart: the ``Host`` they were made to use (DNS rebinding), the ``Origin`` they come from, and
what the browser says about the site of the caller.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from qdepot.errors import InvalidRequestError, QDepotError
from qdepot.server.errors import CrossSiteError, WrongHostError, problem_response

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})

_DEFAULT_PORTS = {"http": 80, "https": 443}
_OWN_SITES = {"same-origin", "none"}
_ALL_INTERFACES = {"0.0.0.0", "::", ""}  # noqa: S104 - compared with, not listened on


def names_of(host: str, *, allowed_hosts: Collection[str] = (), public_url: str | None = None) -> frozenset[str]:
    """What a service may be addressed by.

    Args:
        host: Where it listens; an address that means all interfaces is nobody's name.
        allowed_hosts: Further names, as :class:`Gate` takes them.
        public_url: Its address for the world outside, if it has one.
    """
    names = {*LOOPBACK_HOSTS, *(name.strip().lower() for name in allowed_hosts)}
    if host.strip("[]") not in _ALL_INTERFACES:
        names.add(f"[{host.strip('[]')}]" if ":" in host else host.lower())
    if public_url is not None:
        names.add(_bracketed(urlsplit(public_url).hostname or ""))
    return frozenset(names - {""})


def checked_public_url(url: str) -> str:
    """An address of the service for the world outside, without a slash at its end.

    Raises:
        InvalidRequestError: It is no address of a web service, or has more than scheme, name and port.
    """
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise InvalidRequestError(
            "public_url is not the root of a web site",
            solution="Give scheme, name and, if need be, port: https://jobs.example.org. A path is not possible: give "
            "the service a name of its own.",
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name


class Gate:
    """Lets in only what was meant for this service and was not sent by a foreign web page."""

    def __init__(self, app: ASGIApp, *, allowed_hosts: Iterable[str], public_url: str | None = None) -> None:
        """Guard an application.

        Args:
            app: What is guarded.
            allowed_hosts: ``name`` (any port: tunnels choose their own) or ``name:port``; IPv6 in brackets.
            public_url: Where its own pages come from when a proxy serves them, whatever that proxy tells of itself.
        """
        self._app = app
        self._allowed = frozenset(host.lower() for host in allowed_hosts)
        self._public = urlsplit(public_url) if public_url is not None else None

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
        if origin is not None and not self._is_own_page(origin, hosts[0].lower(), scheme=scope["scheme"]):
            return CrossSiteError(
                f"the page at {origin[:200]!r} may not use this service",
                solution="Use the service from its own pages, from the qdepot client, or from a program.",
            )
        if _is_cross_site(headers, scope["method"]):
            return CrossSiteError(solution="Open the address yourself, or use the qdepot client.")
        return None

    def _is_own_page(self, origin: str, host: str, *, scheme: str) -> bool:
        if _same_host(origin, host, scheme=scheme):
            return True
        public = self._public
        return (
            public is not None
            and origin.lower().startswith(f"{public.scheme}://")
            and _same_host(origin, public.netloc, scheme=public.scheme)
        )

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
