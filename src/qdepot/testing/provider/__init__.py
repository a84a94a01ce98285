"""What every provider must keep: inherit :class:`ProviderConformance` and give it a ready provider."""

from __future__ import annotations

from qdepot.testing.provider.outside import Ability, Outside
from qdepot.testing.provider.suite import ProviderConformance

__all__ = ["Ability", "Outside", "ProviderConformance"]
