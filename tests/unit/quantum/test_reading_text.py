"""OpenQASM that cannot be read is refused with line and column, before anything hangs, crashes or opens a file."""

import pytest

from qdepot.errors import InvalidProgramError, UnsupportedProgramError
from support.circuits import BELL2, BELL3, checked, counts, openqasm2, openqasm3, simulated


def _refusal(source, program_format=None):
    with pytest.raises((InvalidProgramError, UnsupportedProgramError)) as caught:
        checked(source, program_format=program_format)
    return caught.value


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("qreg q[2];\n  foo q[0];", 4, 3, "'foo' is not defined"),
        ("qreg q[2];\nh $;", 4, 3, "doesn't match any valid tokens"),
        ("qreg q[2];\nh q[7];", 4, 5, "out-of-range"),
        ("qreg q[2];\nrx(1/0) q[0];", 4, 5, "divide by zero"),
        ("qreg q[2]\nh q[0];", 4, 1, "needed ';'"),
        ('qreg q[2];\ninclude "/etc/passwd";', 4, 1, "no files are read"),
        ('include "stdgates.inc";', 3, 1, "no files are read"),
        ("qreg q[1000000000];", 3, 8, "eight digits"),
        ("qreg a[9000]; qreg b[9000];", 3, 15, "18000 qubits declared"),
        ("creg c[20000];", 3, 1, "20000 classical bits"),
        ("qreg q[99999999999999999999999];", 3, 8, "eight digits"),
        (f"qreg q[1];\nrx({'(' * 65}1{')' * 65}) q[0];", 4, 67, "nested"),
    ],
)
def test_openqasm2_is_refused_with_its_place(text, line, column, words):
    error = _refusal(openqasm2(text))
    assert (error.details["line"], error.details["column"]) == (line, column)
    assert error.details["circuit"] == 0
    assert f"circuit 0: line {line}, column {column}: " in error.message
    assert words in error.message


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("qubit[2] q;\n foo q[0];", 4, 2, "'foo' is not defined"),
        ("qubit[2] q;\nh q[0;", 4, 6, "syntax error at ';'"),
        ("qubit[2] q;\nh q[0]", 4, 7, "the end of the text"),
        ("qubit[2] q;\nh q[2];", 4, 1, "out of range"),
        ("bit[1] c; qubit q; c = measure q; if (c == 1) {\n  rx(1/0) q;\n}", 4, 6, "division"),
        ("qubit a;\n h q;", 4, 2, "'q' is not declared"),
        ("qubit q; $", 3, 10, "token recognition"),
        ("qubit q; ctrl(40) @ x q;", 3, 10, "40 control qubits"),
        ("input float t;", 3, 1, "already"),
        ('include "/etc/passwd";', 3, 1, "no files are read"),
        ("include 'local.inc';", 3, 1, "no files are read"),
        ("qubit[1000000000] q;", 3, 7, "eight digits"),
        ("qubit[2 * 50000] q;", 3, 6, "at most 10000"),
        ("x $20000;", 3, 3, "hardware qubit $20000"),
        (f"qubit q; rx({'(' * 65}1{')' * 65}) q;", 3, 76, "nested"),
    ],
)
def test_openqasm3_is_refused_with_its_place(text, line, column, words):
    error = _refusal(openqasm3(text))
    assert (error.details["line"], error.details["column"]) == (line, column)
    assert words in error.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("defcal x $0 {}", "`defcal`"),
        ("cal {}", "`cal`"),
        ("stretch g;", "stretch"),
        ("complex[float[64]] z;", "complex"),
        ("extern f(int) -> bit; bit b = f(1);", "'f'"),
        ("pragma do something", "pragma"),
        ("duration d = durationof({x $0;});", "durationof"),
        ("input int n;", "input"),
        ("qubit q; x $0;", "physical"),
    ],
)
def test_what_is_legal_but_not_supported_is_refused_by_name_with_its_place(text, words):
    error = _refusal(openqasm3(text))
    assert isinstance(error, UnsupportedProgramError)
    assert error.details["line"] == 3
    assert words in error.message


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"\xff\xfe\x00", "not UTF-8"),
        ("OPENQASM 3.0; // é\nqubit \xff".encode("latin1"), "not UTF-8"),
        (b"OPENQASM 3.0;\0", "NUL"),
        (b"", "empty"),
        (b" \n // nothing\n", "empty"),
    ],
)
@pytest.mark.parametrize("program_format", ["openqasm2", "openqasm3"])
def test_what_is_no_text_is_refused(source, words, program_format):
    error = _refusal(source, program_format)
    assert isinstance(error, InvalidProgramError)
    assert words in error.message


