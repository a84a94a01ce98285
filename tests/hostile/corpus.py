"""Programs that were written to hang, crash, fill or read the machine that runs them."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from qdepot.quantum.qpy_file import NEWEST_VERSION

HEAD2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
HEAD3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
BELL2 = HEAD2 + "qreg q[2];\ncreg c[2];\nh q[0];\ncx q[0],q[1];\nmeasure q -> c;\n"
BELL3 = HEAD3 + "qubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0], q[1];\nc = measure q;\n"


@dataclass(frozen=True)
class Hostile:
    """One program.

    Attributes:
        name: What it tries.
        format: As requests name it.
        source: Its bytes.
        may_run: It asks for nothing that is out of bounds, so that a right result is a right answer too.
        changes: To the program it is part of.
    """

    name: str
    format: str
    source: bytes
    may_run: bool = False
    changes: tuple[tuple[str, object], ...] = ()


def _two(name: str, text: str, *, may_run: bool = False, **changes: object) -> Hostile:
    return Hostile(name, "openqasm2", text.encode(), may_run, tuple(changes.items()))


def _three(name: str, text: str, *, may_run: bool = False, **changes: object) -> Hostile:
    return Hostile(name, "openqasm3", text.encode(), may_run, tuple(changes.items()))


def _measured2(body: str, *, before: str = "") -> str:
    """With one qubit ``q``, and one bit ``c`` for its outcome."""
    return f"{HEAD2}{before}qreg q[1];\ncreg c[1];\n{body}\nmeasure q -> c;"


def _measured3(body: str, *, before: str = "") -> str:
    """With one qubit ``q``, and one bit ``c`` for its outcome."""
    return f"{HEAD3}{before}qubit[1] q;\nbit[1] c;\n{body}\nc = measure q;"


def texts() -> Iterator[Hostile]:
    """OpenQASM."""
    yield from _files()
    yield from _explosions()
    yield from _sizes()
    yield from _depths()
    yield from _loops()
    yield from _words()


def _files() -> Iterator[Hostile]:
    for path in ("/etc/passwd", "../../../../etc/passwd", "/proc/self/environ", "/dev/zero", "/dev/stdin", "."):
        yield _two(f"include {path}", f'OPENQASM 2.0;\ninclude "{path}";\nqreg q[1];')
        yield _three(f"include {path}", f'OPENQASM 3.0;\ninclude "{path}";\nqubit q;')
    yield _three("include hidden by a comment", 'OPENQASM 3.0;\ninclude /* x */ "/etc/passwd";\nqubit q;')
    yield _two("include hidden by a comment", 'OPENQASM 2.0;\ninclude // x\n"/etc/passwd";\nqreg q[1];')
    yield _three("include in a block", 'OPENQASM 3.0;\nqubit q;\nif (true) { include "/etc/passwd"; }')
    yield _three("defcalgrammar and cal", 'OPENQASM 3.0;\ndefcalgrammar "/etc/passwd";\ncal { x }\nqubit q;')
    yield _three(
        "pragma and annotation", 'OPENQASM 3.0;\npragma include "/etc/passwd"\n@include "/etc/passwd"\nqubit q;'
    )


def _explosions() -> Iterator[Hostile]:
    gates = "gate g0 a { x a; }\n" + "".join(f"gate g{n} a {{ g{n - 1} a; g{n - 1} a; }}\n" for n in range(1, 41))
    yield _two("2^40 gates", _measured2("g40 q[0];", before=gates))
    yield _three("2^40 gates", _measured3("g40 q[0];", before=gates))
    for power in ("1000000000000", "0.0000001", "1e300", "-1000000000"):
        yield _three(f"pow({power})", _measured3(f"pow({power}) @ " * 3 + "x q[0];"), may_run=True)
    yield _three("pow(2) 60 times", _measured3(f"{'pow(2) @ ' * 60}x q[0];"), may_run=True)
    yield _three("30 controls", f"{HEAD3}qubit[31] q;\nbit[1] c;\nctrl(30) @ x q;\nc[0] = measure q[0];", may_run=True)
    yield _three(
        "10^9 controls", f"{HEAD3}qubit[2] q;\nbit[1] c;\nctrl(1000000000) @ x q[0], q[1];\nc[0] = measure q[0];"
    )
    yield _three(
        "controls of controls of 2^20 gates",
        f"{HEAD3}gate g0 a {{ rx(0.1) a; }}\n"
        + "".join(f"gate g{n} a {{ g{n - 1} a; g{n - 1} a; }}\n" for n in range(1, 21))
        + "qubit[6] q;\nbit[1] c;\nctrl @ ctrl @ ctrl @ ctrl @ ctrl @ g20 q[0], q[1], q[2], q[3], q[4], q[5];\n"
        "c[0] = measure q[0];",
    )
    itself = "gate g a { g a; }\n"
    yield _three("a gate that calls itself", _measured3("g q[0];", before=itself))
    yield _two("a gate that calls itself", _measured2("g q[0];", before=itself))
    doubling = "gate g0(t) a { rx(t) a; }\n"
    doubling += "".join(f"gate g{n}(t) a {{ g{n - 1}((t)*(t)) a; }}\n" for n in range(1, 41))
    inputs = "input angle[32] t;\n"
    yield _three("a parameter that doubles 40 times", _measured3("g40(t) q[0];", before=doubling + inputs))
    yield _two("a parameter that doubles 40 times", _measured2("g40(1.0000001) q[0];", before=doubling), may_run=True)


def _sizes() -> Iterator[Hostile]:
    for size in ("1000000000", "4294967296", "18446744073709551616", "9" * 5000, "10001"):
        yield _two(f"qreg of {size[:12]}", f"OPENQASM 2.0;\nqreg q[{size}];\ncreg c[1];\nmeasure q[0] -> c[0];")
        yield _three(f"qubits: {size[:12]}", f"OPENQASM 3.0;\nqubit[{size}] q;\nbit[1] c;\nc[0] = measure q[0];")
    yield _two("a creg of 10^9", "OPENQASM 2.0;\nqreg q[1];\ncreg c[1000000000];\nmeasure q[0] -> c[0];")
    yield _three("2^62 as an expression", "OPENQASM 3.0;\nqubit[2**62] q;\nbit[1] c;\nc[0] = measure q[0];")
    yield _three(
        "a constant of 10^9", "OPENQASM 3.0;\nconst uint n = 1000000000;\nqubit[n] q;\nbit[1] c;\nc[0] = measure q[0];"
    )
    yield _three("hexadecimal size", "OPENQASM 3.0;\nqubit[0xFFFFFFFFF] q;\nbit[1] c;\nc[0] = measure q[0];")
    yield _three("size with underscores", "OPENQASM 3.0;\nqubit[1_000_000_000] q;\nbit[1] c;\nc[0] = measure q[0];")
    yield _three("hardware qubit 10^9", "OPENQASM 3.0;\nbit[1] c;\nU(0,0,0) $1000000000;\nc[0] = measure $0;")
    yield _three("9,000 registers of 9,000", HEAD3 + "".join(f"qubit[9000] q{n};\n" for n in range(9000)))
    yield _two(
        "a wide barrier 20,000 times",
        HEAD2 + "qreg q[1000];\ncreg c[1];\n" + "barrier q;\n" * 20_000 + "measure q[0] -> c[0];",
        may_run=True,
    )
    yield _two("a million gates", HEAD2 + "qreg q[1];\ncreg c[1];\n" + "x q[0];\n" * 1_000_001 + "measure q -> c;")
    yield _two(
        "34 qubits, entangled",
        HEAD2 + "qreg q[34];\ncreg c[34];\n" + "".join(f"h q[{n}];t q[{n}];" for n in range(34)) + "measure q -> c;",
        options_method="statevector",
    )
    yield _two("10^9 shots", BELL2, shots=10**9)
    yield _two("10^18 shots", BELL2, shots=10**18)


def _depths() -> Iterator[Hostile]:
    for depth in (60, 2_000, 100_000):
        deep = "(" * depth + "0.5" + ")" * depth
        yield _two(f"{depth} parentheses", _measured2(f"rx({deep}) q[0];"), may_run=depth == 60)
        yield _three(f"{depth} parentheses", _measured3(f"rx({deep}) q[0];"), may_run=depth == 60)
        braces = "if (true) {" * depth + "x q[0];" + "}" * depth
        yield _three(f"{depth} braces", _measured3(braces), may_run=depth == 60)
        signs = "-" * depth + "0.5"
        yield _two(f"{depth} signs", _measured2(f"rx({signs}) q[0];"), may_run=True)
        yield _three(f"{depth} signs", _measured3(f"rx({signs}) q[0];"), may_run=True)
    yield _three("50,000 ifs without braces", _measured3(f"{'if (true) ' * 50_000}x q[0];"))
    yield _three(
        "50,000 else ifs", f"{HEAD3}qubit[1] q;\nbit[1] c;\nif (c[0]) x q[0];" + " else if (c[0]) x q[0];" * 50_000
    )
    yield _two("50,000 powers", _measured2(f"rx({'2^' * 50_000}2) q[0];"), may_run=True)
    yield _three("50,000 powers", _measured3(f"rx({'2**' * 50_000}2) q[0];"), may_run=True)
    yield _three("a power tower of integers", _measured3("rx(9**9**9**9**9) q[0];"), may_run=True)
    yield _three("a sum of 100,000 terms", _measured3(f"rx({'1+' * 100_000}1) q[0];"), may_run=True)
    yield _three("nested calls of functions", _measured3(f"rx({'sin(' * 100_000}1{')' * 100_000}) q[0];"))
    yield _three("a shift by 10^9", _measured3("rx(n) q[0];", before="const int n = 1 << 1000000000;\n"), may_run=True)
    yield _three("an array literal, 50,000 deep", f"OPENQASM 3.0;\narray[int, 1] a = {'{' * 50_000}1{'}' * 50_000};")
    yield _three("modifiers, 50,000 deep", _measured3(f"{'inv @ ' * 50_000}x q[0];"), may_run=True)


def _loops() -> Iterator[Hostile]:
    body = "{ x q[0]; }"
    for span in ("0:1000000", "0:1000000000000", "-9223372036854775808:9223372036854775807", "0:0:10"):
        yield _three(f"for in {span}", _measured3(f"for int i in [{span}] {body}"))
    nested = "for int i in [0:99] { " * 12
    yield _three("100^12 loops", _measured3(f"{nested}x q[0];{' }' * 12}"))
    yield _three("while (true)", _measured3(f"while (true) {body}"))
    yield _three("while a bit is 0", f"{HEAD3}qubit[1] q;\nbit[1] c;\nwhile (!c[0]) {{ c[0] = measure q[0]; }}")
    yield _three(
        "a while loop in a while loop",
        f"{HEAD3}qubit[1] q;\nbit[1] c;\nwhile (!c[0]) {{ while (!c[0]) {{ reset q[0]; c[0] = measure q[0]; }} }}",
    )
    yield _three("def that calls itself", _measured3("f(q[0]);", before="def f(qubit a) { f(a); }\n"))
    yield _three("a delay of 10^300 years", _measured3("delay[1e300s] q[0];"), may_run=True)


def _words() -> Iterator[Hostile]:
    yield _two("a name of 10 MB", HEAD2 + f"qreg {'q' * 10_000_000}[1];")
    yield _three(
        "a name of 1 MB",
        HEAD3 + f"qubit[1] {'q' * 1_000_000};\nbit[1] c;\nc[0] = measure {'q' * 1_000_000}[0];",
        may_run=True,
    )
    yield _three("a string of 10 MB", f'OPENQASM 3.0;\ninclude "{"x" * 10_000_000}";')
    yield _three("a comment that does not end", HEAD3 + "/*" * 500_000)
    yield _three("half a million slashes", HEAD3 + "/" * 500_001 + "\nqubit q;")
    yield _two("blanks, 20 MB", HEAD2 + " " * 20_000_000)
    yield _three("newlines, 5 MB", HEAD3 + "\n" * 5_000_000)
    yield _two("quotes that do not end", HEAD2 + 'include "' * 200_000)
    yield _three("brackets without sizes", HEAD3 + "qubit[" * 200_000)
    yield _three("an integer of 100,000 digits", _measured3(f"rx({'9' * 100_000}) q[0];"), may_run=True)
    yield _three("1e999999", _measured3("rx(1e999999) q[0];"))
    yield _two("1e999999", _measured2("rx(1e999999) q[0];"))
    yield _two("a phase that is no number", _measured2("rx(0/0) q[0];"))
    yield _three("gphase(1e308 * 1e308)", f"{HEAD3}gphase(1e308 * 1e308);\nqubit[1] q;\nbit[1] c;\nc = measure q;")
    yield _three("100,000 global phases", _measured3("gphase(0.1);" * 100_000), may_run=True)
    yield _three("the version 10^1000", f"OPENQASM {'9' * 1000}.0;\nqubit q;")
    yield Hostile("NULs", "openqasm2", b"\0" * 1000)
    yield Hostile("no UTF-8", "openqasm3", b"OPENQASM 3.0;\nqubit q; // \xff\xfe\xfd")
    yield Hostile("UTF-16", "openqasm2", BELL2.encode("utf-16"))
    yield Hostile("surrogates in UTF-8", "openqasm3", b"OPENQASM 3.0;\nqubit \xed\xa0\x80;")
    yield _three("right-to-left and zero-width names", HEAD3 + "qubit[1] \u202eq\u200b;\nbit[1] c;")
    yield _three("a name out of combining characters", HEAD3 + f"qubit[1] a{chr(0x301) * 100_000};")


def files() -> Iterator[Hostile]:
    """QPY."""
    whole = qpy_of()
    header = struct.Struct("!6sBBBBQc")
    for version in (0, 1, 4, 9, 12, NEWEST_VERSION + 1, 127, 255):
        yield Hostile(f"QPY version {version}", "qpy", whole[:6] + bytes([version]) + whole[7:])
    for circuits in (0, 2, 2**32, 2**64 - 1):
        _, version, *release, _, kind = header.unpack_from(whole)
        head = header.pack(b"QISKIT", version, *release, circuits, kind)
        yield Hostile(f"{circuits} circuits", "qpy", head + whole[header.size :])
    for size in (0, 5, 20, 40, len(whole) // 2, len(whole) - 1):
        yield Hostile(f"QPY cut at {size}", "qpy", whole[:size])
    yield Hostile("a program, as QPY", "qpy", qpy_of(program_type=b"s"))
    yield Hostile(
        "a pickle",
        "qpy",
        b"\x80\x04\x95\x1d\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94.",
    )
    yield Hostile("a zip", "qpy", b"PK\x03\x04" + bytes(1000))
    yield Hostile("a gzip bomb", "qpy", _bomb())
    yield Hostile("zstd of zeros", "qpy", b"\x28\xb5\x2f\xfd\xa4\x00\xca\x9a\x3b" + bytes(100))
    for at, name in (
        (0, "name"),
        (3, "phase"),
        (5, "qubits"),
        (9, "clbits"),
        (13, "metadata"),
        (21, "registers"),
        (25, "instructions"),
        (33, "variables"),
    ):
        for value in (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"):
            start = _circuit_start(whole)
            yield Hostile(
                f"a huge count of {name} ({value.hex()})", "qpy", whole[: start + at] + value + whole[start + at + 4 :]
            )
    yield from _flipped(whole)


def _circuit_start(whole: bytes) -> int:
    """Where the header of the only circuit begins: the table of places comes before it."""
    (start,) = struct.unpack_from("!Q", whole, struct.calcsize("!6sBBBBQc") + 1)
    return int(start)


def _flipped(whole: bytes) -> Iterator[Hostile]:
    """Every so many bytes, one that is another."""
    for at in range(20, len(whole), max(1, len(whole) // 40)):
        yield Hostile(
            f"QPY with byte {at} flipped", "qpy", whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :], may_run=True
        )


def qpy_of(program_type: bytes | None = None) -> bytes:
    """A Bell circuit as a QPY file."""
    from qiskit import QuantumCircuit, qpy

    circuit = QuantumCircuit.from_qasm_str(BELL2)
    file = io.BytesIO()
    qpy.dump(circuit, file)
    whole = file.getvalue()
    if program_type is None:
        return whole
    at = struct.calcsize("!6sBBBBQ")
    return whole[:at] + program_type + whole[at + 1 :]


def _bomb() -> bytes:
    import gzip

    return gzip.compress(bytes(50_000_000))


WITH_PARAMETER = HEAD3 + "input angle[32] t;\nqubit[1] q;\nbit[1] c;\nrx(t) q[0];\nc = measure q;\n"


def parameter_values() -> Iterator[object]:
    """JSON data in place of a number for the parameter ``t``."""
    deep: object = 1.0
    for _ in range(60):
        deep = [deep]
    yield deep
    yield {"t": deep}
    yield {"t": "__import__('os').system('id')"}
    yield {"t": {"__class__": "os.system", "args": ["id"]}}
    yield {"t": "\x93NUMPY\x01\0v\0{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"}
    yield {"t": [1.0] * 100_000}
    yield {"t": [[1.0], [1.0, 2.0]]}
    yield {"t": 10**400}
    yield {"t": True, "u": 1}
    yield {"__proto__": 1.0}
    yield {"t" * 100_000: 1.0}
    yield [[]]
    yield [None]
    yield "t"
    yield 5
