"""On whose behalf a request acts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from qdepot.domain.caller import Caller


async def current_caller() -> Caller:
    """On whose behalf a request acts: without authentication, always the local user."""
    return Caller()


CurrentCaller = Annotated[Caller, Depends(current_caller)]
