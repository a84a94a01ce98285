"""The words of OpenQASM 3 programs: names, places in registers, ranges and angles, each in many ways to write it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from answers.pen import Pen

LIBRARY = {  # stdgates.inc: qubits and angles by name
    "x": (1, 0), "h": (1, 0), "cx": (2, 0), "y": (1, 0), "z": (1, 0), "s": (1, 0), "sdg": (1, 0), "t": (1, 0),
    "tdg": (1, 0), "sx": (1, 0), "id": (1, 0), "rx": (1, 1), "ry": (1, 1), "rz": (1, 1), "p": (1, 1), "cz": (2, 0),
    "cy": (2, 0), "ch": (2, 0), "swap": (2, 0), "ccx": (3, 0), "cswap": (3, 0), "cp": (2, 1), "crx": (2, 1),
    "cry": (2, 1), "crz": (2, 1), "cu": (2, 4), "u1": (1, 1), "u2": (1, 2), "u3": (1, 3), "CX": (2, 0),
    "phase": (1, 1), "cphase": (2, 1), "U": (1, 3),
}  # fmt: skip
FLIPS = ("x", "cx", "ccx", "id", "CX", "swap", "cswap")
SAFE_TO_CONTROL = ("x", "h", "y", "z", "s", "t", "sx", "rx", "ry", "rz", "p", "cx", "swap", "U")
"""Not u2 and u3: the specification gives them a phase that nearly all software leaves out, and a control shows it."""

FEATURES = (
    "ranges", "negative", "sets", "modifiers", "gates", "loops", "constants", "bit conditions", "register conditions",
    "nested", "subroutines", "aliases", "variables", "assigned bits", "old registers", "single bits", "reset",
    "functions", "while", "constant conditions", "mid-circuit", "casts", "logic", "initial bits", "switch",
)  # fmt: skip

QUBIT_NAMES = ["q", "a", "anc", "Q", "_x", "θ0", "in_"]
BIT_NAMES = ["c", "m", "out", "c1", "Syn", "_b"]
GATE_NAMES = ["foo", "bar", "my_h", "cnot", "ecr", "iswap", "rzz", "unitary", "delay_", "mcx", "u0", "r"]


@dataclass(slots=True)
class Known:
    """An expression whose value is known when the program is read.

    Attributes:
        text: As it is written.
        values: In each round of the loop that it belongs to; one value if it is a constant.
    """

    text: str
    values: tuple[int, ...]

    def shifted(self) -> list[tuple[str, list[int]]]:
        """Expressions of it with their values."""
        return [
            (self.text, list(self.values)),
            (f"{self.text} + 1", [value + 1 for value in self.values]),
            (f"{self.text}-1", [value - 1 for value in self.values]),
            (f"2 - {self.text}", [2 - value for value in self.values]),
            (f"2*{self.text}", [2 * value for value in self.values]),
            (f"({self.text} + 4) % 2", [(value + 4) % 2 for value in self.values]),
        ]


@dataclass(slots=True)
class Expressions:
    """Knows what is declared so far, and writes what refers to it."""

    pen: Pen
    features: set[str] = field(default_factory=set)
    gates: dict[str, tuple[int, int]] = field(default_factory=dict)
    qubits: dict[str, int] = field(default_factory=dict)
    single_qubits: list[str] = field(default_factory=list)
    aliases: dict[str, int] = field(default_factory=dict)
    bits: dict[str, int] = field(default_factory=dict)
    single_bits: list[str] = field(default_factory=list)
    known: list[Known] = field(default_factory=list)
    floats: list[str] = field(default_factory=list)
    integers: list[str] = field(default_factory=list)
    subroutines: dict[str, tuple[int, bool]] = field(default_factory=dict)
    measures: bool = True
    only_flips: bool = False
    depth: int = 0
    dynamic: bool = False

    def gate_name(self, width: int, *, at_least: int = 1) -> str:
        """Of a gate on at most so many qubits."""
        own = [name for name in self.gates if name not in LIBRARY]
        names = [*FLIPS, *own] if self.only_flips else [*LIBRARY, *own, *own]
        fitting = [name for name in names if at_least <= self.gates[name][0] <= width]
        return self.pen.one(fitting)

    def some_qubits(self) -> list[str]:
        """All qubits, each once, in any order; indices are written in any way that means them."""
        each = [(name, place) for name, size in self.qubits.items() for place in range(size)]
        each += [(name, None) for name in self.single_qubits]
        return [
            name if place is None else f"{name}[{self.index(place, self.qubits[name])}]"
            for name, place in self.pen.some(each, len(each))
        ]

    def all_bits(self) -> list[str]:
        """All bits, each once."""
        return [f"{name}[{place}]" for name, size in self.bits.items() for place in range(size)] + self.single_bits

    def index(self, place: int, size: int) -> str:
        """A way to write a place in a register."""
        pen = self.pen
        forms = [str(place)]
        if "negative" in self.features:
            forms.append(str(place - size))
        forms += [each.text for each in self.known if set(each.values) == {place}]
        forms += [
            f"{each.text} - {each.values[0] - place}"
            for each in self.known
            if len(set(each.values)) == 1 and each.values[0] > place
        ]
        return pen.one(forms)

    def range(self, size: int) -> tuple[list[int], str]:
        """Places in a register, and a way to write them."""
        pen = self.pen
        if "sets" in self.features and pen.chance(50):
            places = pen.some(list(range(size)), pen.number(1, size))
            return places, "{" + ", ".join(self.index(place, size) for place in places) + "}"
        first, last = pen.number(0, size - 1), pen.number(0, size - 1)
        step = pen.one([1, 2]) * (1 if first <= last else -1)
        places = list(range(first, last + (1 if step > 0 else -1), step))
        head = "" if first == 0 and step == 1 and pen.chance(20) else self.index(first, size)
        tail = "" if last == size - 1 and step == 1 and pen.chance(20) else self.index(last, size)
        if step == 1 and not pen.chance(15):
            return places, f"{head}:{tail}"
        return places, f"{head or 0}:{step}:{tail or size - 1}"

    def integer(self) -> Known:
        """A whole number that is known when the program is read."""
        pen = self.pen
        value = pen.number(0, 4)
        return pen.one([Known(str(value), (value,)), *self.known])

    def angle(self, names: Sequence[str] = (), depth: int = 0) -> str:
        """A number of any kind as an angle."""
        pen = self.pen
        plain = ["0.3", "pi/2", "-pi/4", "pi", "1.7", "2", "7e-1", "π/3", "3*pi/4", "tau/8", "euler/3"]
        plain += [*names, *names, *self.floats]
        if "loops" in self.features:
            plain += [f"{each.text}*pi/4" for each in self.known] + [f"pi/({each.text}+2.5)" for each in self.known]
        if depth > 1 or not pen.chance(30):
            return pen.one(plain)
        one, other = self.angle(names, depth + 1), self.angle(names, depth + 1)
        forms = [f"({one}+{other})", f"{one}-({other})", f"({one})*{other}", f"-({one})", f"({one})/2.5"]
        if "functions" in self.features:
            forms += [
                ".5", "1_0.5", "1.5e+0", "0x1F", "0b11", "0o7", f"sin({one})", f"cos({one})", f"exp(-({one}))",
                f"sqrt(({one})*({one})+1)", f"log(({one})*({one})+1.5)", f"arctan({one})", f"arccos(0.3)*{one}",
                f"2.0**({one})", f"tan(0.2)*({one})", f"mod(7, 4)*({one})", f"floor(2.6)*({one})",
                f"ceiling(1.2)*({one})", f"-2**2*({one})", f"7%4*({one})",
            ]  # fmt: skip
        return pen.one(forms)


def call(name: str, values: Sequence[str], qubits: Sequence[str]) -> str:
    return f"{name}{'(' + ', '.join(values) + ')' if values else ''} {', '.join(qubits)};"
