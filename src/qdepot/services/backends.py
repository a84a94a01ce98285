"""Backends: which there are, and what they can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qdepot.domain.backend import BackendInfo
from qdepot.errors import NotFoundError, UnavailableError
from qdepot.ports.provider import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """All backends of all configured providers.

    Attributes:
        providers: By name.
    """

    providers: Mapping[str, Provider]

    def all(self) -> list[BackendInfo]:
        """All that can be reached, by name. A provider that does not answer is left out."""
        found: list[BackendInfo] = []
        for provider in self.providers.values():
            try:
                found.extend(provider.backends())
            except UnavailableError:
                continue
        return sorted(found, key=lambda backend: backend.name)

    def get(self, name: str) -> BackendInfo:
        """One backend.

        Raises:
            NotFoundError: No provider offers it; the message lists those that exist.
        """
        known = self.all()
        for backend in known:
            if backend.name == name:
                return backend
        names = ", ".join(backend.name for backend in known) or "none"
        raise NotFoundError(
            f"there is no backend {name!r}", solution=f"Use one of: {names}.", details={"backend": name}
        )

    def provider_of(self, backend: str) -> Provider:
        """The provider that offers a backend.

        Raises:
            NotFoundError: None does.
        """
        return self.providers[self.get(backend).provider]
