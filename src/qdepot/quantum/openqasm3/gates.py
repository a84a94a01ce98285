"""Gates: those of the language and of its library, those that a program defines, and modifiers of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from openqasm3 import ast
from qiskit import QuantumCircuit
from qiskit.circuit import ControlledGate, Gate, ParameterExpression
from qiskit.circuit.library import UnitaryGate
from qiskit.circuit.library import standard_gates as library
from qiskit.quantum_info import Operator

from qdepot.quantum.gate_names import reserved_names
from qdepot.quantum.openqasm3.refusal import unsupported, wrong

_WIDEST_MATRIX = 5
"""Most qubits of a gate whose power is taken as a matrix."""

_MOST_REPETITIONS = 16
"""Powers up to this one are written out; others of narrow gates are taken as a matrix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateType:
    """A gate by its name.

    Attributes:
        name: Its name.
        num_arguments, num_qubits: What it takes.
        make: Makes the gate from its arguments.
        gates: How many gates it stands for.
        is_turn: Whether it has one argument and arguments add up: two in a row are one with the sum.
    """

    name: str
    num_arguments: int
    num_qubits: int
    make: Callable[..., Gate]
    gates: int = 1
    is_turn: bool = False


class DefinedGate(Gate):  # type: ignore[misc] # Qiskit has no types
    """A gate that a text defines.

    Attributes:
        template: Its definition, with a free parameter for each argument.
    """

    def __init__(self, name: str, template: QuantumCircuit, arguments: tuple[str, ...], values: list[Any]) -> None:
        super().__init__(name, template.num_qubits, values)
        self.template = template
        self._arguments = arguments

    def _define(self) -> None:
        values = dict(zip(self._arguments, self.params, strict=True))
        free = {parameter: values[parameter.name] for parameter in self.template.parameters}
        self._definition = self.template.assign_parameters(free) if free else self.template


def defined(name: str, template: QuantumCircuit, arguments: tuple[str, ...], gates: int) -> GateType:
    """A gate that a program defines; written out only where somebody looks into it."""
    known_as = f"{name}_as_defined" if name in reserved_names() else name

    def make(*values: Any) -> Gate:  # noqa: ANN401 - numbers and expressions
        return DefinedGate(known_as, template, arguments, list(values))

    return GateType(
        name=name,
        num_arguments=len(arguments),
        num_qubits=template.num_qubits,
        make=make,
        gates=max(1, gates),
    )


def modified(gate: Gate, kind: GateType, modifiers: Sequence[tuple[ast.GateModifierName, Any]]) -> Gate:
    """A gate under modifiers, outermost first, each with its number.

    Raises:
        Refusal: It cannot be modified like that.
    """
    if any(modifier is not ast.GateModifierName.inv for modifier, _ in modifiers):
        gate = _with_phase_of_the_library(gate, kind)
    for modifier, argument in reversed(modifiers):
        if modifier is ast.GateModifierName.inv:
            gate = gate.inverse()
        elif modifier is ast.GateModifierName.pow:
            gate = power(gate, argument)
        else:
            states = (1 << argument) - 1 if modifier is ast.GateModifierName.ctrl else 0
            gate = gate.control(argument, ctrl_state=states)
    return gate


def num_controls(modifiers: Sequence[tuple[ast.GateModifierName, Any]]) -> int:
    """How many qubits modifiers add."""
    return sum(argument for modifier, argument in modifiers if modifier in _CONTROLS)


def power(gate: Gate, exponent: float) -> Gate:
    """A gate to a power: repeated where it is an integer, else by the principal logarithm of its matrix.

    Raises:
        Refusal: It is too wide for that, or has arguments that are not known.
    """
    if not abs(exponent) <= _LARGEST_EXPONENT:
        raise unsupported(f"the power {exponent} of a gate")
    is_whole = float(exponent).is_integer()
    if is_whole and exponent == 1:
        return gate
    has_inputs = any(isinstance(value, ParameterExpression) for value in gate.params)
    if is_whole and type(gate) in _TURNS:
        return _turned(gate, gate.params[0] * int(exponent))
    if is_whole and (abs(exponent) <= _MOST_REPETITIONS or has_inputs or gate.num_qubits > _WIDEST_MATRIX):
        return _repeated(gate, int(exponent))
    if has_inputs:
        raise unsupported("a fractional power of a gate with an input as its argument")
    if gate.num_qubits > _WIDEST_MATRIX:
        raise unsupported(f"a fractional power of a gate of more than {_WIDEST_MATRIX} qubits")
    return UnitaryGate(Operator(gate).power(float(exponent)))


