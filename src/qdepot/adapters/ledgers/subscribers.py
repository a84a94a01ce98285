"""Who wants to hear of changes."""

from __future__ import annotations

import logging
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Subscribers:
    """Callbacks; one that fails is logged and harms neither the others nor the change that was saved."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []

    def __bool__(self) -> bool:
        return bool(self._callbacks)

    def add(self, callback: Callable[[], None]) -> None:
        """Tell this one too, from now on."""
        self._callbacks.append(callback)

    def tell(self) -> None:
        """Call them all, in the order in which they came."""
        for callback in tuple(self._callbacks):
            try:
                callback()
            except Exception:
                _log.exception("ledger.subscriber_failed")
