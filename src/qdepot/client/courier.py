"""The only place of the client that does input and output: flows are run over HTTP here, in both colours."""

from __future__ import annotations

import asyncio
import ssl
import time
import weakref

import httpx

from qdepot.client.exchange import Answer, Flow, NoAnswer, Outcome, Pause, Request, T
from qdepot.client.repeating import Peer, answered
from qdepot.client.settings import ClientSettings
from qdepot.errors import InvalidRequestError

_CONNECT_TIMEOUT_S = 10.0
_WRITE_TIMEOUT_S = 120.0
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Courier:
    """Runs flows and blocks while it does; may be shared by threads. Closes its connections when nobody uses it.

    Attributes:
        peer: What is known of the service.
    """

    def __init__(self, settings: ClientSettings, *, transport: httpx.BaseTransport | None = None) -> None:
        self.peer = Peer(url=settings.url)
        self._http = httpx.Client(
            base_url=settings.url,
            headers=_headers(settings),
            verify=_verify(settings),
            transport=transport,
            mounts=_past_proxies(),
        )
        # Handles live on this object when their client is gone already; nobody is left to close it then.
        weakref.finalize(self, self._http.close)

    def run(self, flow: Flow[T]) -> T:
        """Carry a flow out and return its value; what it raises is raised."""
        came: Outcome | None = None
        try:
            while True:
                step = flow.send(came)
                came = self._paused(step) if isinstance(step, Pause) else self._exchanged(step)
        except StopIteration as end:
            value: T = end.value
            return value

    def ask(self, request: Request[T]) -> T:
        """Send one request, and again where that is safe and may help."""
        return self.run(answered(self.peer, request))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _exchanged(self, request: Request[object]) -> Outcome:
        try:
            response = self._http.send(_http_request(self._http, request))
            link = _link(request, response)
            if link is None:
                return _answer(response)
            # Another client: the address is not the service's, so no token goes there.
            with httpx.Client(mounts=_past_proxies()) as elsewhere:
                return _answer(elsewhere.get(link, timeout=request.read_timeout_s))
        except httpx.RequestError as error:
            return _no_answer(error)

    @staticmethod
    def _paused(pause: Pause) -> None:
        time.sleep(pause.seconds)


class AsyncCourier:
    """Runs flows in an asyncio event loop.

    Attributes:
        peer: What is known of the service.
    """

    def __init__(self, settings: ClientSettings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.peer = Peer(url=settings.url)
        self._http = httpx.AsyncClient(
            base_url=settings.url,
            headers=_headers(settings),
            verify=_verify(settings),
            transport=transport,
            mounts=_past_proxies(),
        )

    async def run(self, flow: Flow[T]) -> T:
        """Carry a flow out and return its value; what it raises is raised."""
        came: Outcome | None = None
        try:
            while True:
                step = flow.send(came)
                came = await (self._paused(step) if isinstance(step, Pause) else self._exchanged(step))
        except StopIteration as end:
            value: T = end.value
            return value

    async def ask(self, request: Request[T]) -> T:
        """Send one request, and again where that is safe and may help."""
        return await self.run(answered(self.peer, request))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _exchanged(self, request: Request[object]) -> Outcome:
        try:
            response = await self._http.send(_http_request(self._http, request))
            link = _link(request, response)
            if link is None:
                return _answer(response)
            async with httpx.AsyncClient(mounts=_past_proxies()) as elsewhere:
                return _answer(await elsewhere.get(link, timeout=request.read_timeout_s))
        except httpx.RequestError as error:
            return _no_answer(error)

    @staticmethod
    async def _paused(pause: Pause) -> None:
        await asyncio.sleep(pause.seconds)


def _headers(settings: ClientSettings) -> dict[str, str]:
    headers = {"user-agent": "qdepot-client", "accept": "application/json, application/problem+json"}
    if settings.token is not None:
        headers["authorization"] = f"Bearer {settings.token}"
    return headers


def _verify(settings: ClientSettings) -> ssl.SSLContext | bool:
    # Without TLS there is no certificate; loading the trusted ones costs more than many a request. Redirects, which
    # could lead to TLS, are never followed.
    if settings.ca is None or not settings.url.startswith("https:"):
        return settings.url.startswith("https:")
    context = httpx.create_ssl_context()
    try:
        context.load_verify_locations(settings.ca)
    except OSError as error:  # ssl.SSLError is one
        raise InvalidRequestError(
            f"no certificate can be read from {settings.ca}: {error}",
            solution="Let QDEPOT_CA name a PEM file: the service's own certificate, or that of its authority.",
        ) from error
    return context


def _past_proxies() -> dict[str, None]:
    # A proxy that the environment names is for the world outside, not for a service on this machine.
    return {f"all://{host}": None for host in _LOOPBACK}


def _http_request(client: httpx.Client | httpx.AsyncClient, request: Request[object]) -> httpx.Request:
    timeout = httpx.Timeout(request.read_timeout_s, connect=_CONNECT_TIMEOUT_S, write=_WRITE_TIMEOUT_S)
    return client.build_request(
        request.method,
        request.path,
        params=list(request.params) or None,
        headers=dict(request.headers),
        content=request.body,
        timeout=timeout,
    )


def _link(request: Request[object], response: httpx.Response) -> str | None:
    """Where the answer is, if that is elsewhere."""
    leads = request.may_lead_elsewhere and response.status_code == httpx.codes.TEMPORARY_REDIRECT
    return response.headers.get("location") if leads else None


def _answer(response: httpx.Response) -> Answer:
    return Answer(status=response.status_code, headers=dict(response.headers), body=response.content)


def _no_answer(error: httpx.RequestError) -> NoAnswer:
    reason = str(error) or type(error).__name__
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NoAnswer(
                reason=f"its certificate is not trusted: {cause.verify_message}",
                refused=True,
                solution="Let QDEPOT_CA name a file (PEM) with the certificate of the authority that signed it, or "
                "of the service if it signed itself.",
            )
        cause = cause.__cause__ or cause.__context__
    return NoAnswer(reason=reason, refused=isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)))