def _turned(gate: Gate, angle: Any) -> Gate:  # noqa: ANN401 - a number or an expression of parameters
    """The same gate with another angle, under the same controls."""
    if isinstance(gate, ControlledGate):
        return type(gate)(angle, ctrl_state=gate.ctrl_state)
    return type(gate)(angle)


def _repeated(gate: Gate, times: int) -> Gate:
    if abs(times) > _MOST_WRITTEN_OUT:
        raise unsupported(f"the power {times} of a gate", solution="Write a gate with the angles that the power gives.")
    once = gate.inverse() if times < 0 else gate
    circuit = QuantumCircuit(gate.num_qubits)
    for _ in range(abs(times)):
        circuit.append(once, circuit.qubits)
    return DefinedGate(f"{gate.name}_power", circuit, (), [])


_MOST_WRITTEN_OUT = 10_000
_LARGEST_EXPONENT = 1_000_000_000


def _with_phase_of_the_library(gate: Gate, kind: GateType) -> Gate:
    """``u2`` and ``u3`` have a global phase in OpenQASM 3 that they lack in Qiskit; controls and roots show it."""
    if kind is not LIBRARY["u2"] and kind is not LIBRARY["u3"]:
        return gate
    circuit = QuantumCircuit(1)
    circuit.append(gate, circuit.qubits)
    circuit.global_phase = -(gate.params[-2] + gate.params[-1]) / 2
    return DefinedGate(f"{kind.name}_of_openqasm3", circuit, (), [])


def checked_controls(argument: int, node: ast.QASMNode) -> int:
    """The number of controls of a modifier.

    Raises:
        Refusal: It is not one.
    """
    if argument < 1:
        raise wrong(f"{argument} control qubits", node, solution="A number of controls starts at 1.")
    return argument


def _identity() -> Gate:
    return library.UGate(0, 0, 0)  # the library's `id` is that; Qiskit's `id` takes time on devices


_CONTROLS = (ast.GateModifierName.ctrl, ast.GateModifierName.negctrl)
_TURNS = (
    library.PhaseGate,
    library.RXGate,
    library.RYGate,
    library.RZGate,
    library.U1Gate,
    library.CPhaseGate,
    library.CRXGate,
    library.CRYGate,
    library.CRZGate,
    library.GlobalPhaseGate,
)


def _entry(name: str, make: Callable[..., Gate], num_arguments: int, num_qubits: int) -> tuple[str, GateType]:
    return name, GateType(
        name=name, make=make, num_arguments=num_arguments, num_qubits=num_qubits, is_turn=make in _TURNS
    )


LIBRARY: dict[str, GateType] = dict(
    _entry(*each)
    for each in (
        ("p", library.PhaseGate, 1, 1),
        ("x", library.XGate, 0, 1),
        ("y", library.YGate, 0, 1),
        ("z", library.ZGate, 0, 1),
        ("h", library.HGate, 0, 1),
        ("s", library.SGate, 0, 1),
        ("sdg", library.SdgGate, 0, 1),
        ("t", library.TGate, 0, 1),
        ("tdg", library.TdgGate, 0, 1),
        ("sx", library.SXGate, 0, 1),
        ("rx", library.RXGate, 1, 1),
        ("ry", library.RYGate, 1, 1),
        ("rz", library.RZGate, 1, 1),
        ("cx", library.CXGate, 0, 2),
        ("cy", library.CYGate, 0, 2),
        ("cz", library.CZGate, 0, 2),
        ("cp", library.CPhaseGate, 1, 2),
        ("crx", library.CRXGate, 1, 2),
        ("cry", library.CRYGate, 1, 2),
        ("crz", library.CRZGate, 1, 2),
        ("ch", library.CHGate, 0, 2),
        ("swap", library.SwapGate, 0, 2),
        ("ccx", library.CCXGate, 0, 3),
        ("cswap", library.CSwapGate, 0, 3),
        ("cu", library.CUGate, 4, 2),
        ("CX", library.CXGate, 0, 2),
        ("phase", library.PhaseGate, 1, 1),
        ("cphase", library.CPhaseGate, 1, 2),
        ("id", _identity, 0, 1),
        ("u1", library.U1Gate, 1, 1),
        ("u2", library.U2Gate, 2, 1),
        ("u3", library.U3Gate, 3, 1),
    )
)
"""The gates of ``stdgates.inc``."""

U_GATE = GateType(name="U", make=library.UGate, num_arguments=3, num_qubits=1)
"""The gate of the language itself."""

CX_GATE = LIBRARY["CX"]
"""Part of the library, and of the language in OpenQASM 2 and in drafts of 3: programs use it without the library."""
