"""Errors that say which circuit, and which place in it, they are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from qdepot.errors import InvalidProgramError, QDepotError, UnsupportedProgramError

_PANIC = "PanicException"
_OWN = __name__.split(".")[0]
_LIBRARIES = {
    "qiskit_aer": "Aer",
    "qiskit": "Qiskit",
    "qiskit_ibm_runtime": "the package of fake devices",
    "openqasm3": "the parser of OpenQASM 3",
    "antlr4": "the parser of OpenQASM 3",
    **{name: name for name in ("numpy", "scipy", "rustworkx", "symengine", "sympy")},
}


@contextmanager
def circuit_blamed(index: int) -> Iterator[None]:
    """Let every error of the block name the circuit, in its message and in ``details["circuit"]``.

    What a library raises about a circuit becomes an error of the circuit.
    """
    try:
        yield
    except QDepotError as error:
        _name_circuit(error, index)
        raise
    except BaseException as error:  # a panic of native code is no Exception
        library = failed_library(error)
        if library is None:
            raise
        refusal = UnsupportedProgramError(
            f"{library} fails on the circuit, with {type(error).__name__}: {str(error)[:200]}",
            solution="Simplify the circuit step by step until it is accepted; what was taken out last is not possible "
            "here. Circuits of standard gates, measurements and conditions on registers are.",
        )
        _name_circuit(refusal, index)
        raise refusal from error


def failed_library(error: BaseException) -> str | None:
    """The library in whose code an exception was raised; None for any other code.

    What Python's own library raises counts as raised by the code that called it. The machine's failures (files,
    memory) are no library's, and neither is an exit.
    """
    if type(error).__name__ == _PANIC:
        return "Qiskit"
    if isinstance(error, (OSError, MemoryError)) or not isinstance(error, Exception):
        return None
    return _LIBRARIES.get(_innermost_package(error.__traceback__))


def _innermost_package(traceback: TracebackType | None) -> str:
    """The package of the last frame that is ours or a library's; empty if no frame is."""
    innermost = ""
    while traceback is not None:
        package = str(traceback.tb_frame.f_globals.get("__name__", "")).split(".")[0]
        if package in _LIBRARIES or package == _OWN:
            innermost = package
        traceback = traceback.tb_next
    return innermost


def _name_circuit(error: QDepotError, index: int) -> None:
    if "circuit" not in error.details:
        error.details["circuit"] = index
        error.message = f"circuit {index}: {error.message}"
        error.args = (error.message,)


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
