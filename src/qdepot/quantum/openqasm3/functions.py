"""The functions that OpenQASM 3 has without a declaration."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from qiskit.circuit import ParameterExpression

from qdepot.quantum.openqasm3 import bits
from qdepot.quantum.openqasm3.operators import binary
from qdepot.quantum.openqasm3.refusal import unsupported, wrong
from qdepot.quantum.openqasm3.types import FLOAT, Kind, Type
from qdepot.quantum.openqasm3.values import Value, bits_of, from_bits, integer, number

CONSTANTS = {
    "pi": Value(FLOAT, math.pi),
    "π": Value(FLOAT, math.pi),
    "tau": Value(FLOAT, math.tau),
    "τ": Value(FLOAT, math.tau),
    "euler": Value(FLOAT, math.e),
    "ℇ": Value(FLOAT, math.e),
}

_OF_ONE_NUMBER: dict[str, tuple[Callable[[float], float], str]] = {
    "arccos": (math.acos, "arccos"),
    "arcsin": (math.asin, "arcsin"),
    "arctan": (math.atan, "arctan"),
    "cos": (math.cos, "cos"),
    "sin": (math.sin, "sin"),
    "tan": (math.tan, "tan"),
    "exp": (math.exp, "exp"),
    "log": (math.log, "log"),
    "sqrt": (math.sqrt, ""),
    "ceiling": (math.ceil, ""),
    "floor": (math.floor, ""),
}
_OF_TWO = ("mod", "pow", "rotl", "rotr")
NAMES = frozenset([*_OF_ONE_NUMBER, *_OF_TWO, "popcount"])
UNSUPPORTED_NAMES = frozenset(["real", "imag", "durationof"])


def called(name: str, arguments: Sequence[Value]) -> Value:
    """The result of a function of :data:`NAMES`.

    Raises:
        Refusal: It does not take such arguments.
    """
    expected = 2 if name in _OF_TWO else 1
    if len(arguments) != expected:
        raise wrong(f"{name}() takes {expected} argument{'s' * (expected > 1)}, not {len(arguments)}")
    if name in _OF_ONE_NUMBER:
        return _of_one(name, number(arguments[0]))
    if name == "popcount":
        return _popcount(arguments[0])
    if name in ("mod", "pow"):
        return binary("%" if name == "mod" else "**", arguments[0], arguments[1], lambda each: each)
    return _rotated(name, arguments[0], arguments[1])


def _of_one(name: str, argument: Any) -> Value:  # noqa: ANN401 - a number or an expression of parameters
    function, method = _OF_ONE_NUMBER[name]
    if isinstance(argument, ParameterExpression):
        if name == "sqrt":
            return Value(FLOAT, argument**0.5)
        if not method:
            raise unsupported(f"{name}() of an input")
        return Value(FLOAT, getattr(argument, method)())
    try:
        found = function(argument)
    except (ValueError, OverflowError) as error:
        raise wrong(f"{name}({argument}) is not a finite number") from error
    return Value(FLOAT, float(found))


def _popcount(argument: Value) -> Value:
    if argument.type.num_bits is None:
        raise wrong(f"popcount() of a {argument.type}")
    found = bits_of(argument)
    if bits.known(found) is not None:
        return Value(Type(Kind.UINT), sum(map(int, found)))
    width = len(found).bit_length()
    count: bits.Bits = (False,) * width
    for bit in found:
        count = bits.total(count, (bit,) + (False,) * (width - 1))
    return from_bits(Type(Kind.UINT, width), count)


def _rotated(name: str, argument: Value, places: Value) -> Value:
    if argument.type.num_bits is None or argument.type.kind is Kind.INT:
        raise wrong(f"{name}() of a {argument.type}", solution="Give it bits, or a uint with a width.")
    by = integer(places)
    return from_bits(argument.type, bits.rotated(bits_of(argument), by if name == "rotl" else -by))
