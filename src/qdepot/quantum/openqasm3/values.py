"""Values of OpenQASM 3, known or measured, and how one type becomes another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import ParameterExpression

from qdepot.quantum.openqasm3 import bits
from qdepot.quantum.openqasm3.refusal import unsupported, wrong
from qdepot.quantum.openqasm3.types import BIT, BOOL, ArrayType, Kind, Type

_KNOW_IT = "Write the value into the program, or declare the input as a constant."


@dataclass(frozen=True, slots=True)
class Value:
    """A scalar.

    Attributes:
        type: Its type.
        data: Where it is known, ``bool``, ``int`` (also for registers of bits, bit 0 lowest, and for angles with a
            width, in parts of a turn), ``float``, a parameter or an expression of such, or a :class:`Duration`. Where
            it depends on measurements, its bits, lowest first.
        is_literal: Whether it is a number as it is written, without a width of its own.
    """

    type: Type
    data: Any
    is_literal: bool = False

    @property
    def is_known(self) -> bool:
        """Whether it is known while the program is read; inputs count as known, as far as arithmetic goes."""
        return not isinstance(self.data, tuple)


@dataclass(frozen=True, slots=True)
class Duration:
    """A time.

    Attributes:
        amount: How long.
        unit: ``dt``, ``ns``, ``us``, ``ms`` or ``s``.
    """

    amount: float
    unit: str

    def in_unit(self, unit: str) -> float:
        """The amount in another unit."""
        if unit == self.unit:
            return self.amount
        if "dt" in (unit, self.unit):
            raise unsupported(
                "durations in dt and in seconds are mixed", solution="Use one unit: dt depends on the backend."
            )
        return self.amount * _SECONDS[self.unit] / _SECONDS[unit]


_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}


@dataclass(frozen=True, slots=True)
class Array:
    """An array, or a view of a part of one: writing to a view writes to the array.

    Attributes:
        type: Type of the elements, and the shape.
        data: Elements as :attr:`Value.data`; None where nothing was assigned yet.
        writable: Whether elements may be assigned.
    """

    type: ArrayType
    data: NDArray[np.object_]
    writable: bool = True


def number(value: Value) -> Any:  # noqa: ANN401 - int, float, or an expression of parameters
    """A known value as a plain number; an angle in radians.

    Raises:
        Refusal: It depends on measurements, or is no number.
    """
    if not value.is_known:
        raise unsupported(
            f"a number is needed here, and this {value.type} depends on measurements",
            solution="Branch on it: `if (...) { ... }` with a known number in each branch.",
        )
    if value.type.kind is Kind.DURATION:
        raise wrong("a number is needed here, and this is a duration")
    if value.type.kind is Kind.ANGLE and value.type.width is not None:
        return value.data * math.tau / 2**value.type.width
    return int(value.data) if isinstance(value.data, bool) else value.data


def plain_number(value: Value) -> int | float:
    """As :func:`number`, without parameters."""
    found = number(value)
    if isinstance(found, ParameterExpression):
        raise unsupported(f"the value of the input {found} must be known when the program is read", solution=_KNOW_IT)
    assert isinstance(found, (int, float))
    return found


def integer(value: Value) -> int:
    """A known integer, for a size, an index, or a bound.

    Raises:
        Refusal: It is not one, or its value is not known.
    """
    if value.type.kind in (Kind.FLOAT, Kind.ANGLE, Kind.DURATION):
        raise wrong(
            f"an integer is needed here, not a {value.type}", solution="Write an integer, or cast it: `int(...)`."
        )
    return int(plain_number(value))


def bits_of(value: Value) -> bits.Bits:
    """The bits that hold a value.

    Raises:
        Refusal: No bits do.
    """
    if not value.is_known:
        return tuple(value.data)
    width = value.type.num_bits
    if width is None:
        raise wrong(f"a {value.type} has no bits", solution="Cast it to a type with a width.")
    if isinstance(value.data, ParameterExpression):
        raise unsupported("the bits of an input must be known when the program is read", solution=_KNOW_IT)
    return bits.of_number(int(value.data), width)


def from_bits(type_: Type, found: Sequence[bits.Bit]) -> Value:
    """The value that bits stand for, known where all bits are."""
    pattern = bits.known(found)
    if pattern is None:
        return Value(type_, tuple(found))
    if type_.kind is Kind.BOOL:
        return Value(type_, bool(pattern))
    if type_.kind is Kind.INT and found and found[-1]:
        pattern -= 1 << len(found)
    return Value(type_, pattern)


def truth(value: Value) -> bits.Bit:
    """A value as a condition.

    Raises:
        Refusal: It is no condition.
    """
    if not value.is_known:
        return bits.any_of(value.data)
    if isinstance(value.data, ParameterExpression):
        raise unsupported("a condition on an input must be known when the program is read", solution=_KNOW_IT)
    if isinstance(value.data, Duration):
        raise wrong("a duration is no condition")
    return bool(value.data)


def cast(value: Value, wanted: Type, *, explicit: bool = False) -> Value:
    """A value as another type; numbers wrap around, floating-point numbers are cut towards zero.

    Raises:
        Refusal: The language has no such conversion.
    """
    if value.type == wanted:
        return Value(wanted, value.data)
    if Kind.DURATION in (value.type.kind, wanted.kind):
        raise wrong(f"a {value.type} is no {wanted}")
    return _CASTS[wanted.kind](value, wanted, explicit)


def _to_bool(value: Value, wanted: Type, explicit: bool) -> Value:
    del explicit
    return from_bits(wanted, (truth(value),))


def _to_bits(value: Value, wanted: Type, explicit: bool) -> Value:
    kind, width = value.type.kind, wanted.num_bits
    assert width is not None
    if kind is Kind.FLOAT or (kind is Kind.ANGLE and value.type.width is None):
        raise wrong(f"a {value.type} is no {wanted}", solution="Cast it to an integer before.")
    found = bits_of(value)
    if kind in (Kind.BIT, Kind.ANGLE) and len(found) != width:
        raise wrong(f"{len(found)} bits are no {wanted}", solution="Take a slice: `c[0:3]`.")
    if kind is Kind.INT and value.is_literal and not explicit and not 0 <= int(value.data) < 2**width:
        raise wrong(f"{value.data} does not fit into {wanted}", solution='Write the bits: `"0101"`.')
    return from_bits(wanted, bits.extended(found, width, signed=kind is Kind.INT))


def _to_integer(value: Value, wanted: Type, explicit: bool) -> Value:
    kind, width = value.type.kind, wanted.num_bits
    assert width is not None
    if kind is Kind.ANGLE:
        raise wrong(f"an angle is no {wanted}", solution="Take its bits: `bit[n](...)`.")
    if kind is Kind.FLOAT:
        return _wrapped(int(plain_number(value)), wanted, explicit=True)
    if value.is_known:
        return _wrapped(int(value.data), wanted, explicit=explicit)
    return from_bits(wanted, bits.extended(bits_of(value), width, signed=kind is Kind.INT))


def _wrapped(found: int, wanted: Type, *, explicit: bool) -> Value:
    return Value(wanted, wrapped(found, wanted, may_wrap=explicit))


def wrapped(found: int, wanted: Type, *, may_wrap: bool = False) -> int:
    """An integer in the range of a type.

    Raises:
        Refusal: It is outside of the range of a type without a width, whose range depends on the machine.
    """
    width = wanted.num_bits
    assert width is not None
    low = -(1 << width - 1) if wanted.kind is Kind.INT else 0
    if low <= found < low + (1 << width):
        return found
    if wanted.width is None and not may_wrap:
        raise unsupported(
            f"{str(found)[:40]} is out of the range of {wanted}, which depends on the machine",
            solution=f"Declare it with a width, such as {wanted}[32]: then it wraps around.",
        )
    return (found - low) % (1 << width) + low


def _to_float(value: Value, wanted: Type, explicit: bool) -> Value:
    del explicit
    found = number(value)
    if isinstance(found, ParameterExpression):
        return Value(wanted, found)
    return Value(wanted, _rounded(float(found), wanted.width))


def _rounded(found: float, width: int | None) -> float:
    if width == 32:
        return float(np.float32(found))
    return float(np.float16(found)) if width == 16 else found


def _to_angle(value: Value, wanted: Type, explicit: bool) -> Value:
    del explicit
    kind, width = value.type.kind, wanted.width
    if kind is Kind.BIT and width is not None:
        found = bits_of(value)
        if len(found) != width:
            raise wrong(f"{len(found)} bits are no {wanted}")
        return from_bits(wanted, found)
    if kind is Kind.ANGLE and width is not None and value.type.width is not None:
        places = width - value.type.width
        found = bits_of(value)
        return from_bits(wanted, (False,) * places + found if places >= 0 else found[-places:])
    if kind in (Kind.BOOL, Kind.BIT):
        raise wrong(f"a {value.type} is no {wanted}", solution="Cast it to an integer or to a register of bits.")
    radians = number(value)
    if isinstance(radians, ParameterExpression):
        return Value(wanted, radians)
    if width is None:
        return Value(wanted, float(radians) % math.tau)
    return Value(wanted, round(float(radians) / math.tau * 2**width) % 2**width)


_CASTS = {
    Kind.BOOL: _to_bool,
    Kind.BIT: _to_bits,
    Kind.INT: _to_integer,
    Kind.UINT: _to_integer,
    Kind.FLOAT: _to_float,
    Kind.ANGLE: _to_angle,
}


def of_bit(bit: bits.Bit) -> Value:
    """A condition as a value."""
    return from_bits(BOOL, (bit,))


def single_bit(bit: bits.Bit) -> Value:
    """One bit."""
    return from_bits(BIT, (bit,))
