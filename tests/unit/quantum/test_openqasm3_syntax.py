"""The tree that is built without the grammar is the tree that the grammar builds."""

import openqasm3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openqasm3.parser import QASM3ParsingError
from qiskit import qasm3
from qiskit.circuit.random import random_circuit

from qdepot.errors import InvalidProgramError
from qdepot.quantum.openqasm3.syntax import syntax_tree
from qdepot.quantum.precheck import without_comments

PLAIN = """OPENQASM 3.0; include "stdgates.inc";
qubit[2] q; qubit a; bit[2] c; bit d; input float th;
h q; cx q[0], q[1]; rx(-pi/2) q[0]; rz(3*pi/4) q[1]; u3(.5, 1e-3, -2.5) q[0]; rz(- 2) a; rx(th*2)q[0];
rx(1.) a; rz(-3*pi/-4) q [ 0 ]; p(pi * 0.25 / 2) q[1]; g() a; u (1,2) q;
c = measure q; c[0] = measure q[1]; measure q -> c; measure q[0]->c[1]; barrier q, a; barrier; barrier q[0];
reset q[0]; reset a;
"""
OTHER = """rx(π) a; x $0; rx((1)) q; rx(1+2) a; rx(sin(1)) q; bit[2] e = measure q; let r = q[{0,1}]; const int n = 2;
for uint i in {0, 1} x q[0]; h q; for int i in [0:2] { h q; } y q; if (c==1) x q; else h q; x q;
if (c==1) { x q[0]; } else { h q; } y q; z q; while (c==1) x q; x q; while (d) { x a; } x a;
gate g(a, b) x, y { cx x, y; rx(a) y; } g(1, 2) q[0], q[1]; ctrl @ x q[0], q[1]; pow(2) @ x q[0]; inv @ s q;
gphase(pi); delay[10ns] q; box { x q; } end; int[32] k = 3; z q;
h
  q; /* a; b */ z q; // x q;
y q;
"""


def _starts(tree):
    return [(statement.span.start_line, statement.span.start_column) for statement in tree.statements]


def _assert_equal_trees(text):
    code = without_comments(text)
    ours, theirs = syntax_tree(code), openqasm3.parse(code)
    assert ours == theirs
    assert _starts(ours) == _starts(theirs)


@pytest.mark.parametrize("text", [PLAIN, OTHER, PLAIN + OTHER, OTHER + "x q;", "OPENQASM 3;", "x q;\n\n\n\ty q;"])
def test_tree_and_places_are_those_of_the_reference_parser(text):
    _assert_equal_trees(text)


@pytest.mark.parametrize("text", ["@reversible\nx q; y q;", "pragma x; y\nx q;", "#pragma do this; x q;\nz q;"])
def test_statements_that_end_with_their_line(text):
    _assert_equal_trees(text)


@pytest.mark.parametrize("seed", range(6))
def test_circuits_that_qiskit_writes(seed):
    circuit = random_circuit(5, 8, max_operands=3, seed=seed, measure=True, conditional=seed % 2 == 1)
    _assert_equal_trees(qasm3.dumps(circuit))


pieces = st.sampled_from(
    [
        *(piece + ";" for piece in (PLAIN + OTHER).replace("\n", " ").split(";")),
        "x q;",
        "}",
        "{",
        "else y q;",
        "\n",
        "  ",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces, max_size=8).map("".join))
def test_both_accept_the_same_texts_and_agree_on_them(text):
    try:
        code = without_comments(text)
    except InvalidProgramError:  # a comment without an end
        with pytest.raises(QASM3ParsingError):
            openqasm3.parse(text)
        return
    try:
        expected = openqasm3.parse(code)
    except QASM3ParsingError:
        with pytest.raises(QASM3ParsingError):
            syntax_tree(code)
        return
    except (AttributeError, TypeError, ValueError):  # the reference parser has gaps, as for a text without a word
        return
    assert syntax_tree(code) == expected


def test_nothing_is_printed_about_a_bad_program(capfd):
    with pytest.raises(QASM3ParsingError):
        syntax_tree("qubit q; if (")
    assert capfd.readouterr() == ("", "")
