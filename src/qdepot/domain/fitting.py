"""Whether a backend takes a program, by its figures alone: nothing is read or run."""

from __future__ import annotations

from collections.abc import Mapping

from qdepot.domain.backend import BackendInfo
from qdepot.domain.program import Program
from qdepot.errors import InvalidRequestError, UnsupportedProgramError


def check_fits(program: Program, *, options: Mapping[str, object], backend: BackendInfo) -> None:
    """Refuse what this backend can never run.

    Raises:
        UnsupportedProgramError: It does not run this kind, read this format, or know one of the options.
        InvalidRequestError: More circuits or shots than it takes.
    """
    if program.kind not in backend.kinds:
        raise UnsupportedProgramError(
            f"backend {backend.name!r} does not run {program.kind} programs",
            solution=f"It runs: {', '.join(sorted(backend.kinds))}.",
        )
    if backend.max_circuits is not None:
        check_count("circuits in a job", len(program.circuits), backend.max_circuits)
    for index, circuit in enumerate(program.circuits):
        if circuit.format not in backend.formats:
            raise UnsupportedProgramError(
                f"circuit {index}: backend {backend.name!r} does not take {circuit.format}",
                solution=f"It takes: {', '.join(sorted(backend.formats))}.",
                details={"circuit": index},
            )
        check_count(f"shots for circuit {index}", circuit.shots or program.shots or 0, backend.max_shots)
    _check_options(options, backend)


def check_count(what: str, count: int, most: int) -> None:
    """Refuse more than there may be.

    Raises:
        InvalidRequestError: ``count`` is above ``most``.
    """
    if count > most:
        raise InvalidRequestError(
            f"{count:,} {what} are more than the {most:,} that are allowed",
            solution="Ask for less, or split it into several jobs.",
            details={"limit": most},
        )


def _check_options(options: Mapping[str, object], backend: BackendInfo) -> None:
    unknown = sorted(name for name, value in options.items() if value and name not in backend.options)
    if unknown:
        raise UnsupportedProgramError(
            f"backend {backend.name!r} does not understand the option(s) {', '.join(unknown)}",
            solution=f"It understands: {', '.join(sorted(backend.options)) or 'none'}.",
            details={"options": unknown},
        )
