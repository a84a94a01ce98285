"""What programs of OpenQASM 3 come to, construct by construct, against results worked out by hand.

The programs are deterministic, so that every shot must give the one outcome. Registers stand in it as in all bit
strings: bit 0 rightmost, the register declared last leftmost.
"""

import pytest

from support.circuits import counts, openqasm3

KNOWN = [
    # Constants, sizes, arithmetic.
    ("const int n = 4; qubit[n] q; bit[n] c; for uint i in [0:n-1] { x q[i]; } c = measure q;", "1111"),
    ("const int n = 2; const int m = n ** 2 - 1; qubit[m] q; bit[m] c; x q[n]; c = measure q;", "100"),
    ("qubit[2] q; bit[2] c; uint[2] k = 3; k += 2; if (k == 1) x q[0]; if (k != 1) x q[1]; c = measure q;", "01"),
    ("qubit[2] q; bit[2] c; int[4] k = -3; if (k / 2 == -1) x q[0]; if (k % 2 == -1) x q[1]; c = measure q;", "11"),
    ("qubit[2] q; bit[2] c; int[4] k = 7; k += 1; if (k == -8) x q[0]; if (k < 0) x q[1]; c = measure q;", "11"),
    ("qubit q; bit c; if (7 % 4 == 3 && 2 ** 3 == 8 && (5 & 3) == 1 && ~0 == -1) x q; c = measure q;", "1"),
    ("qubit[2] q; bit[2] c; uint[4] k = 9; if (k << 1 == 2) x q[0]; if (k >> 3 == 1) x q[1]; c = measure q;", "11"),
    (
        "qubit[3] q2; qubit q; bit c; "
        'if (cos(0.0) == 1.0 && popcount("1011") == 3 && sizeof(q2) == 3) x q; c = measure q;',
        "1",
    ),
    ("qubit q; bit c; float a = 0.5; a *= 2; rx(a * pi) q; c = measure q;", "1"),
    ("qubit q; bit c; angle[4] a = pi; a += pi; a += pi; rx(a) q; c = measure q;", "1"),
    ("qubit q; bit c; angle[4] a = pi / 2; rx(2 * a) q; c = measure q;", "1"),
    ("qubit q; bit c; bool b = true; b = !b; if (!b) x q; c = measure q;", "1"),
    ("qubit q; bit c; for int i in [0:2] { rx(0 * i + pi) q; } c = measure q;", "1"),
    (
        "qubit[2] q; bit[2] c; if (int(2.9) == 2 && int(-2.9) == -2) x q[0]; "
        "if (uint[2](7) == 3) x q[1]; c = measure q;",
        "11",
    ),
    ('qubit[4] q; bit[4] c; bit[4] w = "0001"; for int i in [0:3] { if (w[i]) x q[i]; } c = measure q;', "0001 0001"),
    ("qubit[2] q; bit[2] c; uint[4] k = 6; if (k[1] == 1) x q[0]; if (k[0] == 1) x q[1]; c = measure q;", "01"),
    # Arrays.
    (
        "array[int[8], 3] a = {1, 0, 1}; qubit[3] q; bit[3] c; "
        "for int i in [0:2] { if (a[i] == 1) x q[i]; } c = measure q;",
        "101",
    ),
    (
        "array[int[8], 2, 2] a = {{1, 2}, {3, 4}}; a[1] = a[0]; qubit[3] q; bit[3] c; x q[a[1, 1]]; c = measure q;",
        "100",
    ),
    ("array[uint[8], 4] a = {0, 1, 2, 3}; a[0:1] = a[2:3]; qubit[4] q; bit[4] c; x q[a[1]]; c = measure q;", "1000"),
    (
        "array[uint[8], 4] a = {0, 1, 2, 3}; qubit[4] q; bit[4] c; for uint i in a[1:2] { x q[i]; } c = measure q;",
        "0110",
    ),
    # Loops and branches that are known.
    ("qubit[4] q; bit[4] c; for uint i in [3:-1:2] { x q[i]; } for int i in {0, 0} { x q[i]; } c = measure q;", "1100"),
    ("qubit q; bit c; uint[4] k = 0; while (k < 5) { k += 1; x q; } c = measure q;", "1"),
    (
        "qubit q; bit c; for int i in [0:9] { if (i == 2) { continue; } if (i == 4) { break; } x q; } c = measure q;",
        "1",
    ),
    (
        "qubit[3] q; bit[3] c; int k = 2; switch (k) { case 0, 1 { x q[0]; "
        "} case 2 { x q[1]; } default { x q[2]; } } c = measure q;",
        "010",
    ),
    ("qubit[3] q; bit[3] c; int k = 7; switch (k) { case 0, 1 { x q[0]; } default { x q[2]; } } c = measure q;", "100"),
    ("qubit q; bit c; x q; c = measure q; end; x q; c = measure q;", "1"),
    ("qubit q; bit c; int k = 1; if (true) { int k = 2; k = 3; } if (k == 1) x q; c = measure q;", "1"),
    # Aliases and index sets.
    ("qubit[4] q; bit[4] c; let a = q[{0, 3}]; x a; c = measure q;", "1001"),
    ("qubit[2] q; qubit[2] r; bit[4] c; let a = r ++ q; x a[1:2]; c[0:1] = measure q; c[2:3] = measure r;", "1001"),
    ("qubit[2] q; bit[2] c; let last = c[1]; x q[0]; last = measure q[0];", "10"),
    ("qubit[4] q; bit[4] c; x q[1]; c[{3, 2, 1, 0}] = measure q;", "0100"),
    ("qubit[2] q; bit[2] c; let io = q[0]; x io; let io = q[1]; x io; x q[0]; c = measure q;", "10"),
    # Subroutines.
    ("def f(qubit a) { x a; } qubit[2] q; bit[2] c; f(q[1]); c = measure q;", "10"),
    ("def f(int[8] k, qubit[2] a) { x a[k]; k = 0; } qubit[2] q; bit[2] c; f(1, q); c = measure q;", "10"),
    (
        "def f(int k) -> int { if (k < 2) { return 1; } return k * f(k - 1); "
        "} qubit q; bit c; if (f(4) == 24) x q; c = measure q;",
        "1",
    ),
    (
        "def f(mutable array[int[8], 2] a) { a[0] = 1; } array[int[8], 2] a = {0, 0}; "
        "f(a); qubit[2] q; bit[2] c; x q[a[0]]; c = measure q;",
        "10",
    ),
    ("const int n = 1; def f(qubit[2] a) { x a[n]; } qubit[2] q; bit[2] c; f q; c = measure q;", "10"),
    # Gates.
    ("qubit[2] q; bit[2] c; gate g(a) b { rx(a) b; } g(pi) q[0]; inv @ g(pi) q[1]; c = measure q;", "11"),
    (
        "qubit[3] q; bit[3] c; gate g a, b { for int i in [0:2] { cx a, b; } } x q[0]; g q[0], q[2]; c = measure q;",
        "101",
    ),
    ("qubit[3] q; bit[3] c; x q[0]; negctrl @ ctrl @ x q[1], q[0], q[2]; c = measure q;", "101"),
    (
        "qubit[3] q; bit[3] c; x q[1]; ctrl(2) @ x q[0], q[1], q[2]; negctrl(2) @ x q[0], q[2], q[1]; c = measure q;",
        "000",
    ),
    ("qubit[2] q; bit[2] c; pow(2) @ sx q[0]; pow(1/2) @ x q[1]; pow(0.5) @ x q[1]; c = measure q;", "11"),
    ("qubit[2] q; bit[2] c; pow(-3) @ sx q[0]; sx q[0]; pow(40) @ sx q[1]; c = measure q;", "01"),
    (
        "qubit[2] q; bit[2] c; x q[0]; ctrl @ pow(1/2) @ x q[0], q[1]; ctrl @ pow(1/2) @ x q[0], q[1]; c = measure q;",
        "11",
    ),
    ("qubit[2] q; bit[2] c; x q[0]; h q[1]; ctrl @ gphase(pi) q[1]; h q[1]; c = measure q;", "11"),
    (
        "qubit[2] q; bit[2] c; h q[1]; negctrl @ gphase(pi) q[1]; h q[1]; "
        "h q[0]; inv @ ctrl @ gphase(pi) q[0]; h q[0]; c = measure q;",
        "11",
    ),
    ("qubit[2] q; qubit r; bit[2] c; x r; cx r, q; c = measure q;", "11"),
    # Results.
    ("qubit q; bit a; bit b; x q; b = measure q;", "1 0"),
    ('bit[4] c = "0101"; qubit q; bit d; x q; d = measure q;', "1 0101"),
    ("output bit[1] r; qubit q; bit[3] c; x q; r[0] = measure q; c[1] = measure q;", "1"),
    ("output uint[3] n; qubit q; bit c; x q; c = measure q; n = 4; if (c) { n += 1; }", "101"),
    ("qubit[2] q; creg c[2]; qreg r[1]; x r[0]; measure r[0] -> c[1];", "10"),
    ("bit[2] c; x $1; c[0] = measure $0; c[1] = measure $1;", "10"),
    ("qubit q; bit c; delay[100ns] q; box { x q; } duration d = 2 * 10ns; delay[d] q; barrier q; c = measure q;", "1"),
]

