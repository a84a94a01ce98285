"""Errors that say which circuit, and which place in it, they are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from qdepot.errors import InvalidProgramError, QDepotError, UnsupportedProgramError


@contextmanager
def circuit_blamed(index: int) -> Iterator[None]:
    """Let every error of the block name the circuit, in its message and in ``details["circuit"]``."""
    try:
        yield
    except QDepotError as error:
        if "circuit" not in error.details:
            error.details["circuit"] = index
            error.message = f"circuit {index}: {error.message}"
            error.args = (error.message,)
        raise


def invalid_at(message: str, *, line: int, column: int, solution: str = "") -> InvalidProgramError:
    """An error at a place in a text; lines and columns count from 1."""
    return InvalidProgramError(
        f"line {line}, column {column}: {message}", solution=solution, details={"line": line, "column": column}
    )


def unsupported_at(message: str, *, line: int, column: int, solution: str = "") -> UnsupportedProgramError:
    """As :func:`invalid_at`, for a program that is valid but cannot be run here."""
    return UnsupportedProgramError(
        f"line {line}, column {column}: {message}", solution=solution, details={"line": line, "column": column}
    )