@pytest.mark.parametrize(("source", "sent_as"), [(BELL3, "openqasm2"), (BELL2, "openqasm3")])
def test_the_wrong_version_is_told_with_the_right_one(source, sent_as):
    error = _refusal(source, sent_as)
    assert "OPENQASM" not in error.solution
    assert "openqasm3" in error.solution or "openqasm2" in error.solution
    assert sent_as not in error.solution


@pytest.mark.parametrize("text", ["rx(" + "-" * 700 + "1) q[0];", "rx(" + "1+" * 3000 + "1) q[0];"])
def test_endless_expressions_are_refused(text):
    error = _refusal(openqasm3(f"qubit[1] q; bit[1] c; {text} c = measure q;"))
    assert "nested too deeply" in error.message


def _doubling(gate, call, depth):
    lines = [gate.format(0, "x a;")]
    lines += [gate.format(level, f"{call.format(level - 1)} {call.format(level - 1)}") for level in range(1, depth)]
    return "\n".join(lines) + "\n"


def test_gates_that_double_forty_times_are_refused_at_once():
    definitions = _doubling("gate g{} a {{ {} }}", "g{} a;", 40)
    for source in (
        openqasm2(f"{definitions} qreg q[1]; creg c[1]; g39 q[0]; measure q -> c;"),
        openqasm3(f"{definitions} qubit[1] q; bit[1] c; g39 q[0]; c = measure q;"),
    ):
        error = _refusal(source)
        assert isinstance(error, UnsupportedProgramError)
        assert "1000000 gates" in error.message


@pytest.mark.parametrize("span", ["0:5000000", "-9223372036854775808:9223372036854775807", "0:-1:-9223372036854775807"])
def test_long_loops_are_refused(span):
    error = _refusal(openqasm3(f"qubit[1] q; bit[1] c; for int i in [{span}] {{ x q[0]; }} c = measure q;"))
    assert isinstance(error, UnsupportedProgramError)
    assert "loops" in error.message


@pytest.mark.parametrize(
    "text",
    ["int n = 3; while (n > 0) { rx(0.5) q[0]; }", "while (true) { x q[0]; }", "int n = 0; while (n >= 0) { n += 1; }"],
)
def test_loops_without_an_end_are_refused(text):
    assert isinstance(_refusal(openqasm3(f"qubit[1] q; bit[1] c; {text} c = measure q;")), UnsupportedProgramError)


def test_a_byte_order_mark_is_ignored():
    assert checked(b"\xef\xbb\xbf" + BELL3, program_format="openqasm3")["num_qubits"] == 2


def test_comments_count_for_nothing():
    text = '// include "x"\n/* qubit[1000000000] q; ((((( */ qubit[1] q; bit[1] c; x q[0]; c = measure q; // "'
    assert counts(openqasm3(text), shots=3) == {"1": 3}


def test_legacy_gates_are_known_without_a_definition():
    text = (
        "qreg q[3]; creg c[3]; x q[0]; sx q[1]; sxdg q[1]; cswap q[0], q[1], q[2]; rzz(0.5) q[0], q[1]; measure q -> c;"
    )
    assert counts(openqasm2(text), shots=3) == {"001": 3}


@pytest.mark.parametrize(
    ("source", "program_format"),
    [(BELL2 + b"/* x", "openqasm2"), (BELL2 + b"/*/", "openqasm2"), (BELL3 + b"x q[0]; /* \n\n", "openqasm3")],
)
def test_a_comment_that_does_not_end_is_refused_with_its_place(source, program_format):
    error = _refusal(source, program_format)
    assert "does not end" in error.message
    assert error.details["line"] == source.count(b"\n", 0, source.index(b"/*")) + 1


@pytest.mark.parametrize(("source", "program_format"), [(BELL2, "openqasm2"), (BELL3, "openqasm3")])
def test_numbers_that_no_computer_reads_are_refused(source, program_format):
    source = source.replace(b"h q[0];", b"rx(" + b"7" * 5000 + b") q[0];")
    assert "1000 digits" in _refusal(source, program_format).message


@pytest.mark.parametrize("source", [BELL2, BELL3])
def test_what_ran_is_the_same_file_each_time(source):
    first, second = (bytes(simulated(source, shots=1).parts["prepared/0.qpy"]) for _ in range(2))
    assert first == second
