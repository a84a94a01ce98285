"""How many connections a service holds, and how long it waits for what clients send."""

from __future__ import annotations

import ipaddress
import logging
import resource
from collections.abc import Collection
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol

logger = logging.getLogger(__name__)

_OWN_FILES = 256
"""Open files that the service itself needs: stores, database, children."""

_MOST_FILES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What connections may take.

    Attributes:
        most: Connections in all.
        most_per_address: Connections from one address.
        proxies: Addresses to which ``most_per_address`` does not apply, since many clients come from there.
        head_timeout_s: Seconds within which the head of a request must have come.
        body_timeout_s: Seconds within which a body must have come, and one more for each ``body_bytes_per_s``.
        body_bytes_per_s: How fast a body must come at least.
        idle_timeout_s: Seconds that a connection is kept for a further request.
    """

    most: int = 2000
    most_per_address: int = 1000
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    head_timeout_s: float = 20.0
    body_timeout_s: float = 30.0
    body_bytes_per_s: float = 16 * 1024
    idle_timeout_s: int = 30

    def within(self, open_files: int) -> ConnectionLimits:
        """The same, with no more connections than there may be open files beside the service's own."""
        most = max(1, min(self.most, open_files - _OWN_FILES))
        if most < self.most:
            logger.warning(
                "fewer_connections", extra={"max_connections": most, "wanted": self.most, "open_files": open_files}
            )
        return replace(self, most=most)


class Connection(Protocol):
    """What is known of a connection."""

    @property
    def address(self) -> str:
        """Of the client."""
        ...

    @property
    def is_idle(self) -> bool:
        """No request is being worked on: none has come as far as the end of its head."""
        ...

    def drop(self) -> None:
        """Close it without a word."""
        ...


class Connections:
    """The open connections of a service. Used on the event loop's thread alone."""

    def __init__(self, limits: ConnectionLimits) -> None:
        """Start without connections.

        Args:
            limits: How many there may be.
        """
        self._limits = limits
        self._by_address: dict[str, dict[Connection, None]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_address.values()))

    def add(self, connection: Connection) -> bool:
        """Take up a connection; False if there is no room for it.

        Room is made by dropping the oldest connection without a request: of the same address, if it has all that it
        may have, else of the address that has most.
        """
        own = self._by_address.get(connection.address, {})
        if len(own) >= self._limits.most_per_address and not self._is_proxy(connection.address):
            if not self._drop_idle(own):
                return False
        elif len(self) >= self._limits.most and not self._drop_idle(max(self._by_address.values(), key=len)):
            return False
        self._by_address.setdefault(connection.address, {})[connection] = None
        return True

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is closed. May be repeated."""
        own = self._by_address.get(connection.address)
        if own is not None:
            own.pop(connection, None)
            if not own:
                del self._by_address[connection.address]

    def _drop_idle(self, connections: Collection[Connection]) -> bool:
        oldest = next((each for each in connections if each.is_idle), None)
        if oldest is None:
            return False
        self.remove(oldest)
        oldest.drop()
        return True

    def _is_proxy(self, address: str) -> bool:
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(known in network for network in self._limits.proxies)


def raise_open_files() -> int:
    """Let this process have as many open files as its system allows without asking; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _MOST_FILES if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
