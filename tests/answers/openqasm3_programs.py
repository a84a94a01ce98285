"""Programs that OpenQASM 3 allows, written by its grammar. Each uses a few of the language's features."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from answers.examining import Program
from answers.openqasm3_expressions import FEATURES, LIBRARY
from answers.openqasm3_statements import Statements
from answers.pen import Pen

JUDGES = ("mqt", "braket", "pyqasm")


@dataclass(slots=True)
class Writer(Statements):
    """Writes one program."""

    def program(self) -> Program:
        """The whole of it."""
        pen = self.pen
        self.features = set(pen.some(FEATURES, pen.number(1, 4)))
        self.measures = pen.chance(78)
        self.only_flips = self.measures and pen.chance(40)
        self.gates = dict(LIBRARY)
        pen.taken |= set(LIBRARY) | {"f", "g", "i", "j", "k"}
        lines = self.declarations()
        for _ in range(pen.number(0, 7)):
            lines += self.statement()
        if self.measures:
            lines += self._measurements()
        version = pen.one(["OPENQASM 3.0;", "OPENQASM 3.0;", "OPENQASM 3;"])
        num_qubits = sum(self.qubits.values()) + len(self.single_qubits)
        return Program(
            language="openqasm3",
            source="\n".join([version, 'include "stdgates.inc";', *lines]),
            judges=JUDGES,
            num_qubits=None if self.measures else num_qubits,
        )

    def _measurements(self) -> list[str]:
        pen, lines = self.pen, []
        wholes = [(bits, qubits) for bits, n in self.bits.items() for qubits, m in self.qubits.items() if n == m]
        if wholes and pen.chance(50):
            lines.append(self._measured(*pen.one(wholes)))
        wide = [name for name in self.bits if self.bits[name] > 1]
        if "ranges" in self.features and wide and self.qubits:
            lines += self._slices(pen.one(wide))
        bits = pen.some(self.all_bits(), max(1, len(self.all_bits()) - pen.number(0, 2)))
        return lines + [
            self._measured(bit, pen.one(self.some_qubits())) for bit in bits if pen.chance(70) or bit == bits[0]
        ]

    def _slices(self, bits: str) -> list[str]:
        qubits = self.pen.one(list(self.qubits))
        places, text = self.range(self.bits[bits])
        if len(places) != self.qubits[qubits]:
            return []
        return [f"{bits}[{text}] = measure {qubits};"]


@st.composite
def programs(draw) -> Program:
    """One program; about a quarter measures nothing and is for the estimator."""
    return Writer(Pen(draw)).program()
