"""What a command needs that a plain `pip install qdepot` does not bring."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib.util import find_spec
from typing import ParamSpec, TypeVar

from qdepot.errors import UnavailableError
from qdepot.installation import install_command

_P = ParamSpec("_P")
_R = TypeVar("_R")

_SERVER_PACKAGES = ("alembic", "fastapi", "obstore", "pydantic_settings", "sqlalchemy", "uvicorn")


def needs_server(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """Refuse a command of the service, with the way out, where only the client is installed."""

    @functools.wraps(command)
    def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        missing = [name for name in _SERVER_PACKAGES if find_spec(name) is None]
        if missing:
            raise UnavailableError(
                f"this command needs packages that are not installed: {', '.join(missing)}",
                solution=f"Install the service: {install_command('server', 'aer')}",
            )
        return command(*args, **kwargs)

    return checked
