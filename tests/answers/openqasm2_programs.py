"""Programs that OpenQASM 2 allows, written by its grammar."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hypothesis import strategies as st

from answers.examining import Program
from answers.pen import Pen

JUDGES = ("mqt", "braket", "pyqasm")

LIBRARY = {  # qelib1.inc as the paper on OpenQASM 2 prints it: qubits and angles by name
    "x": (1, 0), "h": (1, 0), "cx": (2, 0), "id": (1, 0), "y": (1, 0), "z": (1, 0), "s": (1, 0), "sdg": (1, 0),
    "t": (1, 0), "tdg": (1, 0), "rx": (1, 1), "ry": (1, 1), "rz": (1, 1), "u1": (1, 1), "u2": (1, 2), "u3": (1, 3),
    "cz": (2, 0), "cy": (2, 0), "ch": (2, 0), "ccx": (3, 0), "crz": (2, 1), "cu1": (2, 1), "cu3": (2, 3),
}  # fmt: skip
LONGER_LIBRARY = {  # what Qiskit's file of that name has as well
    "sx": (1, 0), "p": (1, 1), "u": (1, 3), "swap": (2, 0), "cp": (2, 1), "crx": (2, 1), "cry": (2, 1), "rzz": (2, 1),
    "cswap": (3, 0), "rxx": (2, 1), "sxdg": (1, 0), "csx": (2, 0), "cu": (2, 4),
}  # fmt: skip
BUILT_IN = {"U": (1, 3), "CX": (2, 0)}
FLIPS = ("x", "cx", "ccx", "id", "CX", "swap", "cswap")

OWN_NAMES = {  # qubits and angles of the gate that Qiskit's reader, or a simulator, knows by that name
    "foo": (1, 0), "bar": (2, 1), "swap": (2, 0), "cp": (2, 1), "p": (1, 1), "u": (1, 3), "u0": (1, 1), "sx": (1, 0),
    "sxdg": (1, 0), "rxx": (2, 1), "rzz": (2, 1), "rccx": (3, 0), "rc3x": (4, 0), "c3x": (4, 0), "c3sqrtx": (4, 0),
    "c4x": (5, 0), "csx": (2, 0), "cu": (2, 4), "crx": (2, 1), "cry": (2, 1), "cswap": (3, 0), "delay": (1, 1),
    "ecr": (2, 0), "iswap": (2, 0), "dcx": (2, 0), "r": (1, 2), "ryy": (2, 1), "rzx": (2, 1), "ms": (2, 1),
    "mcx": (3, 0), "unitary": (1, 0), "gphase": (1, 1), "initialize": (1, 0), "snapshot": (1, 0), "kraus": (1, 0),
    "my_H": (1, 0), "set_state": (1, 0), "aB_9": (3, 2),
}  # fmt: skip
SAME_SIGNATURE = 60
"""Percent of the re-declared names that have as many qubits and angles as the gate that is known by that name."""
WHOLE = re.compile(r"==\s*\d+|\[\d+\]|[A-Za-z_]\w*|\d*\.\d+|\d+e-?\d+|\d+")
BARRIER = re.compile(r"\bbarrier [^;]*;")

QUBIT_NAMES = ["q", "a", "anc", "q1", "x_", "in_", "theta0"]
BIT_NAMES = ["c", "m", "out", "c1", "syn_", "meas", "cC"]


@dataclass(slots=True)
class _Writer:
    pen: Pen
    included: bool = False
    library: set[str] = field(default_factory=set)
    gates: dict[str, tuple[int, int]] = field(default_factory=dict)
    qubits: dict[str, int] = field(default_factory=dict)
    bits: dict[str, int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    measures: bool = True
    only_flips: bool = False

    def program(self) -> Program:
        pen = self.pen
        self.measures = pen.chance(75) or not pen.chance(90)
        self.only_flips = self.measures and pen.chance(35)
        self.included = not pen.chance(10)
        known = {} if not self.included else LIBRARY if pen.chance(50) else {**LIBRARY, **LONGER_LIBRARY}
        self.library = set(known)
        self.gates = {**BUILT_IN, **known}
        self.pen.taken |= set(self.gates)
        self._declarations()
        for _ in range(pen.number(0, 9)):
            self.lines.append(self._statement())
        if self.measures:
            self.lines += self._measurements()
        head = ["OPENQASM 2.0;"] + ['include "qelib1.inc";'] * self.included
        for_judges = "\n".join([*head, *self._for_judges()])
        return Program(
            language="openqasm2",
            source="\n".join([*head, *self.lines]),
            for_judges=for_judges,
            judges=JUDGES,
            num_qubits=None if self.measures else sum(self.qubits.values()),
        )

    def _for_judges(self) -> list[str]:
        """The lines without what means nothing and trips judges up.

        A gate of the program's own has a name that no judge knows; opaque gates, which are never applied, and barriers
        are left out; empty brackets, too. Whole numbers in angles become real ones: `1/2` is a half in OpenQASM 2, and
        judges that also read OpenQASM 3 make nothing of it.
        """
        own = [name for name in OWN_NAMES if name in self.gates and name not in self._foreign()]
        renamed = {name: f"own{place}_" for place, name in enumerate(own)}
        word = re.compile(rf"\b({'|'.join(own)})\b") if own else re.compile("(?!)")
        lines = [line for line in self.lines if not line.startswith(("opaque", "barrier"))]
        plain = [WHOLE.sub(_as_real, BARRIER.sub("", line).replace("()", "")) for line in lines]
        return [word.sub(lambda found: renamed[found[0]], line) for line in plain]

    def _declarations(self) -> None:
        pen = self.pen
        kinds = ["qreg"] * pen.number(1, 2) + ["creg"] * (pen.number(1, 3) if self.measures else 0)
        kinds += ["gate"] * pen.number(0, 3) + ["opaque"] * pen.number(0, 2)
        for kind in pen.some(kinds, len(kinds)):
            getattr(self, f"_{kind}")()

    def _qreg(self) -> None:
        name = self.pen.fresh(QUBIT_NAMES)
        self.qubits[name] = self.pen.number(1, 3)
        self.lines.append(f"qreg {name}[{self.qubits[name]}];")

    def _creg(self) -> None:
        name = self.pen.fresh(BIT_NAMES)
        self.bits[name] = self.pen.number(1, 3)
        self.lines.append(f"creg {name}[{self.bits[name]}];")

    def _signature(self, name: str) -> tuple[list[str], list[str]]:
        """Names of angles and qubits."""
        width, num_angles = OWN_NAMES[name]
        if not self.pen.chance(SAME_SIGNATURE):
            width, num_angles = self.pen.number(1, 3), self.pen.number(0, 2)
        return ["theta", "l", "a0", "b_"][:num_angles], ["w", "v", "z0", "y1", "u9"][:width]

    def _opaque(self) -> None:
        name = self.pen.fresh(list(OWN_NAMES))
        angles, qubits = self._signature(name)
        brackets = f"({', '.join(angles)})" if angles else self.pen.one(["", "", "()"])
        self.lines.append(f"opaque {name}{brackets} {', '.join(qubits)};")

    def _gate(self) -> None:
        pen = self.pen
        name = pen.fresh(list(OWN_NAMES))
        angles, qubits = self._signature(name)
        calls = [] if self.only_flips else angles
        body = [
            self._call(self._known(len(qubits)), pen.some(qubits, len(qubits)), calls) for _ in range(pen.number(0, 3))
        ]
        if len(qubits) > 1 and pen.chance(10):
            body.append(f"barrier {', '.join(qubits)};")
        brackets = f"({', '.join(angles)})" if angles else pen.one(["", "", "()"])
        self.lines.append(f"gate {name}{brackets} {', '.join(qubits)} {{ {' '.join(body)} }}")
        self.gates[name] = (len(qubits), len(angles))

    def _known(self, width: int) -> str:
        """The name of a gate on at most so many qubits."""
        fitting = [
            name
            for name, (wanted, _) in self.gates.items()
            if wanted <= width and (not self.only_flips or name in FLIPS or name not in self._foreign())
        ]
        return self.pen.one(fitting or ["U"])

    def _foreign(self) -> set[str]:
        return set(BUILT_IN) | self.library

    def _call(self, name: str, qubits: list[str], angles: list[str]) -> str:
        width, num_angles = self.gates[name]
        values = [self._angle(angles) for _ in range(num_angles)]
        if name == "U" and self.only_flips:
            values = ["pi", "0", "pi"]
        brackets = f"({','.join(values)})" if values else self.pen.one(["", "", "", "()"])
        return f"{name}{brackets} {', '.join(qubits[:width])};"

    def _angle(self, names: list[str], depth: int = 0) -> str:
        pen = self.pen
        plain = ["0.3", "pi/2", "-pi/4", "pi", "1.7", "2", "7e-1", ".25", "3*pi/4", *names, *names]
        if depth > 1 or not pen.chance(35):
            return pen.one(plain)
        one, other = self._angle(names, depth + 1), self._angle(names, depth + 1)
        return pen.one([f"({one}+{other})", f"{one}-({other})", f"({one})*{other}", f"-({one})", f"({one})/(2.5)",
                        f"sin({one})", f"cos({one})", f"exp(-(({one})^2))", f"sqrt(({one})^2+1)", f"ln(({one})^2+1)",
                        f"2^({one})", f"-2^2*({one})/9", f"{one}-{other}-0.2", "8/2/2", "2^3^2/512"])  # fmt: skip

    def _statement(self) -> str:
        pen = self.pen
        kind = pen.one(["gate"] * 8 + ["broadcast", "reset", "barrier"] + ["measure", "if", "if"] * self.measures)
        if kind == "reset" and not self.measures:
            kind = "gate"
        return getattr(self, f"_{kind}_statement")()

    def _gate_statement(self) -> str:
        name = self._known(len(self._all_qubits()))
        return self._call(name, self.pen.some(self._all_qubits(), len(self._all_qubits())), [])

    def _broadcast_statement(self) -> str:
        """Whole registers of one size, or single qubits of others, in each place of a gate."""
        pen = self.pen
        register = pen.one(list(self.qubits))
        others = [f"{name}[{place}]" for name, size in self.qubits.items() if name != register for place in range(size)]
        same = [name for name, size in self.qubits.items() if size == self.qubits[register] and name != register]
        places = [register, *pen.some(same, min(len(same), pen.number(0, 1)))]
        used = set(places)
        places += pen.some([each for each in others if each.split("[")[0] not in used], 1)
        places = pen.some(places, len(places))
        return self._call(self._known(len(places)), places, [])

    def _reset_statement(self) -> str:
        return f"reset {self.pen.one([*self._all_qubits(), *self.qubits])};"

    def _barrier_statement(self) -> str:
        return f"barrier {', '.join(self.pen.some([*self.qubits], 1))};"

    def _measure_statement(self) -> str:
        pen = self.pen
        wholes = [(one, other) for one, size in self.qubits.items() for other, n in self.bits.items() if n == size]
        if wholes and pen.chance(25):
            return "measure {} -> {};".format(*pen.one(wholes))
        return f"measure {pen.one(self._all_qubits())} -> {pen.one(self._all_bits())};"

    def _if_statement(self) -> str:
        pen = self.pen
        name = pen.one(list(self.bits))
        inner = getattr(self, f"_{pen.one(['gate', 'gate', 'gate', 'broadcast', 'measure', 'reset'])}_statement")()
        space = pen.one(["", " "])
        return f"if{space}({name}{space}=={space}{pen.number(0, 2 ** self.bits[name] - 1)}) {inner}"

    def _measurements(self) -> list[str]:
        pen = self.pen
        bits = pen.some(self._all_bits(), max(1, len(self._all_bits()) - pen.number(0, 1)))
        return [f"measure {pen.one(self._all_qubits())} -> {bit};" for bit in bits]

    def _all_qubits(self) -> list[str]:
        return [f"{name}[{place}]" for name, size in self.qubits.items() for place in range(size)]

    def _all_bits(self) -> list[str]:
        return [f"{name}[{place}]" for name, size in self.bits.items() for place in range(size)]


def _as_real(found: re.Match[str]) -> str:
    return f"{found[0]}.0" if found[0].isdecimal() else found[0]


@st.composite
def programs(draw) -> Program:
    """One program; about a quarter measures nothing and is for the estimator."""
    return _Writer(Pen(draw)).program()
