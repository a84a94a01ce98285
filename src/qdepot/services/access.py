"""Access: all that a process needs to know its callers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from qdepot.ports.clock import Clock
from qdepot.ports.token_register import TokenRegister
from qdepot.services.authentication import Authentication
from qdepot.services.tokens import Tokens


class Access:
    """Tokens, and who is behind them.

    Attributes:
        tokens: Makes, lists and revokes them.
        authentication: Knows them; what is revoked by ``tokens`` it knows at once.
    """

    def __init__(self, register: TokenRegister, clock: Clock) -> None:
        self._later = ThreadPoolExecutor(1, thread_name_prefix="qdepot-token-notes")
        self.authentication = Authentication(register, clock, run_later=self._later.submit)
        self.tokens = Tokens(register=register, clock=clock, on_revoked=self.authentication.forget)

    def close(self) -> None:
        """Finish what is still to be noted; before the register is closed. May be repeated."""
        self._later.shutdown()
