"""Boolean algebra and binary arithmetic on bits of which some are known and others are measured.

A bit is ``bool`` where it is known, and otherwise an expression of classical bits that is evaluated while the circuit
runs. Lists of bits start with the lowest. Integers are written as Boolean expressions of single bits, since Aer
compares integers of more than 32 bits wrongly and cannot add.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from qiskit.circuit import Clbit
from qiskit.circuit.classical import expr

Bit: TypeAlias = Any
"""``bool``, or an expression (Qiskit has no types)."""

Bits: TypeAlias = tuple[Bit, ...]


def read(clbit: Clbit) -> Bit:
    """What a classical bit holds at that moment."""
    return expr.lift(clbit)


def invert(bit: Bit) -> Bit:
    """NOT."""
    if isinstance(bit, bool):
        return not bit
    if isinstance(bit, expr.Unary):  # there is no unary operator but NOT in these expressions
        return bit.operand
    return expr.logic_not(bit)


def both(a: Bit, b: Bit) -> Bit:
    """AND."""
    if isinstance(a, bool):
        return b if a else False
    if isinstance(b, bool):
        return a if b else False
    return expr.logic_and(a, b)


def either(a: Bit, b: Bit) -> Bit:
    """OR."""
    if isinstance(a, bool):
        return True if a else b
    if isinstance(b, bool):
        return True if b else a
    return expr.logic_or(a, b)


def differ(a: Bit, b: Bit) -> Bit:
    """XOR."""
    if isinstance(a, bool):
        return invert(b) if a else b
    if isinstance(b, bool):
        return invert(a) if b else a
    return expr.bit_xor(a, b)


def all_of(bits: Sequence[Bit]) -> Bit:
    """AND of any number of bits, as a tree that is not deep."""
    if len(bits) <= 1:
        return bits[0] if bits else True
    middle = len(bits) // 2
    return both(all_of(bits[:middle]), all_of(bits[middle:]))


def any_of(bits: Sequence[Bit]) -> Bit:
    """OR of any number of bits."""
    return invert(all_of([invert(bit) for bit in bits]))


def known(bits: Sequence[Bit]) -> int | None:
    """The number that bits stand for; None where one is not known."""
    number = 0
    for place, bit in enumerate(bits):
        if not isinstance(bit, bool):
            return None
        number |= bit << place
    return number


def of_number(number: int, width: int) -> Bits:
    """The lowest bits of a number, as two's complement where it is negative."""
    return tuple(bool(number >> place & 1) for place in range(width))


def extended(bits: Bits, width: int, *, signed: bool) -> Bits:
    """Cut to a width, or filled up with the sign or with zeros."""
    sign = bits[-1] if signed and bits else False
    return (bits + (sign,) * (width - len(bits)))[:width]


def equal(a: Bits, b: Bits) -> Bit:
    """Whether two lists of one length hold the same."""
    return all_of([invert(differ(x, y)) for x, y in zip(a, b, strict=True)])


def less(a: Bits, b: Bits, *, signed: bool) -> Bit:
    """Whether one number is below the other; lists of one length."""
    if signed and a:
        a, b = (*a[:-1], invert(a[-1])), (*b[:-1], invert(b[-1]))
    below: Bit = False
    for x, y in zip(a, b, strict=True):
        below = either(both(invert(x), y), both(invert(differ(x, y)), below))
    return below


def total(a: Bits, b: Bits, *, carry: Bit = False) -> Bits:
    """Sum of two numbers of one width, modulo two to that width."""
    found = []
    for x, y in zip(a, b, strict=True):
        unequal = differ(x, y)
        found.append(differ(unequal, carry))
        carry = either(both(x, y), both(unequal, carry))
    return tuple(found)


def difference(a: Bits, b: Bits) -> Bits:
    """One number minus another of the same width, modulo two to that width."""
    return total(a, tuple(map(invert, b)), carry=True)


def shifted(bits: Bits, places: int) -> Bits:
    """Moved up by a number of places, down where it is negative; zeros come in."""
    width = len(bits)
    if places >= 0:
        return ((False,) * min(places, width) + bits)[:width]
    return bits[-places:] + (False,) * min(-places, width)


def rotated(bits: Bits, places: int) -> Bits:
    """Moved up by a number of places; what leaves at the top comes in at the bottom."""
    if not bits:
        return bits
    places %= len(bits)
    return bits[-places:] + bits[:-places] if places else bits
