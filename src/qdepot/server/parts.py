"""What the server is put together from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from qdepot.server.forwarded import Network
from qdepot.server.gate import LOOPBACK_HOSTS
from qdepot.services.authentication import Authentication
from qdepot.services.backends import Backends
from qdepot.services.doubts import Doubts
from qdepot.services.health import Health
from qdepot.services.jobs import Jobs
from qdepot.services.orders import ProjectLimits, SubmitLimits
from qdepot.services.tokens import Tokens


def _no_facts() -> Mapping[str, object]:
    return {}


def _no_changes(_: Callable[[], None]) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerParts:
    """What :func:`qdepot.server.app.build_app` needs.

    Attributes:
        jobs, doubts, backends, tokens, health: The services behind the routes.
        version: Of qdepot, as installed.
        limits: What a request may be.
        special_limits: What it may be of projects that have limits of their own, by project.
        authentication: Knows tokens; without, whoever comes is the local user, who may do everything.
        describe: Facts on what reads and runs circuits, asked for each time: ``packages`` (versions by name) and
            ``qpy_versions`` (oldest, newest); what is missing is unknown yet.
        subscribe: Takes a callback that is called, from any thread, after jobs have changed. Changes that it does not
            tell of are seen within a second.
        allowed_hosts: Names (any port) or ``name:port`` that clients may address this service by.
        public_url: Where the service's own pages come from for the world outside; None: where they are asked for.
        trusted_proxies: Those who are believed what they say of the requests that they pass on.
        download_links_for: How long a link to the object store is valid; None: no such links are given.
        body_memory_bytes: What request bodies above 64 KiB may take, all together.
        threads: How many requests are worked on at once; waiting ones do not count.
    """

    jobs: Jobs
    doubts: Doubts
    backends: Backends
    tokens: Tokens
    health: Health
    version: str
    limits: SubmitLimits = field(default_factory=SubmitLimits)
    special_limits: Mapping[str, SubmitLimits] = field(default_factory=dict)
    authentication: Authentication | None = None
    describe: Callable[[], Mapping[str, object]] = _no_facts
    subscribe: Callable[[Callable[[], None]], None] = _no_changes
    allowed_hosts: frozenset[str] = LOOPBACK_HOSTS
    public_url: str | None = None
    trusted_proxies: tuple[Network, ...] = ()
    download_links_for: timedelta | None = None
    body_memory_bytes: int = 128 * 1024**2
    threads: int = 40

    @property
    def project_limits(self) -> ProjectLimits:
        """What each project may."""
        return ProjectLimits(usual=self.limits, special=self.special_limits)
