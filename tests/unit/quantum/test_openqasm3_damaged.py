"""Whatever is done to a text, it is read, or refused by an error of qdepot's own that names a place."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qdepot.errors import InvalidProgramError, UnsupportedProgramError
from qdepot.quantum.openqasm3.reader import read_openqasm3
from unit.quantum.test_openqasm3_language import KNOWN, MEASURED

TOKENS = re.compile(r"\w+|[^\w\s]|\s+")
PROGRAMS = [TOKENS.findall(f'OPENQASM 3.0;\ninclude "stdgates.inc";\n{text}') for text, _ in [*KNOWN, *MEASURED]]
PIECES = sorted({token for program in PROGRAMS for token in program if not token.isspace()})
ODD = [
    "0",
    "-1",
    "1e400",
    "99999999",
    '"01"',
    "{}",
    "[0:-1:3]",
    "(1/0)",
    "$1",
    "1000000",
    "#dim=2",
    "im",
    "durationof",
    "é",
]


@st.composite
def damaged(draw):
    tokens = list(draw(st.sampled_from(PROGRAMS)))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(tokens) - 1))
        kind = draw(st.sampled_from(["drop", "insert", "replace", "swap"]))
        if kind == "drop" and len(tokens) > 1:
            del tokens[place]
        elif kind == "swap":
            other = draw(st.integers(0, len(tokens) - 1))
            tokens[place], tokens[other] = tokens[other], tokens[place]
        else:
            piece = draw(st.sampled_from(PIECES) | st.sampled_from(ODD))
            tokens[place : place + (kind == "replace")] = [piece]
    return "".join(tokens)


@pytest.mark.timeout(300)
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(damaged())
def test_a_damaged_text_is_read_or_refused_with_its_place(text):
    refusal = None
    try:
        read_openqasm3(text.encode())
    except (InvalidProgramError, UnsupportedProgramError) as error:
        refusal = error
    if refusal is not None:
        assert "line" in refusal.details or "OpenQASM" in refusal.message
        assert "Traceback" not in refusal.message


@pytest.mark.parametrize(
    "text",
    [
        "OPENQASM 3.0; array[int, #dim=2] a;",
        "OPENQASM 3.0; int i = 1e400;",
        "OPENQASM 3.0; float f = 10.0 ** 400;",
        "OPENQASM 3.0; int[0] i = 1;",
        "OPENQASM 3.0; bit[2] c = 1 << 99999999;",
        "OPENQASM 3.0; int i = 7 ** 99999999;",
        "OPENQASM 3.0; def f() { f(); } f();",
        "OPENQASM 3.0; let a = a;",
        "OPENQASM 3.0; array[bit[4], 100000, 100000] a;",
        "OPENQASM 3.0; switch (1) { case 1.5 { } }",
        "OPENQASM 3.0; bit[2] c; c[0:1][0] = 1; c[5] = 1;",
        "OPENQASM 3.0; gate g a { g a; } qubit q; g q;",
        "OPENQASM 3.0; qubit q; ctrl(0) @ U(0, 0, 0) q, q;",
        "OPENQASM 3.0; qubit[3] q; pow(1e300) @ U(1, 1, 1) q;",
        "OPENQASM 3.0; return 1;",
        "OPENQASM 3.0; break;",
    ],
)
def test_odd_programs_are_refused_with_a_reason(text):
    with pytest.raises((InvalidProgramError, UnsupportedProgramError)) as caught:
        read_openqasm3(text.encode())
    assert "Error" not in caught.value.message
    assert "make nothing" not in caught.value.message


def test_an_argument_in_the_old_style_which_the_grammar_breaks_on_is_refused_with_its_place():
    with pytest.raises(UnsupportedProgramError, match="line 2, column 7") as caught:
        read_openqasm3(b"OPENQASM 3.0;\ndef f(creg c[2]) { }")
    assert "bit[2] c" in caught.value.solution
