"""Where the members of a large JSON text begin and end, found without making objects of its values.

The text is looked through by NumPy, a piece at a time: that takes little memory, whatever the text holds, and the
interpreter is free for other threads meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qdepot.errors import InvalidRequestError

MAX_DEPTH = 128
"""Deepest nesting of arrays and objects in a request."""

_PIECE_BYTES = 512 * 1024
_QUOTE, _BACKSLASH = ord('"'), ord("\\")
_COMMA, _COLON = ord(","), ord(":")
_SPACES = b" \t\n\r"
_SPACE = re.compile(rb"[ \t\n\r]*")

_STEP = np.zeros(256, np.int8)
"""What a character does to the depth."""
_STEP[[ord("["), ord("{")]] = 1
_STEP[[ord("]"), ord("}")]] = -1

_IS_MARK = np.zeros(256, np.bool_)
"""Characters that separate values, outside of strings."""
_IS_MARK[[ord(character) for character in "[]{},:"]] = True

_Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object or, with an empty name, of an array.

    Attributes:
        name: As it is written, with its quotes.
        start, end: Where its value is in the text, without space around it.
    """

    name: bytes
    start: int
    end: int


def check_shape(raw: bytes, *, max_values: int, max_depth: int = MAX_DEPTH) -> None:
    """Refuse a JSON text that holds too many values or is nested too deeply, before anything is made of it.

    Values are members of arrays and objects; the names of members count, too.

    Raises:
        InvalidRequestError: It does; the reading stopped there.
    """
    values, deepest = 1, 0
    for marks in _marks(raw):
        values += marks.values
        deepest = max(deepest, marks.deepest)
        if deepest > max_depth:
            raise InvalidRequestError(
                f"the body is not accepted: it is nested too deeply, more than {max_depth} levels",
                solution="Send values in flat arrays.",
                details={"limit": "max_depth", "value": max_depth},
            )
        if values > max_values:
            raise InvalidRequestError(
                f"the body holds more than {max_values:,} values (limit max_body_values)",
                solution="Split it into several requests.",
                details={"limit": "max_body_values", "value": max_values},
            )


class JsonShape:
    """The upper levels of a valid JSON text whose root is an object or an array."""

    def __init__(self, raw: bytes, *, depth: int) -> None:
        """Look through a text.

        Args:
            raw: UTF-8 JSON; what is found in an invalid text is undefined, but nothing worse happens.
            depth: Levels of nesting whose members are wanted, from 1.
        """
        self.raw = raw
        levels: list[list[_Positions]] = [[] for _ in range(depth)]
        for marks in _marks(raw):
            for number, level in enumerate(levels, start=1):
                level.append(marks.positions[marks.depths == number])
        self._levels = [np.concatenate(level) if level else np.zeros(0, np.int64) for level in levels]
        text = np.frombuffer(raw, np.uint8)
        self._ends = [level[_STEP[text[level]] < 0] for level in self._levels]

    def members(self, start: int | None = None, *, level: int = 1) -> Iterator[Member]:
        """The members of an object or array, in their order; none of a value that is neither.

        Args:
            start: Where it begins; default: the root.
            level: How deep it is; the root is at 1.
        """
        raw = self.raw
        begin = _after_space(raw, 0) if start is None else start
        if raw[begin : begin + 1] not in {b"[", b"{"}:
            return
        name, begin = b"", begin + 1
        for mark in self._marks_from(begin, level):
            if raw[mark] == _COLON:
                name = raw[begin:mark].strip(_SPACES)
            else:
                at = _after_space(raw, begin)
                end = at + len(raw[at:mark].rstrip(_SPACES))
                if end > at:
                    yield Member(name, at, end)
                name = b""
            begin = mark + 1

    def _marks_from(self, begin: int, level: int) -> list[int]:
        """The marks of a level from a place on, as far as the next closing bracket."""
        marks, ends = self._levels[level - 1], self._ends[level - 1]
        closing = int(np.searchsorted(ends, begin))
        if closing == len(ends):
            return []
        found: list[int] = marks[np.searchsorted(marks, begin) : np.searchsorted(marks, ends[closing]) + 1].tolist()
        return found


@dataclass(frozen=True, slots=True)
class _Marks:
    """The separating characters of one piece: where they are, and the depth of what they separate or enclose."""

    positions: _Positions
    depths: npt.NDArray[np.int64]
    values: int

    @property
    def deepest(self) -> int:
        return int(np.max(self.depths, initial=0))


def _marks(raw: bytes) -> Iterator[_Marks]:
    """Per piece, what separates values outside of strings."""
    text = np.frombuffer(raw, np.uint8)
    in_string, backslashes, depth = False, 0, 0
    for start in range(0, len(text), _PIECE_BYTES):
        piece = text[start : start + _PIECE_BYTES]
        quotes = piece == _QUOTE
        escapes = piece == _BACKSLASH
        if backslashes or escapes.any():
            quotes &= ~_escaped(escapes, backslashes)
        within = np.logical_xor.accumulate(quotes) ^ in_string
        positions = np.flatnonzero(_IS_MARK[piece] & ~within)
        characters = piece[positions]
        steps = _STEP[characters]
        after = depth + np.cumsum(steps, dtype=np.int64)
        # A closing bracket belongs to the level that it ends.
        depths = np.where(steps < 0, after + 1, after)
        yield _Marks(positions + start, depths, int(np.count_nonzero(steps >= 0)))
        depth = int(after[-1]) if after.size else depth
        in_string = bool(within[-1])
        backslashes = _trailing(escapes, backslashes)


def _escaped(escapes: npt.NDArray[np.bool_], before: int) -> npt.NDArray[np.bool_]:
    """Which characters follow an odd number of backslashes.

    Args:
        escapes: Which are backslashes.
        before: How many stand directly before the first character.
    """
    indices = np.arange(len(escapes), dtype=np.int32)
    others = np.maximum.accumulate(np.where(escapes, np.int32(-1 - before), indices))
    odd = (indices - others) % 2 == 1
    return np.concatenate([np.array([before % 2 == 1]), odd[:-1]])


def _trailing(escapes: npt.NDArray[np.bool_], before: int) -> int:
    """How many backslashes stand at the end of a piece (and before it), as far as odd or even matters."""
    others = np.flatnonzero(~escapes)
    run = len(escapes) - 1 - int(others[-1]) if others.size else len(escapes) + before
    return run % 2


def _after_space(raw: bytes, position: int) -> int:
    match = _SPACE.match(raw, position)
    return match.end() if match else position
