"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """On whose behalf a service acts.

    Attributes:
        user: The user; ``local`` where there is no authentication.
        project: The project whose jobs are seen and made.
    """

    user: str = "local"
    project: str = "default"
