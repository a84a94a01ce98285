"""What is refused of a text before a library reads it: what would make the library hang, crash or open files."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from qdepot.errors import InvalidProgramError, QDepotError
from qdepot.quantum.blame import invalid_at, unsupported_at

MAX_BITS = 10_000
"""Most qubits, and most classical bits, that a circuit may declare."""

MAX_NESTING = 64
"""Deepest nesting of brackets. Readers recurse: the native ones crash the process, the others run out of stack."""

# A comment without an end reaches to the end of the text: looking for its end once more at each of many beginnings
# would take time that grows with their square.
_STRING_OR_COMMENT = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_VERSION = re.compile(r"\s*OPENQASM\s+(\d+)")
_INCLUDE = re.compile(r"\binclude\b\s*(\"[^\"\n]*\"|'[^'\n]*')?")
_HUGE_INDEX = re.compile(r"\[\s*(\d{9,})")
_LONG_NUMBER = re.compile(r"[0-9_]{1000,}")
_HARDWARE_QUBIT = re.compile(r"\$(\d+)")
_STEP = np.zeros(256, dtype=np.int8)
_STEP[list(b"([{")] = 1
_STEP[list(b")]}")] = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What differs between the versions of OpenQASM.

    Attributes:
        format: Name of the format in requests.
        version: First number of the version that a text may claim.
        library: The one file that may be included; its gates are built in, no file is opened.
        size: Finds declarations; groups: the kind of bit, and the size as it is written. None where sizes are
            expressions, which the reader checks as it computes them.
    """

    format: str
    version: str
    library: str
    size: re.Pattern[str] | None


OPENQASM2 = Dialect(
    format="openqasm2",
    version="2",
    library="qelib1.inc",
    size=re.compile(r"\b(qreg|creg)\s+\w+\s*\[([^\]]*)\]"),
)
OPENQASM3 = Dialect(
    format="openqasm3",
    version="3",
    library="stdgates.inc",
    size=None,
)


def decoded(source: bytes) -> str:
    """The text in ``source``.

    Raises:
        InvalidProgramError: It is not UTF-8, holds a NUL character, or is empty.
    """
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = source[: error.start].decode("utf-8", errors="replace")
        line, column = place(before, len(before))
        raise invalid_at(
            f"byte 0x{source[error.start]:02x} is not UTF-8",
            line=line,
            column=column,
            solution='Save the file as UTF-8 text. A QPY file is sent with "format": "qpy".',
        ) from error
    if "\0" in text:
        line, column = place(text, text.index("\0"))
        raise invalid_at("a NUL character; this is not a text file", line=line, column=column)
    if not without_comments(text).strip():
        raise InvalidProgramError("the source is empty", solution="Send the text of an OpenQASM program.")
    return text


def without_comments(text: str) -> str:
    """The text with its comments blanked; every other character keeps its place.

    Raises:
        InvalidProgramError: A comment does not end.
    """
    if "//" not in text and "/*" not in text:
        return text
    return _STRING_OR_COMMENT.sub(_blanked, text)


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column of a character, both counted from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def check_text(text: str, dialect: Dialect) -> None:
    """Check a text without understanding it; costs about a microsecond a line.

    Raises:
        InvalidProgramError: It is of another version, includes files, is nested too deeply, or holds a number that no
            computer has use for.
        UnsupportedProgramError: It declares more bits than any backend has.
    """
    code = without_comments(text)
    _check_version(code, dialect)
    _check_includes(code, dialect)
    _check_nesting(code)
    _check_numbers(code)
    _check_indices(code)
    if dialect.size is not None:
        _check_sizes(code, dialect.size)


def _blanked(match: re.Match[str]) -> str:
    found = match.group()
    if found.startswith("/*") and (len(found) < len("/**/") or not found.endswith("*/")):
        line, column = place(match.string, match.start())
        raise invalid_at("a comment that does not end", line=line, column=column)
    return found if found[0] in "\"'" else re.sub(r"[^\n]", " ", found)


def _check_version(code: str, dialect: Dialect) -> None:
    claimed = _VERSION.match(code)
    if claimed and claimed[1] != dialect.version:
        line, column = place(code, claimed.start(1))
        raise invalid_at(
            f"this is OpenQASM {claimed[1]}, but it was sent as {dialect.format}",
            line=line,
            column=column,
            solution=f'Send it with "format": "openqasm{claimed[1]}".' if claimed[1] in "23" else "",
        )


def _check_includes(code: str, dialect: Dialect) -> None:
    for include in _INCLUDE.finditer(code):
        name = (include[1] or "").strip("\"'")
        if name != dialect.library:
            line, column = place(code, include.start())
            raise invalid_at(
                f"cannot include {name[:80]!r}: no files are read here",
                line=line,
                column=column,
                solution=f'Only include "{dialect.library}" is known; put other definitions into the program itself.',
            )


def _check_nesting(code: str) -> None:
    depths = np.cumsum(_STEP[np.frombuffer(code.encode(), dtype=np.uint8)], dtype=np.int32)
    if depths.size and np.max(depths) > MAX_NESTING:
        offset = len(code.encode()[: int(np.argmax(depths > MAX_NESTING))].decode())
        line, column = place(code, offset)
        raise invalid_at(f"brackets are nested more than {MAX_NESTING} deep", line=line, column=column)


def _check_numbers(code: str) -> None:
    """Python refuses to read integers of thousands of digits, and others take ages over them."""
    long = _LONG_NUMBER.search(code)
    if long:
        line, column = place(code, long.start())
        raise invalid_at("more than 1000 digits in a row", line=line, column=column)


def _check_indices(code: str) -> None:
    huge = _HUGE_INDEX.search(code)
    if huge:
        raise _too_many(code, huge.start(1), "an index or size of more than eight digits")
    for qubit in _HARDWARE_QUBIT.finditer(code):
        if len(qubit[1]) > 6 or int(qubit[1]) >= MAX_BITS:
            raise _too_many(code, qubit.start(), f"hardware qubit ${qubit[1][:12]}")


def _check_sizes(code: str, declarations: re.Pattern[str]) -> None:
    declared = {"q": 0, "b": 0}
    for declaration in declarations.finditer(code):
        kind = "q" if declaration[1].startswith("q") else "b"
        size = declaration[2].strip()
        if not size.isdecimal():
            line, column = place(code, declaration.start(2))
            raise unsupported_at(
                f"the size {size[:40]!r} is not a plain number",
                line=line,
                column=column,
                solution="Write the size of a register as decimal digits.",
            )
        declared[kind] += int(size)
        if declared[kind] > MAX_BITS:
            bits = "qubits" if kind == "q" else "classical bits"
            raise _too_many(code, declaration.start(), f"{declared[kind]} {bits} declared")


def _too_many(code: str, offset: int, what: str) -> QDepotError:
    line, column = place(code, offset)
    return unsupported_at(
        f"{what}, and at most {MAX_BITS} are possible here",
        line=line,
        column=column,
        solution="Declare only what the circuit uses.",
    )
