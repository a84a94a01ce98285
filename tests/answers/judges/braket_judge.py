"""The interpreter of OpenQASM 3 in Amazon's default simulator for Braket, and its matrices of gates."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import partial
from typing import Any

import numpy as np
from braket.default_simulator import StateVectorSimulator
from braket.default_simulator.gate_operations import Projection, Reset
from braket.default_simulator.linalg_utils import controlled_matrix
from braket.default_simulator.openqasm.interpreter import Interpreter
from branching import Ensemble, Vector, applied

MAX_QUBITS = 12
EVERYTHING = 1e-9

# Braket has gates of its own and no stdgates.inc; what it lacks is written by the definitions of the specification.
STANDARD_GATES = {
    "id": "gate id a { U(0, 0, 0) a; }",
    "p": "gate p(l) a { U(0, 0, l) a; }",
    "phase": "gate phase(l) a { U(0, 0, l) a; }",
    "sdg": "gate sdg a { inv @ s a; }",
    "tdg": "gate tdg a { inv @ t a; }",
    "sx": "gate sx a { pow(0.5) @ x a; }",
    "cx": "gate cx a, b { ctrl @ x a, b; }",
    "CX": "gate CX a, b { ctrl @ x a, b; }",
    "ch": "gate ch a, b { ctrl @ h a, b; }",
    "crx": "gate crx(w) a, b { ctrl @ rx(w) a, b; }",
    "cry": "gate cry(w) a, b { ctrl @ ry(w) a, b; }",
    "crz": "gate crz(w) a, b { ctrl @ rz(w) a, b; }",
    "cp": "gate cp(l) a, b { ctrl @ U(0, 0, l) a, b; }",
    "cphase": "gate cphase(l) a, b { ctrl @ U(0, 0, l) a, b; }",
    "ccx": "gate ccx a, b, c { ctrl @ ctrl @ x a, b, c; }",
    "cu": "gate cu(w, f, l, g) a, b { U(0, 0, g) a; ctrl @ U(w, f, l) a, b; }",
    "u1": "gate u1(l) a { U(0, 0, l) a; }",
    "u2": "gate u2(f, l) a { U(pi/2, f, l) a; }",
    "u3": "gate u3(w, f, l) a { U(w, f, l) a; }",
    "u": "gate u(w, f, l) a { U(w, f, l) a; }",
    "cu1": "gate cu1(l) a, b { ctrl @ U(0, 0, l) a, b; }",
    "cu3": "gate cu3(w, f, l) a, b { ctrl @ U(w, f, l) a, b; }",
    "sxdg": "gate sxdg a { inv @ pow(0.5) @ x a; }",
    "csx": "gate csx a, b { ctrl @ pow(0.5) @ x a, b; }",
    "rzz": "gate rzz(w) a, b { ctrl @ x a, b; rz(w) b; ctrl @ x a, b; }",
    "rxx": "gate rxx(w) a, b { h a; h b; ctrl @ x a, b; rz(w) b; ctrl @ x a, b; h a; h b; }",
}
DECLARED = re.compile(r"\bbit\[(?P<size>\d+)\]\s+(?P<name>\w+)\s*;|\bcreg\s+(?P<old>\w+)\[(?P<old_size>\d+)\]\s*;")
WITH_TEXT = re.compile(r'(\bbit\[[^\]]*\])\s+(\w+)\s*=\s*"([01]+)"\s*;')
ARGUMENT = re.compile(r"\b([abcwflg])\b")
SIZED = re.compile(r"\bbit\[(\d+)\]\s+(\w+)")
OLD_SIZED = re.compile(r"\bcreg\s+(\w+)\[(\d+)\]")
ASSIGNED = re.compile(r"\w(\[[^\]]*\])?\s*=\s*(true|false|[01])\s*;")
COMPARED = re.compile(r"\b(\w+)\s*(==|!=)\s*(\d+)\b")
WORD = re.compile(r"[A-Za-z]\w*")
INCLUDE = re.compile(r'include\s*"(stdgates|qelib1)\.inc"\s*;')
VERSION = re.compile(r"\s*(?://[^\n]*\n\s*)*OPENQASM\s+[\d.]+\s*;")
OLD_VERSION = re.compile(r"OPENQASM\s+2\.0\s*;")


def judged(source: str, *, shots: int) -> dict[str, Any]:
    """What the program answers, exactly.

    Args:
        source: The program.
        shots: With how many the interpreter looks for what measurements lead to, where the program depends on them.

    Raises:
        ValueError: One of the ways that it may take is so unlikely that the interpreter has not seen it.
    """
    context = StateVectorSimulator().create_program_context()
    context._shots = shots
    context = Interpreter(context, warn_advanced_features=False).run(source=_without_include(source))
    if context.num_qubits > MAX_QUBITS:
        raise ValueError(f"more than {MAX_QUBITS} qubits")
    registers = [(register.name, register.size) for register in context.circuit.classical_registers]
    if not registers:
        (branch,) = _run(context.circuit.instructions, context.num_qubits).branches
        return {"state": [[amplitude.real, amplitude.imag] for amplitude in branch.state.tolist()]}
    found = _of_paths(context) if context.is_branched else _of_one(context)
    if abs(sum(found.values()) - 1) > EVERYTHING:
        raise ValueError("a sequence of outcomes is too unlikely to be seen by the interpreter")
    return {"registers": registers, "probabilities": found}


def _of_one(context: Any) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    _add(found, context, _run(context.circuit.instructions, context.num_qubits), value=_value_of(context))
    return found


def _of_paths(context: Any) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for path in context.active_paths:
        ensemble = _run(path.instructions, context.num_qubits)
        _add(found, context, ensemble, value=_value_on(path, context), on_the_way=path.mcm_outcomes)
    return found


def _run(instructions: Any, num_qubits: int) -> Ensemble:
    """Braket's own simulator is not asked: it leaves out controlled gates whose control comes after their target."""
    ensemble = Ensemble(num_qubits)
    for each in instructions:
        if isinstance(each, Projection):
            ensemble.project(each.targets[0], each.outcome)
        elif isinstance(each, Reset):
            ensemble.reset(each.targets[0], where=lambda _: True)
        else:
            matrix = controlled_matrix(each.matrix, each.control_state)
            ensemble.evolve(partial(_applied, matrix=matrix, qubits=each.targets), where=lambda _: True)
    return ensemble


