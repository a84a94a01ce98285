"""The types of OpenQASM 3 values."""

from __future__ import annotations

import enum
from dataclasses import dataclass

MACHINE_WIDTH = 64
"""Bits of ``int`` and ``uint`` without a width, which the language leaves to the machine."""


class Kind(enum.Enum):
    """What a value is, whatever its width."""

    BOOL = "bool"
    BIT = "bit"
    INT = "int"
    UINT = "uint"
    FLOAT = "float"
    ANGLE = "angle"
    DURATION = "duration"


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a scalar.

    Attributes:
        kind: What it is.
        width: Its number of bits; None where none is written. ``bit`` is one bit, ``bit[1]`` a register of one.
    """

    kind: Kind
    width: int | None = None

    def __str__(self) -> str:
        return self.kind.value if self.width is None else f"{self.kind.value}[{self.width}]"

    @property
    def is_integer(self) -> bool:
        """Whether it is ``int`` or ``uint``."""
        return self.kind in (Kind.INT, Kind.UINT)

    @property
    def num_bits(self) -> int | None:
        """How many bits hold a value of it; None where no bits do: ``float``, ``duration``, ``angle`` without width."""
        if self.kind in (Kind.FLOAT, Kind.DURATION):
            return None
        if self.kind in (Kind.BOOL, Kind.BIT):
            return 1 if self.width is None else self.width
        if self.kind is Kind.ANGLE:
            return self.width
        return MACHINE_WIDTH if self.width is None else self.width


@dataclass(frozen=True, slots=True)
class ArrayType:
    """The type of an array.

    Attributes:
        base: Type of its elements.
        shape: Its dimensions.
    """

    base: Type
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"array[{self.base}, {', '.join(map(str, self.shape))}]"


BOOL = Type(Kind.BOOL)
BIT = Type(Kind.BIT)
INT = Type(Kind.INT)
UINT = Type(Kind.UINT)
FLOAT = Type(Kind.FLOAT)
ANGLE = Type(Kind.ANGLE)
DURATION = Type(Kind.DURATION)
