"""Where a service listens and how it is protected there; combinations that would endanger somebody are refused."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from qdepot.errors import InvalidRequestError
from qdepot.server.connections import ConnectionLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Address and protection of a service.

    Attributes:
        host: Name or address of an interface.
        port: 0 takes a free one.
        tls_cert: Certificate chain (PEM); with it, HTTPS alone is spoken.
        tls_key: Its private key (PEM); both or none.
        plain_http: Speak HTTP without TLS also where others could come in: something in front of the service does TLS.
        authenticated: Every caller has to say who it is.
        connections: How many there may be, and how slow.
    """

    host: str = "127.0.0.1"
    port: int = 0
    tls_cert: Path | None = None
    tls_key: Path | None = None
    plain_http: bool = False
    authenticated: bool = False
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)

    def check(self) -> None:
        """See to it that this may be done.

        Raises:
            InvalidRequestError: It would let in everybody, or send tokens in the clear; or it contradicts itself.
        """
        if (self.tls_cert is None) != (self.tls_key is None):
            raise InvalidRequestError("HTTPS needs a certificate and its key", solution="Give both files, or none.")
        if self.tls_cert is not None and self.plain_http:
            raise InvalidRequestError(
                "plain HTTP and HTTPS cannot both be spoken", solution="Give a certificate, or --plain-http, not both."
            )
        if is_loopback(self.host):
            return
        if not self.authenticated:
            raise InvalidRequestError(
                f"qdepot will not listen on {self.host!r} without authentication: everybody who reaches that address "
                "could use it",
                solution="Switch tokens on (QDEPOT_AUTH=tokens). Or listen on 127.0.0.1, and reach it from elsewhere "
                "through SSH: ssh -L 8484:127.0.0.1:8484 HOST.",
            )
        if self.tls_cert is None and not self.plain_http:
            raise InvalidRequestError(
                f"qdepot will not listen on {self.host!r} without HTTPS: tokens and results could be read on the way",
                solution="Give a certificate (--tls-cert, --tls-key), or --tls self-signed. Where a proxy in front of "
                "the service does TLS, and nobody else reaches this port: --plain-http.",
            )


def is_loopback(host: str) -> bool:
    """True for an address, or the name ``localhost``, that only this machine reaches."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
