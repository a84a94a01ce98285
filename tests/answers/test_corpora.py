"""What becomes of programs that other people wrote, on small texts of each kind."""

from __future__ import annotations

import time

import pytest

from answers.bounded import ProcessEndedError, TooSlowError, within
from answers.corpora import texts_in
from answers.corpus_examining import examined_corpus

TEXTS = {
    "right": 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;',
    "without measurements": 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; x q[0];',
    "pulses": "OPENQASM 3.0; qubit q; bit c; cal { } c = measure q;",
    "undefined": "OPENQASM 3.0; qubit q; bit c; foo q; c = measure q;",
    "illegal": "OPENQASM 3.0; qubit q q;",
    "no qubits": "OPENQASM 3.0; bit c; c = 1;",
    "input": "OPENQASM 3.0; input float a; qubit q; bit c; U(a, 0, 0) q; c = measure q;",
    "large": "OPENQASM 3.0; const int n = 6; qubit[4 * n] q; bit c; c = measure q[0];",
    "twice": "OPENQASM 3.0; bit c; c = 1;",
}


@pytest.mark.timeout(300)
def test_each_text_ends_with_its_verdict(panel):
    outcome = examined_corpus("texts", iter(TEXTS.items()), panel)
    assert outcome.suspicious == {}
    assert outcome.files == len(TEXTS) - 1
    assert outcome.measuring == {"right": 1, "refused": 1, "called invalid": 1}
    assert outcome.extended == {"right": 1}
    assert outcome.left_out == {"not legal": 1, "no qubits": 1, "needs values": 1, "too large": 1}
    assert outcome.names["refused"] == {"`cal`: pulses are not supported": ["pulses"]}
    assert outcome.names["called invalid"] == {"the gate … is not defined": ["undefined"]}


@pytest.mark.timeout(120)
def test_a_function_that_does_not_end_is_killed_and_one_that_crashes_is_named():
    with pytest.raises(TooSlowError):
        within(0.5, time.sleep, 600)
    with pytest.raises(ProcessEndedError):
        within(60, int, "no number")
    assert within(60, max, 1, 2) == 2


def test_programs_are_found_among_the_strings_of_a_python_file():
    python = '''
"""A module about OPENQASM 3.0; it is no program."""
first = "OPENQASM 2.0; qreg q[1];"
parts = f"OPENQASM 3.0; qubit[{size}] q;"
second = """
// a comment
qubit q;
"""
'''
    assert [text.strip().splitlines()[0] for _, text in texts_in(python)] == [
        "OPENQASM 2.0; qreg q[1];",
        "// a comment",
    ]
