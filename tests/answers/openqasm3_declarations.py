"""The declarations of OpenQASM 3 programs."""

from __future__ import annotations

from dataclasses import dataclass

from answers.openqasm3_expressions import BIT_NAMES, GATE_NAMES, QUBIT_NAMES, Expressions, Known, call


@dataclass(slots=True)
class Declarations(Expressions):
    """Declares what statements use, in any order."""

    def declarations(self) -> list[str]:
        pen, lines = self.pen, []
        if "constants" in self.features:
            for name in ("n", "size_")[: pen.number(1, 2)]:
                value = pen.number(1, 3)
                kind = pen.one(["int", "int[32]", "uint[8]", "uint"])
                text = str(value) if not self.known or not pen.chance(40) else None
                if text is None:
                    text, value = f"{self.known[0].text} + 1", self.known[0].values[0] + 1
                lines.append(f"const {kind} {name} = {text};")
                self.known.append(Known(name, (value,)))
            if not self.only_flips:
                lines.append(f"const float[64] w = {self.angle()};")
                self.floats.append("w")
        kinds = ["qubit"] * pen.number(1, 2) + ["bit"] * (pen.number(1, 3) if self.measures else 0)
        kinds += ["gate"] * (2 if "gates" in self.features else 0)
        for kind in pen.some(kinds, len(kinds)):
            lines += getattr(self, f"_{kind}")()
        if "variables" in self.features:
            lines += self._variables()
        if "aliases" in self.features:
            lines += self._alias()
        if "subroutines" in self.features:
            lines += self._subroutine()
        return lines

    def _qubit(self) -> list[str]:
        pen = self.pen
        name = pen.fresh(QUBIT_NAMES)
        if "single bits" in self.features and pen.chance(50):
            self.single_qubits.append(name)
            return [f"qubit {name};"]
        size, text = self._size()
        self.qubits[name] = size
        return [f"qreg {name}[{text}];" if "old registers" in self.features else f"qubit[{text}] {name};"]

    def _bit(self) -> list[str]:
        pen = self.pen
        name = pen.fresh(BIT_NAMES)
        if "single bits" in self.features and pen.chance(50):
            self.single_bits.append(name)
            return [f"bit {name};"]
        size, text = self._size()
        self.bits[name] = size
        if "old registers" in self.features:
            return [f"creg {name}[{text}];"]
        initial = "".join(pen.one("01") for _ in range(size)) if "initial bits" in self.features else ""
        return [f'bit[{text}] {name} = "{initial}";' if initial else f"bit[{text}] {name};"]

    def _size(self) -> tuple[int, str]:
        if self.known and self.pen.chance(70):
            known = self.pen.one(self.known)
            return known.values[0], known.text
        size = self.pen.number(1, 3)
        return size, str(size)

    def _gate(self) -> list[str]:
        pen = self.pen
        width, num_angles = pen.number(1, 3), 0 if self.only_flips else pen.number(0, 2)
        arguments, angles = ["v", "z0", "u_"][:width], ["t0", "lam"][:num_angles]
        body = []
        for _ in range(pen.number(0, 3)):
            name = self.gate_name(width)
            values = [self.angle(angles) for _ in range(self.gates[name][1])]
            body.append(call(name, values, pen.some(arguments, width)[: self.gates[name][0]]))
        name = pen.fresh(GATE_NAMES)
        self.gates[name] = (width, num_angles)
        brackets = f"({', '.join(angles)})" if angles else ""
        return [f"gate {name}{brackets} {', '.join(arguments)} {{ {' '.join(body)} }}"]

    def _variables(self) -> list[str]:
        pen, value = self.pen, self.pen.number(0, 4)
        lines = [f"{pen.one(['int', 'int[32]', 'uint[16]'])} v1 = {value};"]
        self.integers.append("v1")
        if not self.only_flips:
            lines.append(f"{pen.one(['float', 'float[64]'])} v2 = {self.angle()};")
            self.floats.append("v2")
        return lines

    def _alias(self) -> list[str]:
        wide = [name for name in self.qubits if self.qubits[name] > 1] or list(self.qubits)
        if not wide:
            return []
        name = self.pen.one(wide)
        places, text = self.range(self.qubits[name])
        parts = [f"{name}[{text}]"]
        others = [other for other in self.qubits if other != name]
        number = len(places)
        if others and self.pen.chance(30):
            parts.append(others[0])
            number += self.qubits[others[0]]
        self.aliases["al"] = number
        return [f"let al = {' ++ '.join(parts)};"]

    def _subroutine(self) -> list[str]:
        pen = self.pen
        takes_angle = not self.only_flips and pen.chance(50)
        width = pen.number(1, 2)
        arguments = ["v", "z0"][:width]
        angles = ["t0"] if takes_angle else []
        body = []
        for _ in range(pen.number(1, 3)):
            name = self.gate_name(width)
            values = [self.angle(angles) for _ in range(self.gates[name][1])]
            body.append(call(name, values, pen.some(arguments, width)[: self.gates[name][0]]))
        if pen.chance(30):
            body = ["for int k in [0:1] {", *body, "}"]
        self.subroutines["f"] = (width, takes_angle)
        parameters = [*(["float[64] t0"] if takes_angle else []), *(f"qubit {name}" for name in arguments)]
        return [f"def f({', '.join(parameters)}) {{ {' '.join(body)} }}"]
