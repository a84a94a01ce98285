"""Arithmetic on measured numbers, as the circuit computes it, against Python's integers cut to the width."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.circuits import counts, openqasm3

WIDTH = 4
SIGNS = ("+", "-", "*", "&", "|", "^")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


def _wrapped(number, *, signed):
    low = -(1 << WIDTH - 1) if signed else 0
    return (number - low) % (1 << WIDTH) + low


def _applied(sign, a, b):
    return {
        "+": a + b,
        "-": a - b,
        "*": a * b,
        "&": a & b,
        "|": a | b,
        "^": a ^ b,
    }[sign]


@st.composite
def expressions(draw, *, signed, depth=2):
    """Text of an expression of a, b and literals, and a function of their values."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(["a", "b"]))
    left = draw(expressions(signed=signed, depth=depth - 1))
    kind = draw(st.sampled_from(["binary", "binary", "literal", "shift", "not", "minus"]))
    if kind == "binary":
        return (draw(st.sampled_from(SIGNS)), left, draw(expressions(signed=signed, depth=depth - 1)))
    if kind == "literal":
        return (draw(st.sampled_from(SIGNS)), left, draw(st.integers(0, 7)))
    if kind == "shift":
        return (draw(st.sampled_from(["<<", ">>"])), left, draw(st.integers(0, 5)))
    return ("~" if kind == "not" else "minus", left)


def _text(node):
    if not isinstance(node, tuple):
        return str(node)
    if len(node) == 2:
        return f"({'-' if node[0] == 'minus' else node[0]}{_text(node[1])})"
    return f"({_text(node[1])} {node[0]} {_text(node[2])})"


def _value(node, values, *, signed):
    if isinstance(node, int):
        return node
    if isinstance(node, str):
        return values[node]
    first = _value(node[1], values, signed=signed)
    if len(node) == 2:
        return _wrapped(~first if node[0] == "~" else -first, signed=signed)
    second = _value(node[2], values, signed=signed)
    if node[0] in ("<<", ">>"):
        return _wrapped(first << second if node[0] == "<<" else first >> second, signed=signed)
    return _wrapped(_applied(node[0], first, second), signed=signed)


@st.composite
def cases(draw):
    signed = draw(st.booleans())
    node = draw(expressions(signed=signed))
    bound = draw(st.integers(-8, 7)) if signed else draw(st.integers(0, 15))
    return signed, draw(st.integers(0, 15)), draw(st.integers(0, 15)), node, draw(st.sampled_from(COMPARISONS)), bound


@pytest.mark.parametrize("places", range(6))
def test_a_negative_number_that_is_shifted_down_keeps_its_sign(places):
    text = f"""qubit[4] q; bit[4] m; bit[4] r; x q[3]; m = measure q;
        int[4] a = int[4](m); r = bit[4](a >> {places});"""
    assert counts(openqasm3(text), shots=1) == {f"{(-8 >> places) % 16:04b} 1000": 1}


@pytest.mark.timeout(300)
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_measured_numbers_are_computed_with_as_the_language_says(case):
    signed, a, b, node, comparison, bound = case
    kind = "int" if signed else "uint"
    flips = [f"x q[{place}];" for place in range(2 * WIDTH) if (a | b << WIDTH) >> place & 1]
    text = f"""qubit[8] q; bit[4] m; bit[4] n; bit[4] r; bit f;
        {" ".join(flips)} m = measure q[0:3]; n = measure q[4:7];
        {kind}[4] a = {kind}[4](m); {kind}[4] b = {kind}[4](n); {kind}[4] k = {_text(node)};
        r = bit[4](k); if (k {comparison} {bound}) {{ f = 1; }}"""
    values = {"a": _wrapped(a, signed=signed), "b": _wrapped(b, signed=signed)}
    found = _value(node, values, signed=signed)
    holds = {
        "==": found == bound,
        "!=": found != bound,
        "<": found < bound,
        "<=": found <= bound,
        ">": found > bound,
        ">=": found >= bound,
    }[comparison]
    expected = f"{int(holds)} {found % 16:04b} {b:04b} {a:04b}"
    assert counts(openqasm3(text), shots=1) == {expected: 1}