def _applied(state: Vector, *, matrix: Vector, qubits: tuple[int, ...]) -> Vector:
    return state * complex(matrix.item()) if matrix.size == 1 else applied(state, matrix, qubits)


def _add(found: dict[str, float], context: Any, ensemble: Ensemble, *, value: Any, on_the_way: Any = None) -> None:
    for branch in ensemble.branches:
        weights = np.abs(branch.state) ** 2
        for index in np.flatnonzero(weights > 1e-12):
            outcomes = [int(index) >> qubit & 1 for qubit in range(context.num_qubits)]
            found[_text(context, outcomes, value, on_the_way)] += branch.weight * float(weights[index])


def _without_include(source: str) -> str:
    """The program with the definitions that it uses in the place of the include, on one line."""
    if OLD_VERSION.match(source):  # what differs between the versions, as far as the rig's programs use it
        source = OLD_VERSION.sub("OPENQASM 3.0;", source).replace("^", "**").replace("ln(", "log(")
        source = source if INCLUDE.search(source) else source.replace(";", f"; {_apart(STANDARD_GATES['CX'])}", 1)
    words = set(WORD.findall(source))
    source = INCLUDE.sub(" ".join(_apart(text) for name, text in STANDARD_GATES.items() if name in words), source)
    if "if" in words and {"bit", "creg"} & words and not ASSIGNED.search(source):
        source = _with_zeros(_by_bits(source))
    return WITH_TEXT.sub(_with_bits, source)


def _apart(definition: str) -> str:
    """The definition with names that no program has: the interpreter mixes arguments up with registers of that name."""
    return ARGUMENT.sub(r"\1_of_gate", definition)


def _with_bits(found: re.Match[str]) -> str:
    """A declaration whose text is assigned bit by bit: the interpreter takes the first letter for bit 0."""
    head, name, text = found.groups()
    bits = "".join(f" {name}[{place}] = {bit};" for place, bit in enumerate(reversed(text)))
    return f"{head} {name};{bits}"


def _by_bits(source: str) -> str:
    """The program with comparisons of a whole register and a number written bit by bit.

    The interpreter compares registers with texts only, and their order of bits is another.
    """
    sizes = {
        found["name"] or found["old"]: int(found["size"] or found["old_size"]) for found in DECLARED.finditer(source)
    }

    def written(found: re.Match[str]) -> str:
        name, sign, number = found.groups()
        if name not in sizes:
            return found[0]
        bits = [f"{name}[{place}] == {int(number) >> place & 1}" for place in range(sizes[name])]
        return f"{'!' * (sign == '!=')}({' && '.join(bits)})"

    return COMPARED.sub(written, source)


def _with_zeros(source: str) -> str:
    """The program with every bit measured from a qubit in |0> at its declaration.

    The interpreter cannot look at bits before they are written. By the rule of the rig such bits are 0.
    """

    def written(found: re.Match[str]) -> str:
        name, size = found["name"] or found["old"], int(found["size"] or found["old_size"])
        return found[0] + "".join(f" {name}[{place}] = measure zero_[0];" for place in range(size))

    head = VERSION.match(source)
    start = head.end() if head else 0
    return DECLARED.sub(written, f"{source[:start]} qubit[1] zero_; {source[start:]}")


def _value_of(context: Any) -> Any:
    def value(name: str) -> Any:
        return context.get_value(name) if context.is_initialized(name) else None

    return value


def _value_on(path: Any, context: Any) -> Any:
    def value(name: str) -> Any:
        variable = path.get_variable(name)
        return _value_of(context)(name) if variable is None else variable.value

    return value


def _text(context: Any, outcomes: list[int], value: Any, on_the_way: Any = None) -> str:
    """Bits as they are printed: what was measured on the way, what is measured at the end, or what was assigned."""
    registers = []
    for register in reversed(context.circuit.classical_registers):
        digits = _assigned(value(register.name), register.size)
        for element, qubit in enumerate(register.sources):
            if qubit is not None:
                digits[element] = outcomes[qubit]
            if on_the_way and on_the_way.get((register, element)) is not None:
                digits[element] = on_the_way[register, element]
        registers.append("".join("01"[digit] for digit in reversed(digits)))
    return " ".join(registers)


def _assigned(value: Any, size: int) -> list[int]:
    """The bits of a variable, bit 0 first."""
    values = getattr(value, "values", None)
    if values is not None:
        return [int(bool(getattr(each, "value", each) or 0)) for each in values]
    return [int(bool(getattr(value, "value", value)))] if size == 1 and value is not None else [0] * size
