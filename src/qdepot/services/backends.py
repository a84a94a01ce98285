"""Backends: which there are, and what they can do."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from qdepot.domain.backend import BackendInfo
from qdepot.errors import NotFoundError, UnavailableError
from qdepot.ports.clock import Clock
from qdepot.ports.provider import Provider, RunsHere
from qdepot.services.breaker import Breaker

FRESH_S = 30.0
"""What a provider elsewhere said of its backends is believed for so long, in seconds."""

ASK_AGAIN_S = 2.0
"""A provider that has never answered is asked again after so long, in seconds."""


@dataclass(slots=True)
class _Known:
    """What a provider said last; ``backends`` is None while it never answered."""

    backends: Sequence[BackendInfo] | None
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
    _breakers: dict[str, Breaker] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _here: frozenset[str] = field(init=False)
    """Providers that run jobs in this very process's children."""

    def __post_init__(self) -> None:
        here = (name for name, provider in self.providers.items() if isinstance(provider, RunsHere))
        object.__setattr__(self, "_here", frozenset(here))

    def all(self) -> list[BackendInfo]:
        """All that are known, by name."""
        found = [backend for name in self.providers for backend in self.of(name)]
        return sorted(found, key=lambda backend: backend.name)

    def of(self, provider_name: str) -> Sequence[BackendInfo]:
        """The backends of one provider, as it said last; none if it has not answered yet."""
        provider = self.providers[provider_name]
        if provider_name in self._here:
            return provider.backends()
        with self._lock:
            known = self._known.get(provider_name)
        if known is None or self.clock.monotonic() >= known.until:
            known = self._asked(provider, before=known)
            with self._lock:
                self._known[provider_name] = known
        return known.backends or ()

    def get(self, name: str) -> BackendInfo:
        """One backend.

        Raises:
            NotFoundError: No provider offers it; the message lists those that exist.
            UnavailableError: None that has answered offers it, and one has not answered since this process started.
        """
        for provider_name in self.providers:
            # A provider that is slow to answer must not hold up what goes to another.
            found = _named(self._last(provider_name), name)
            if found is not None:
                return found if provider_name in self._here else _named(self.of(provider_name), name) or found
        known = self.all()
        found = _named(known, name)
        if found is not None:
            return found
        silent = ", ".join(it for it in self.providers if it in self._known and self._known[it].backends is None)
        if silent:
            raise UnavailableError(
                f"it is unknown yet whether there is a backend {name!r}: {silent} has not answered",
                solution="Try again when it is back.",
                details={"backend": name},
                retry_after_s=ASK_AGAIN_S,
            )
        raise _unknown(name, known)

    def breaker(self, provider_name: str) -> Breaker:
        """Tells whether a provider may be called now, and is told whether it answered."""
        with self._lock:
            if provider_name not in self._breakers:
                self._breakers[provider_name] = Breaker(self.clock)
            return self._breakers[provider_name]

    def trouble(self, backend: str) -> str:
        """What keeps the provider of a backend from answering; empty if nothing does. Asks nobody."""
        for provider_name in self.providers:
            if _named(self._last(provider_name), backend) is not None:
                return self.breaker(provider_name).trouble()
        return ""

    def provider_of(self, backend: str) -> Provider:
        """The provider that offers a backend.

        Raises:
            NotFoundError: None does.
        """
        return self.providers[self.get(backend).provider]

    def _last(self, provider_name: str) -> Sequence[BackendInfo]:
        """What a provider said last, without asking one that is elsewhere."""
        if provider_name in self._here:
            return self.providers[provider_name].backends()
        with self._lock:
            known = self._known.get(provider_name)
        return (known.backends if known is not None else None) or ()

    def _asked(self, provider: Provider, *, before: _Known | None) -> _Known:
        try:
            return _Known(provider.backends(), self.clock.monotonic() + FRESH_S)
        except UnavailableError as error:
            self.breaker(provider.name).failed(error)
            backends = before.backends if before is not None else None
            wait_s = ASK_AGAIN_S if backends is None else FRESH_S
            return _Known(backends, self.clock.monotonic() + wait_s)


def _unknown(name: str, known: Sequence[BackendInfo]) -> NotFoundError:
    names = [backend.name for backend in known]
    # A device is also called by its own name and, as a source of noise, `fake_...`.
    device = name.lower().rpartition("/")[2].removeprefix("fake_")
    same = [it for it in names if it.rpartition("/")[2] == device]
    near = list(dict.fromkeys([*same, *difflib.get_close_matches(name[:100], names, n=3, cutoff=0.6)]))[:3]
    plain = [it for it in names if "/" not in it]
    choice = f"Did you mean {' or '.join(near)}? " if near else f"Use one of: {', '.join(plain) or 'none'}. "
    return NotFoundError(
        f"there is no backend {name[:100]!r}",
        solution=f"{choice}`qdepot backends --search TEXT` or GET /v1/backends lists all {len(names)}.",
        details={"backend": name[:100], "nearest": near},
    )


def _named(backends: Sequence[BackendInfo], name: str) -> BackendInfo | None:
    return next((backend for backend in backends if backend.name == name), None)
