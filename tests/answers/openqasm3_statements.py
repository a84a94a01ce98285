"""The statements of OpenQASM 3 programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from answers.openqasm3_declarations import Declarations
from answers.openqasm3_expressions import LIBRARY, SAFE_TO_CONTROL, Known, call


@dataclass(slots=True)
class Statements(Declarations):
    """Writes statements, nested as deeply as the program's features allow."""

    def statement(self) -> list[str]:
        """One statement, which may take several lines."""
        kinds = ["gate"] * 6 + ["broadcast"] * (5 if self.features & {"ranges", "negative", "sets", "aliases"} else 2)
        for feature, kind, weight in (
            ("loops", "for", 3), ("while", "while", 2), ("constant conditions", "constant_if", 2),
            ("modifiers", "modified", 4), ("subroutines", "sub_call", 3), ("variables", "assignment", 2),
        ):  # fmt: skip
            kinds += [kind] * weight * (feature in self.features)
        if self.measures:
            for feature, kind, weight in (
                ("bit conditions", "bit_if", 3), ("register conditions", "register_if", 3), ("reset", "reset", 2),
                ("mid-circuit", "measure", 2), ("assigned bits", "bit_assignment", 2), ("logic", "bit_if", 3),
                ("switch", "switch", 2),
            ):  # fmt: skip
                kinds += [kind] * weight * (feature in self.features)
        kinds += ["indexed"] * 6 * (self.depth > 0)
        kind = self.pen.one(kinds) if self.depth < self.deepest() else self.pen.one(["gate", "indexed"])
        return getattr(self, f"_{kind}_statement")()

    def deepest(self) -> int:
        """How deep statements may be nested."""
        return 2 if "nested" in self.features else 1

    def body(self) -> list[str]:
        """Statements inside braces."""
        self.depth += 1
        lines = [line for _ in range(self.pen.number(1, 2)) for line in self.statement()]
        self.depth -= 1
        return lines

    def _gate_statement(self) -> list[str]:
        qubits = self.some_qubits()
        name = self.gate_name(len(qubits))
        return [self._applied(name, qubits)]

    def _indexed_statement(self) -> list[str]:
        """A gate on a qubit whose place depends on the variables of loops."""
        ways = [
            f"{name}[{text}]"
            for name, size in self.qubits.items()
            for known in self.known
            for text, values in known.shifted()
            if all((0 if "negative" not in self.features else -size) <= value < size for value in values)
        ]
        return [self._applied(self.gate_name(1), [self.pen.one(ways)])] if ways else self._gate_statement()

    def _applied(self, name: str, qubits: Sequence[str]) -> str:
        width, num_angles = self.gates[name]
        values = [self.angle() for _ in range(num_angles)]
        if name == "U" and self.only_flips:
            values = ["pi", "0", "pi"]
        return call(name, values, qubits[:width])

    def _modified_statement(self) -> list[str]:
        pen, qubits = self.pen, self.some_qubits()
        own = [name for name in self.gates if name not in LIBRARY]
        if self.only_flips:
            names, modifiers = ["x", "cx", "swap", *own], ["ctrl", "negctrl", "inv", "pow(2)", "ctrl(2)", "negctrl(1)"]
        else:
            names = [*SAFE_TO_CONTROL, *own]
            modifiers = ["ctrl", "negctrl", "inv", "pow(2)", "ctrl(2)", "pow(-1)", "pow(0.5)", "pow(3)"]
        used = [pen.one(modifiers) for _ in range(pen.number(1, 2))]
        controls = sum(2 if "(2)" in each else 1 for each in used if "ctrl" in each)
        fitting = [name for name in names if self.gates[name][0] + controls <= len(qubits)]
        if any("0.5" in each for each in used):  # roots of gates whose eigenvalues are not minus one
            fitting = [name for name in ("h", "s", "t", "x", "z") if 1 + controls <= len(qubits)]
        if not fitting:
            return self._gate_statement()
        name = pen.one(fitting)
        call = self._applied(name, qubits[controls:])
        head, _, tail = call.partition(" ")
        return [f"{' '.join(f'{each} @' for each in used)} {head} {', '.join([*qubits[:controls], tail])}"]

    def _broadcast_statement(self) -> list[str]:
        pen = self.pen
        wholes = {**self.qubits, **self.aliases}
        if not wholes:
            return self._gate_statement()
        name = pen.one(list(wholes))
        text, number = name, wholes[name]
        if "ranges" in self.features or "sets" in self.features or "negative" in self.features:
            places, inside = self.range(wholes[name])
            text, number = f"{name}[{inside}]", len(places)
        same = [n for n, size in self.qubits.items() if size == number and n != name and name in self.qubits]
        if same and pen.chance(40):
            return [self._applied(self.gate_name(2, at_least=2), [text, same[0]])]
        return [self._applied(self.gate_name(1), [text])]

    def _for_statement(self) -> list[str]:
        pen = self.pen
        start, step, rounds = pen.number(-1, 3), pen.one([1, 2, -1]), pen.number(1, 3)
        values = tuple(start + step * each for each in range(rounds))
        if pen.chance(25):
            text = "{" + ", ".join(map(str, values)) + "}"
        else:
            slack = 0 if abs(step) == 1 else pen.number(0, 1)
            text = f"[{start}:{values[-1]}]" if step == 1 else f"[{start}:{step}:{values[-1] + slack}]"
        name = ("i", "j", "k")[self.depth]
        kind = pen.one(["int", "int[32]"] if min(values) < 0 else ["int", "uint", "int[32]", "uint[8]"])
        before = list(self.known)
        self.known.append(Known(name, values))
        lines = self.body()
        self.known = before
        return [f"for {kind} {name} in {text} {{", *lines, "}"]

    def _while_statement(self) -> list[str]:
        rounds = self.pen.number(0, 3)
        name = f"n{len(self.pen.taken)}"
        self.pen.taken.add(name)
        step = self.pen.one([f"{name} += 1;", f"{name} = {name} + 1;"])
        return [f"int[32] {name} = 0;", f"while ({name} < {rounds}) {{", *self.body(), step, "}"]

    def _constant_if_statement(self) -> list[str]:
        one, other = self.integer().text, self.integer().text
        sign = self.pen.one(["==", "<", ">=", "!=", ">", "<="])
        return self._if(f"{one} {sign} {other}")

    def _bit_if_statement(self) -> list[str]:
        pen, bits = self.pen, self.all_bits()
        one, other = pen.one(bits), pen.one(bits)
        forms = [f"{one} == 1", f"{one}", f"{one} == 0", f"!{one}", f"{one} == true", f"{one} != 1"]
        if "logic" in self.features:
            forms = [f"{one} && {other}", f"{one} || {other}", f"!({one} && {other})", f"{one} == 1 && {other} == 0",
                     f"({one} ^ {other}) == 1", f"{one} != {other}", f"({one} | {other}) == 0"]  # fmt: skip
        return self._if(pen.one(forms))

    def _register_if_statement(self) -> list[str]:
        pen = self.pen
        if not self.bits:
            return self._bit_if_statement()
        name = pen.one(list(self.bits))
        value = pen.number(0, 2 ** self.bits[name] - 1)
        if "casts" in self.features:
            kind = f"{pen.one(['int', 'uint'])}[{self.bits[name] + 1}]"
            return self._if(f"{kind}({name}) {pen.one(['==', '>', '<', '!='])} {value}")
        return self._if(f"{name} {pen.one(['==', '==', '!=', '>', '<', '>=', '<='])} {value}")

    def _if(self, condition: str) -> list[str]:
        lines = [f"if ({condition}) {{", *self.body(), "}"]
        if self.pen.chance(35):
            lines[-1] = "} else {"
            lines += [*self.body(), "}"]
        return lines

    def _switch_statement(self) -> list[str]:
        if not self.bits:
            return self._gate_statement()
        pen, name = self.pen, self.pen.one(list(self.bits))
        lines = [f"int[32] sw{len(pen.taken)} = {name};", f"switch (sw{len(pen.taken)}) {{"]
        pen.taken.add(f"sw{len(pen.taken)}")
        lines += ["case 0 {", *self.body(), "}", "case 1, 2 {", *self.body(), "}"]
        if pen.chance(60):
            lines += ["default {", *self.body(), "}"]
        return [*lines, "}"]

    def _sub_call_statement(self) -> list[str]:
        width, takes_angle = self.subroutines["f"]
        qubits = self.some_qubits()
        if len(qubits) < width:
            return self._gate_statement()
        return [f"f({', '.join([*([self.angle()] if takes_angle else []), *qubits[:width]])});"]

    def _assignment_statement(self) -> list[str]:
        change = self.pen.one(["v1 = v1 + 1;", "v1 += 2;", "v1 = 3;", "v1 *= 2;", "v1 = v1 - 1;"])
        return [change, *self._if(f"v1 {self.pen.one(['==', '<', '>'])} {self.pen.number(0, 6)}")]

    def _bit_assignment_statement(self) -> list[str]:
        return [f"{self.pen.one(self.all_bits())} = {self.pen.one(['1', '0', 'true', 'false'])};"]

    def _reset_statement(self) -> list[str]:
        wholes = [*self.qubits, *self.aliases]
        if wholes and "ranges" in self.features:
            name = self.pen.one(wholes)
            return [f"reset {name}[{self.range({**self.qubits, **self.aliases}[name])[1]}];"]
        return [f"reset {self.pen.one([*self.some_qubits(), *wholes])};"]

    def _measure_statement(self) -> list[str]:
        return [self._measured(self.pen.one(self.all_bits()), self.pen.one(self.some_qubits()))]

    def _measured(self, bit: str, qubit: str) -> str:
        return self.pen.one([f"{bit} = measure {qubit};", f"{bit} = measure {qubit};", f"measure {qubit} -> {bit};"])
