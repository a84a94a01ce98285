"""Backends: which there are, and what they can do."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from qdepot.domain.backend import BackendInfo
from qdepot.errors import NotFoundError, UnavailableError
from qdepot.ports.clock import Clock
from qdepot.ports.provider import Provider, RunsHere

FRESH_S = 30.0
"""What a provider elsewhere said of its backends is believed for so long, in seconds."""


@dataclass(slots=True)
class _Known:
    backends: Sequence[BackendInfo]
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """All backends of all configured providers. Thread-safe.

    What a provider said is kept for a while, and longer while it does not answer: jobs can be accepted for a cloud that
    is away.

    Attributes:
        providers: By name.
        clock: Measures for how long an answer is believed.
    """

    providers: Mapping[str, Provider]
    clock: Clock
    _known: dict[str, _Known] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def all(self) -> list[BackendInfo]:
        """All that are known, by name."""
        found = [backend for name in self.providers for backend in self.of(name)]
        return sorted(found, key=lambda backend: backend.name)

    def of(self, provider_name: str) -> Sequence[BackendInfo]:
        """The backends of one provider, as it said last; none if it has not answered yet."""
        provider = self.providers[provider_name]
        if isinstance(provider, RunsHere):
            return provider.backends()
        with self._lock:
            known = self._known.get(provider_name)
        if known is not None and self.clock.monotonic() < known.until:
            return known.backends
        try:
            backends = provider.backends()
        except UnavailableError:
            backends = known.backends if known is not None else ()
        with self._lock:
            self._known[provider_name] = _Known(backends, self.clock.monotonic() + FRESH_S)
        return backends

    def get(self, name: str) -> BackendInfo:
        """One backend.

        Raises:
            NotFoundError: No provider offers it; the message lists those that exist.
        """
        known = self.all()
        for backend in known:
            if backend.name == name:
                return backend
        names = ", ".join(backend.name for backend in known if "/" not in backend.name) or "none"
        raise NotFoundError(
            f"there is no backend {name!r}", solution=f"Use one of: {names}.", details={"backend": name}
        )

    def provider_of(self, backend: str) -> Provider:
        """The provider that offers a backend.

        Raises:
            NotFoundError: None does.
        """
        return self.providers[self.get(backend).provider]