MEASURED = [
    ("qubit[2] q; angle[3] a = 0; uint[2] n = 0; x q[0]; measure q[0] -> a[2]; n[0] = measure q[1]; n += 2;", "10 100"),
    (
        "qubit[3] q; bit[3] c; x q[0]; c = measure q; uint[3] n = c; if (c[0] && n + 2 == 3) x q[1]; c = measure q;",
        "011",
    ),
    ("qubit[2] q; bit[2] c; x q[0]; c[0] = measure q[0]; if (c[0] == 1) x q[1]; c[1] = measure q[1];", "11"),
    ("qubit[2] q; bit c; x q[0]; c = measure q[0]; if (c == 1) x q[1]; bit d; d = measure q[1];", "1 1"),
    ("qubit[3] q; bit[3] c; x q[0]; c = measure q; if (c > 0) x q[2]; if (c == -1) x q[1]; c = measure q;", "101"),
    ("qubit[3] q; bit[3] c; x q[0]; c = measure q; if (c >= 2 || c[0] && !c[1]) x q[2]; c = measure q;", "101"),
    ("qubit[2] q; bit[2] c; x q[0]; c = measure q; c = c << 1;", "10"),
    ("qubit[3] q; bit[3] c; x q[0]; c = measure q; c = rotl(c, 2);", "100"),
    ("qubit[3] q; bit[3] c; x q[0]; c = measure q; c[0:1] = c[1:-1:0];", "010"),
    ("qubit[3] q; bit[3] c; x q; c = measure q; uint[3] n = popcount(c); bit[3] d = bit[3](n);", "011 111"),
    ('qubit[2] q; bit[2] c; x q[0]; c = measure q; bit[2] d = c ^ "11"; bit[2] e = ~c | d;', "10 10 01"),
    (
        "qubit[3] q; bit[3] c; x q[0]; x q[2]; c = measure q; uint[3] n = c; "
        "n += 4; bit[3] d = bit[3](n); n *= 3; bit[3] e = bit[3](n);",
        "011 001 101",
    ),
    (
        "qubit[3] q; bit[3] c; x q[0]; x q[2]; c = measure q; uint[3] n = c; "
        "bit[3] d = bit[3](n - 6); bit[3] e = bit[3](n / 2); bit[3] f = bit[3](n % 4);",
        "001 010 111 101",
    ),
    (
        "qubit[3] q; bit[3] c; x q[2]; c = measure q; int[3] n = int[3](c); "
        "bit d = n < 0; bit e = -n == n; bit f = n > -4;",
        "0 1 1 100",
    ),
    (
        "int[32] n = 0; bit[2] c; qubit[2] q; x q[0]; c = measure q; "
        "n += int[32](c[0]); n += 2; if (n == 3) x q[1]; c = measure q;",
        "11",
    ),
    (
        "bit[2] c; qubit[2] q; x q[0]; c = measure q; int k = 1; "
        "if (c[0]) { k = 5; } else { k = 7; } if (k == 5) x q[1]; c = measure q;",
        "11",
    ),
    (
        "qubit[2] q; bit[2] c; bit f; x q[1]; f = measure q[1]; uint[4] n = 0; "
        "while (n < 5 && f) { n += 1; x q[0]; f = measure q[1]; } c = measure q;",
        "1 11",
    ),
    (
        "qubit[2] q; bit[2] c; bit f; x q[1]; f = measure q[1]; uint[4] n = 0; "
        "while (f) { n += 3; x q[0]; if (n == 15) { break; } } c = measure q;",
        "1 11",
    ),
    (
        "qubit[2] q; bit[2] c; x q[0]; while (true) { c[0] = measure q[0]; "
        "if (c[0]) { break; } x q[1]; } c[1] = measure q[1];",
        "01",
    ),
    (
        "qubit[2] q; bit[2] c; bit f; x q; f = measure q[1]; uint[3] n = 0; while (f) { n += 1; "
        "if (n == 2) { continue; } if (n == 5) { f = 0; } x q[0]; } c = measure q;",
        "0 11",
    ),
    (
        'bit[2] flags = "11"; qubit[2] q; bit c; x q[0]; '
        "while (flags != 0) { flags = measure q; x q[0]; } c = measure q[0];",
        "1 00",
    ),
    (
        "qubit[2] q; bit[2] c; x q; c = measure q; switch (c) { case 1, 3 { x q[0]; "
        "} case 2 { x q[1]; } default { } } c = measure q;",
        "10",
    ),
    (
        "qubit[2] q; bit[2] c; x q[1]; c = measure q; "
        "switch (c) { case 1, 3 { x q[0]; } default { x q; } } c = measure q;",
        "01",
    ),
    ("def f(qubit a) -> bit { h a; h a; x a; return measure a; } qubit q; bit c; c = f(q);", "1"),
    ("def f(qubit a) -> bit { return measure a; } qubit[2] q; bit c; x q[0]; c = f(q[0]) ^ f(q[1]);", "1"),
    (
        "def f(qubit[2] a) -> bit[2] { bit[2] r; r = measure a; return r; } qubit[2] q; bit[2] c; x q[0]; c = f(q);",
        "01",
    ),
    (
        "def f(qubit a, bit b) -> bit { bit r; r = measure a; if (b) { r = !r; "
        "} return r; } qubit q; bit c = 1; bit d; x q; d = measure q; c = f(q, d);",
        "1 0",
    ),
    (
        "qubit[2] q; bit[2] c; bit b; for int i in [0:3] { x q[0]; "
        "b = measure q[0]; if (b) { x q[1]; } } c = measure q;",
        "0 00",
    ),
    (
        "qubit[4] r; bit[4] m; qubit q; bit d; x r[3]; m = measure r; "
        "angle[4] a = angle[4](m); h q; p(a) q; h q; d = measure q;",
        "1 1000",
    ),
    (
        "qubit q; qubit r; bit c; bit d; x q; measure q; c = measure q; bool b = measure q; if (b) x r; d = measure r;",
        "1 1",
    ),
    ("qubit[3] q; bit[3] c; x q[1]; c = measure q; for bit b in c { if (b) x q[0]; } c = measure q;", "011"),
    ("qubit[2] q; bit[2] c; x q; c[0] = measure q[0]; c[0] = 0; c[1] = measure q[1];", "10"),
]


@pytest.mark.parametrize(("text", "outcome"), KNOWN)
def test_what_is_known_is_computed_when_the_program_is_read(text, outcome):
    assert counts(openqasm3(text), shots=5) == {outcome: 5}


@pytest.mark.parametrize(("text", "outcome"), MEASURED)
def test_what_depends_on_measurements_is_computed_while_the_circuit_runs(text, outcome):
    assert counts(openqasm3(text), shots=5) == {outcome: 5}


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize(("text", "outcome"), MEASURED[17:23])
def test_computing_while_the_circuit_runs_survives_every_level_of_optimization(text, outcome, level):
    assert counts(openqasm3(text), shots=3, options={"optimization_level": level}) == {outcome: 3}
