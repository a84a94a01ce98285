"""What the operators of OpenQASM 3 make of values."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from qiskit.circuit import ParameterExpression

from qdepot.quantum.openqasm3 import bits
from qdepot.quantum.openqasm3.refusal import unsupported, wrong
from qdepot.quantum.openqasm3.types import BOOL, FLOAT, INT, Kind, Type
from qdepot.quantum.openqasm3.values import (
    Duration,
    Value,
    bits_of,
    cast,
    from_bits,
    integer,
    number,
    of_bit,
    plain_number,
    truth,
    wrapped,
)

Settle = Callable[[bits.Bits], bits.Bits]
"""Stores bits that are long expressions, and gives bits that are short to read in their place."""

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_BITWISE: dict[str, Callable[[bits.Bit, bits.Bit], bits.Bit]] = {
    "&": bits.both,
    "|": bits.either,
    "^": bits.differ,
}
_LARGEST_FACTOR_WIDTH = 16
"""Measured numbers of more bits are not multiplied with each other: each product takes the square of it in gates."""


def unary(sign: str, value: Value) -> Value:
    """``-``, ``~`` or ``!`` before a value."""
    if sign == "!":
        return of_bit(bits.invert(truth(value)))
    return _complement(value) if sign == "~" else _negative(value)


def binary(sign: str, a: Value, b: Value, settle: Settle) -> Value:
    """An operator between two values; not ``&&`` and ``||``, which do not evaluate both."""
    if Kind.DURATION in (a.type.kind, b.type.kind):
        return _with_duration(sign, a, b)
    if sign in ("<<", ">>"):
        return _shift(sign, a, b)
    if Kind.ANGLE in (a.type.kind, b.type.kind):
        return _with_angle(sign, a, b)
    if sign in COMPARISONS:
        return _compared(sign, a, b, settle)
    if sign in _BITWISE:
        return _bitwise(sign, a, b)
    return _arithmetic(sign, a, b, settle)


def joined(a: Value, b: Value) -> Type:
    """The type in which two numbers meet: that of a number with a width where the other is a literal that fits."""
    if Kind.FLOAT in (a.type.kind, b.type.kind):
        return FLOAT
    one, other = _as_integer_type(a.type), _as_integer_type(b.type)
    for value, literal, literal_type, wanted in ((b, a, one, other), (a, b, other, one)):
        if literal.is_literal and not value.is_literal:
            return wanted if _fits(literal.data, wanted) else literal_type
    return _wider(one, other)


def _as_integer_type(type_: Type) -> Type:
    if type_.kind is Kind.BOOL:
        return Type(Kind.UINT, 1)
    return Type(Kind.UINT, type_.num_bits) if type_.kind is Kind.BIT else type_


def _fits(found: int, wanted: Type) -> bool:
    width = wanted.num_bits
    assert width is not None
    low = -(1 << width - 1) if wanted.kind is Kind.INT else 0
    return low <= found < low + (1 << width)


def _wider(a: Type, b: Type) -> Type:
    if a.kind is b.kind:
        return max(a, b, key=lambda each: (each.num_bits, each.width is None))
    signed, unsigned = (a, b) if a.kind is Kind.INT else (b, a)
    assert signed.num_bits is not None
    assert unsigned.num_bits is not None
    return signed if signed.num_bits > unsigned.num_bits else unsigned


def _arithmetic(sign: str, a: Value, b: Value, settle: Settle) -> Value:
    if a.is_known and b.is_known:
        return _known_arithmetic(sign, a, b)
    wanted = joined(a, b)
    if wanted.kind is Kind.FLOAT:
        number(a), number(b)  # one of them is refused
    x, y = settle(bits_of(cast(a, wanted))), settle(bits_of(cast(b, wanted)))
    if sign == "+":
        return from_bits(wanted, bits.total(x, y))
    if sign == "-":
        return from_bits(wanted, bits.difference(x, y))
    if sign == "*":
        return from_bits(wanted, _product(x, y, settle))
    return from_bits(wanted, _by_power_of_two(sign, x, bits.known(y), wanted))


def _product(x: bits.Bits, y: bits.Bits, settle: Settle) -> bits.Bits:
    if bits.known(x) is not None:
        x, y = y, x
    if bits.known(y) is None and len(x) > _LARGEST_FACTOR_WIDTH:
        raise unsupported(
            f"a product of two measured numbers of {len(x)} bits",
            solution=f"Give them a width of at most {_LARGEST_FACTOR_WIDTH}: `uint[8]`.",
        )
    found: bits.Bits = (False,) * len(x)
    for place, factor in enumerate(y):
        if factor is not False:
            part = tuple(bits.both(bit, factor) for bit in bits.shifted(x, place))
            found = settle(bits.total(found, part))
    return found


def _by_power_of_two(sign: str, x: bits.Bits, divisor: int | None, wanted: Type) -> bits.Bits:
    is_power = divisor is not None and divisor > 0 and divisor & (divisor - 1) == 0
    if sign not in ("/", "%") or not is_power or wanted.kind is not Kind.UINT:
        raise unsupported(
            f"the operator {sign} on a number that depends on measurements",
            solution="Possible are +, -, *, comparisons, bitwise operators, and / and % of a uint by a power of two.",
        )
    assert divisor is not None
    places = divisor.bit_length() - 1
    if sign == "/":
        return bits.shifted(x, -places)
    return x[:places] + (False,) * (len(x) - places)


def _known_arithmetic(sign: str, a: Value, b: Value) -> Value:
    wanted = joined(a, b)
    x, y = number(a), number(b)
    if sign in ("/", "%") and not isinstance(y, ParameterExpression) and y == 0:
        raise wrong("division by zero")
    if wanted.kind is Kind.FLOAT:
        return Value(FLOAT, _real(sign, x, y))
    if sign == "**" and y < 0:
        return Value(FLOAT, _real(sign, x, y))
    if not (a.is_literal or a.type.is_integer) or not (b.is_literal or b.type.is_integer):
        x, y = int(x), int(y)
    is_literal = a.is_literal and b.is_literal
    if sign == "/" and is_literal and x % y:
        raise unsupported(
            f"the quotient {x}/{y} of two integers: OpenQASM 3 cuts it to {_quotient(x, y)}",
            solution=f"Write `{x}.0/{y}` for the fraction, or `{_quotient(x, y)}`.",
        )
    found = _whole(sign, x, y, wanted)
    return Value(wanted, wrapped(found, wanted, may_wrap=wanted.width is not None), is_literal=is_literal)


def _quotient(x: int, y: int) -> int:
    found = abs(x) // abs(y)
    return found if (x < 0) == (y < 0) else -found


def _whole(sign: str, x: int, y: int, wanted: Type) -> int:
    if sign == "**":
        if y * max(1, abs(x).bit_length()) > _MOST_BITS:
            if wanted.width is None:
                return int(wrapped(1 << _MOST_BITS, wanted))  # out of range, and refused as that
            return int(pow(x, y, 1 << wanted.width))
        return int(x**y)
    if sign == "%":
        return x - y * _quotient(x, y)
    if sign == "/":
        return _quotient(x, y)
    found = {"+": operator.add, "-": operator.sub, "*": operator.mul}[sign](x, y)
    return int(found)


_MOST_BITS = 4096


def _real(sign: str, x: Any, y: Any) -> Any:  # noqa: ANN401 - numbers and expressions of parameters
    if sign == "%":
        if isinstance(x, ParameterExpression) or isinstance(y, ParameterExpression):
            raise unsupported("the operator % on an input")
        return math.fmod(x, y)
    if sign == "**":
        found = operator.pow(x if isinstance(x, ParameterExpression) else float(x), y)
        if isinstance(found, complex):
            raise wrong(f"{x}**{y} is no real number")
        return found
    return {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}[sign](x, y)


def _compared(sign: str, a: Value, b: Value, settle: Settle) -> Value:
    if a.is_known and b.is_known:
        return Value(BOOL, bool(COMPARISONS[sign](plain_number(a), plain_number(b))))
    wanted = joined(a, b)
    if wanted.kind is Kind.FLOAT:
        number(a), number(b)  # one of them is refused
    for literal, value, turned in ((b, a, False), (a, b, True)):
        if literal.is_literal and not _fits(literal.data, _as_integer_type(value.type)):
            return Value(BOOL, _beyond(sign, literal.data, turned=turned))
    x, y = bits_of(cast(a, wanted)), bits_of(cast(b, wanted))
    if sign in ("==", "!="):
        same = bits.equal(x, y)
        return of_bit(same if sign == "==" else bits.invert(same))
    x, y = settle(x), settle(y)
    if sign in (">", "<="):
        x, y = y, x
    below = bits.less(x, y, signed=wanted.kind is Kind.INT)
    return of_bit(below if sign in ("<", ">") else bits.invert(below))


def _beyond(sign: str, literal: int, *, turned: bool) -> bool:
    """How any value of a type compares with a number outside of the type's range: by the number's sign alone."""
    one, other = (literal, 0) if turned else (0, literal)
    return COMPARISONS[sign](one, other)


def _bitwise(sign: str, a: Value, b: Value) -> Value:
    if Kind.FLOAT in (a.type.kind, b.type.kind):
        raise wrong(f"the operator {sign} on a float", solution="Cast it to an integer.")
    wanted = _bitwise_type(a, b)
    x, y = bits_of(cast(a, wanted)), bits_of(cast(b, wanted))
    is_literal = a.is_literal and b.is_literal
    found = from_bits(wanted, [_BITWISE[sign](one, other) for one, other in zip(x, y, strict=True)])
    return Value(wanted, found.data, is_literal=is_literal)


def _bitwise_type(a: Value, b: Value) -> Type:
    kinds = {a.type.kind, b.type.kind}
    if kinds == {Kind.BOOL, Kind.BIT}:
        return BOOL
    if a.type.kind is b.type.kind and a.type.kind in (Kind.BOOL, Kind.BIT):
        if a.type.num_bits != b.type.num_bits:
            raise wrong(f"{a.type} and {b.type} have different widths")
        return a.type if a.type.width is not None else b.type
    for value, literal in ((a, b), (b, a)):
        if value.type.kind is Kind.BIT and literal.is_literal:
            return value.type
    return joined(a, b)


def _shift(sign: str, a: Value, b: Value) -> Value:
    if a.type.num_bits is None:
        raise wrong(f"the operator {sign} on a {a.type}", solution="Cast it to a type with a width.")
    if not b.is_known:
        raise unsupported("a shift by a number that depends on measurements", solution="Shift by a known number.")
    places = integer(b)
    if places < 0:
        raise wrong(f"a shift by {places}")
    if a.is_known and a.type.is_integer:
        value = int(plain_number(a))
        found = value >> min(places, _MOST_BITS) if sign == ">>" else value << min(places, _MOST_BITS)
        may_wrap = a.type.width is not None
        return Value(a.type, wrapped(found, a.type, may_wrap=may_wrap), is_literal=a.is_literal)
    before = bits_of(a)
    if sign == "<<":
        return from_bits(a.type, bits.shifted(before, places))
    is_signed = a.type.kind is Kind.INT
    kept = before[min(places, len(before) - 1) :] if is_signed else before[places:]  # the sign outlasts any shift
    return from_bits(a.type, bits.extended(kept, len(before), signed=is_signed))


def _with_angle(sign: str, a: Value, b: Value) -> Value:
    wanted = _angle_type(a, b)
    if sign in ("*", "/") and (a.type.kind is not b.type.kind):
        return _scaled(sign, a, b, wanted)
    if not a.is_known or not b.is_known or (sign in _BITWISE and wanted.width is not None):
        return _angle_bits(sign, cast(a, wanted), cast(b, wanted))
    if sign in COMPARISONS:
        return Value(BOOL, bool(COMPARISONS[sign](plain_number(cast(a, wanted)), plain_number(cast(b, wanted)))))
    if sign == "/":
        return Value(Type(Kind.UINT), int(plain_number(a) // plain_number(b)))
    if sign not in ("+", "-"):
        raise wrong(f"the operator {sign} on an angle")
    one, other = cast(a, wanted), cast(b, wanted)
    found = one.data + other.data if sign == "+" else one.data - other.data
    if isinstance(found, ParameterExpression):
        return Value(FLOAT, number(one) + number(other) if sign == "+" else number(one) - number(other))
    return Value(wanted, found % (math.tau if wanted.width is None else 2**wanted.width))


def _angle_type(a: Value, b: Value) -> Type:
    angles = [value.type for value in (a, b) if value.type.kind is Kind.ANGLE]
    widths = [each.width for each in angles]
    return Type(Kind.ANGLE, None if None in widths else max(filter(None, widths), default=None))


def _scaled(sign: str, a: Value, b: Value, wanted: Type) -> Value:
    angle, factor = (a, b) if a.type.kind is Kind.ANGLE else (b, a)
    if sign == "/" and angle is b:
        raise wrong(f"a {a.type} is not divided by an angle")
    by = number(factor)
    if sign == "/" and not isinstance(by, ParameterExpression) and by == 0:
        raise wrong("division by zero")
    if isinstance(angle.data, ParameterExpression) or isinstance(by, (float, ParameterExpression)):
        return Value(FLOAT, number(angle) * by if sign == "*" else number(angle) / by)
    if not angle.is_known:
        raise unsupported(f"the operator {sign} on an angle that depends on measurements")
    if wanted.width is None:
        return Value(wanted, (angle.data * by if sign == "*" else angle.data / by) % math.tau)
    return Value(wanted, (angle.data * by if sign == "*" else angle.data // by) % 2**wanted.width)


def _angle_bits(sign: str, a: Value, b: Value) -> Value:
    x, y = bits_of(a), bits_of(b)
    if sign in _BITWISE:
        return from_bits(a.type, [_BITWISE[sign](one, other) for one, other in zip(x, y, strict=True)])
    if sign in ("+", "-"):
        return from_bits(a.type, (bits.total if sign == "+" else bits.difference)(x, y))
    if sign in ("==", "!="):
        same = bits.equal(x, y)
        return of_bit(same if sign == "==" else bits.invert(same))
    raise unsupported(f"the operator {sign} on an angle that depends on measurements")


def _complement(value: Value) -> Value:
    if value.type.kind is Kind.BOOL:
        raise wrong("the operator ~ on a bool", solution="Write `!`.")
    if value.type.num_bits is None:
        raise wrong(f"the operator ~ on a {value.type}")
    if value.is_literal:
        return Value(INT, ~int(value.data), is_literal=True)
    return from_bits(value.type, [bits.invert(bit) for bit in bits_of(value)])


def _negative(value: Value) -> Value:
    kind = value.type.kind
    if isinstance(value.data, Duration):
        return Value(value.type, Duration(-value.data.amount, value.data.unit))
    if not value.is_known:
        found = bits_of(value)
        return from_bits(value.type, bits.difference((False,) * len(found), found))
    if kind in (Kind.BIT, Kind.BOOL):
        raise wrong(f"the operator - before a {value.type}", solution="Cast it to an integer.")
    if isinstance(value.data, ParameterExpression) or kind is Kind.FLOAT:
        return Value(value.type, -value.data)
    if kind is Kind.ANGLE:
        return Value(value.type, -value.data % (math.tau if value.type.width is None else 2**value.type.width))
    found_number = wrapped(-int(value.data), value.type, may_wrap=value.type.width is not None)
    return Value(value.type, found_number, is_literal=value.is_literal)


def _with_duration(sign: str, a: Value, b: Value) -> Value:
    one, other = a.data, b.data
    if isinstance(one, Duration) and isinstance(other, Duration):
        in_one_unit = other.in_unit(one.unit)
        if sign in COMPARISONS:
            return Value(BOOL, bool(COMPARISONS[sign](one.amount, in_one_unit)))
        if sign == "/" and in_one_unit:
            return Value(FLOAT, one.amount / in_one_unit)
        if sign in ("+", "-"):
            found = one.amount + in_one_unit if sign == "+" else one.amount - in_one_unit
            return Value(a.type, Duration(found, one.unit))
    elif sign == "*":
        duration, factor = (one, b) if isinstance(one, Duration) else (other, a)
        return Value(Type(Kind.DURATION), Duration(duration.amount * plain_number(factor), duration.unit))
    elif sign == "/" and isinstance(one, Duration) and plain_number(b):
        return Value(a.type, Duration(one.amount / plain_number(b), one.unit))
    raise wrong(f"the operator {sign} between a {a.type} and a {b.type}")
