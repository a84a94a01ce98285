"""Statements about qubits: gates, measurements, resets, barriers and delays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from openqasm3 import ast
from qiskit import QuantumCircuit
from qiskit.circuit import Barrier, CircuitInstruction, Delay, Gate, Parameter, ParameterExpression, Qubit, Reset
from qiskit.circuit.library import standard_gates as library

from qdepot.quantum.openqasm3 import gates
from qdepot.quantum.openqasm3.expressions import anything, evaluated
from qdepot.quantum.openqasm3.gates import LIBRARY, GateType
from qdepot.quantum.openqasm3.parts import alias_of, indexed, indexed_bits
from qdepot.quantum.openqasm3.program import Program, as_condition
from qdepot.quantum.openqasm3.refusal import Refusal, unsupported, wrong
from qdepot.quantum.openqasm3.scope import BitAlias, Qubits, Subroutine, Variable
from qdepot.quantum.openqasm3.types import FLOAT, Kind, Type
from qdepot.quantum.openqasm3.values import Duration, Value, integer, number, plain_number

if TYPE_CHECKING:
    from qdepot.quantum.openqasm3.machine import Machine

_RESET = Reset()
_Modifiers = list[tuple[ast.GateModifierName, Any]]


def gate_call(machine: Machine, node: ast.QuantumGate) -> None:
    """``rx(pi / 2) q[0];``; also a call of a subroutine that is written like a gate."""
    name = node.name.name
    kind = machine.scopes.find(name)
    if isinstance(kind, Subroutine):
        machine.call(kind, [*node.arguments, *node.qubits], node)
        return
    if not isinstance(kind, GateType):
        raise _no_gate(name, kind, machine)
    if node.duration is not None:
        raise unsupported(f"a duration of the gate {name!r}", solution="Leave it out.")
    modifiers = [_modifier(machine, each) for each in node.modifiers]
    values = [evaluated(machine, each) for each in node.arguments]
    operands = [qubit_operand(machine, each) for each in node.qubits]
    _check_numbers(kind, len(values), len(operands), gates.num_controls(modifiers))
    if any(not value.is_known for value in values):
        _measured_turn(machine, kind, values, modifiers, operands)
    else:
        _apply(machine, kind, [_argument(value) for value in values], modifiers, operands)


def _argument(value: Value) -> Any:  # noqa: ANN401 - a number or an expression of parameters
    found = value.data if value.type is FLOAT else number(value)
    return float(found) if type(found) is int else found


def _check_numbers(kind: GateType, num_values: int, num_operands: int, controls: int) -> None:
    if num_values != kind.num_arguments:
        raise wrong(f"the gate {kind.name!r} takes {kind.num_arguments} arguments in parentheses, not {num_values}")
    if num_operands != kind.num_qubits + controls:
        with_controls = f" and {controls} control qubits" if controls else ""
        raise wrong(f"the gate {kind.name!r} takes {kind.num_qubits} qubits{with_controls}, not {num_operands}")


def _no_gate(name: str, kind: object, machine: Machine) -> Refusal:
    if kind is not None:
        return wrong(f"{name!r} is no gate")
    if name in LIBRARY and not machine.has_library:
        return wrong(f"the gate {name!r} is not defined", solution='Add include "stdgates.inc"; below the first line.')
    return wrong(
        f"the gate {name!r} is not defined",
        solution="Define it with `gate ... { ... }`, or use one of stdgates.inc."
        if machine.has_library
        else 'Define it with `gate ... { ... }`, or add include "stdgates.inc"; for the gates of the library.',
    )


def _modifier(machine: Machine, node: ast.QuantumGateModifier) -> tuple[ast.GateModifierName, Any]:
    kind = node.modifier
    if kind is ast.GateModifierName.inv:
        return kind, None
    if kind is ast.GateModifierName.pow:
        assert node.argument is not None
        return kind, _exponent(machine, node.argument)
    argument = 1 if node.argument is None else integer(evaluated(machine, node.argument))
    return kind, gates.checked_controls(argument, node)


def _exponent(machine: Machine, node: ast.Expression) -> int | float:
    """The number of ``pow``; ``1/2`` is a half in it, since the language's own library means that."""
    if isinstance(node, ast.BinaryExpression) and node.op.name == "/":
        sides = [evaluated(machine, each) for each in (node.lhs, node.rhs)]
        if all(each.is_literal for each in sides) and sides[1].data:
            return float(sides[0].data / sides[1].data)
    return plain_number(evaluated(machine, node))


def _apply(
    machine: Machine, kind: GateType, values: Sequence[Any], modifiers: _Modifiers, operands: Sequence[Qubits]
) -> None:
    gate = kind.make(*values)
    if modifiers:
        gate = gates.modified(gate, kind, modifiers)
    program = machine.program
    for qubits in broadcast(operands):
        program.count_gates(kind.gates)
        program.append(CircuitInstruction(gate, qubits))


def broadcast(operands: Sequence[Qubits]) -> Iterator[tuple[Qubit, ...]]:
    """The qubits of each gate that a statement stands for: registers in step, single qubits in each of them.

    Raises:
        Refusal: Registers differ in size, or a gate would get a qubit twice.
    """
    length = None
    for operand in operands:
        if not operand.is_single:
            if length is not None and length != len(operand.qubits):
                raise wrong(f"registers of {length} and {len(operand.qubits)} qubits do not go together")
            length = len(operand.qubits)
    for place in range(1 if length is None else length):
        qubits = tuple(each.qubits[0] if each.is_single else each.qubits[place] for each in operands)
        if len(set(qubits)) != len(qubits):
            raise wrong("a qubit is given twice to one gate", solution="Give each operand another qubit.")
        yield qubits


def _measured_turn(
    machine: Machine, kind: GateType, values: Sequence[Value], modifiers: _Modifiers, operands: Sequence[Qubits]
) -> None:
    """A turn by a measured angle: for each bit of it, a turn by what the bit stands for, where it is set."""
    (value,) = values if len(values) == 1 else (None,)
    only_known_modifiers = all(modifier is not ast.GateModifierName.pow for modifier, _ in modifiers)
    if value is None or not kind.is_turn or value.type.kind is not Kind.ANGLE or not only_known_modifiers:
        raise unsupported(
            f"an argument of the gate {kind.name!r} depends on measurements",
            solution="Branch on it: `if (...) { ... }` with a known number in each branch.",
        )
    for place, bit in enumerate(value.data):
        turn = [math.tau * 2.0 ** (place - len(value.data))]
        if bit is True:
            _apply(machine, kind, turn, modifiers, operands)
        elif bit is not False:
            with machine.program.branch(as_condition(bit)):
                _apply(machine, kind, turn, modifiers, operands)


def global_phase(machine: Machine, node: ast.QuantumPhase) -> None:
    """``gphase(pi / 4);``, also with controls."""
    modifiers = [_modifier(machine, each) for each in node.modifiers]
    angle = number(evaluated(machine, node.argument))
    while modifiers and modifiers[-1][0] in (ast.GateModifierName.inv, ast.GateModifierName.pow):
        kind, exponent = modifiers.pop()
        angle = -angle if kind is ast.GateModifierName.inv else _power_of_phase(angle, exponent)
    operands = [qubit_operand(machine, each) for each in node.qubits]
    if len(operands) != gates.num_controls(modifiers):
        raise wrong(f"gphase with {gates.num_controls(modifiers)} controls has {len(operands)} qubits")
    if not modifiers:
        machine.program.add_phase(angle)
        return
    (control, count), rest = modifiers[-1], modifiers[:-1]
    gate = _controlled_phase(angle, count, inverted=control is ast.GateModifierName.negctrl)
    made = GateType(name="gphase", num_arguments=0, num_qubits=count, make=lambda: gate)
    _apply(machine, made, [], rest, operands)


def _power_of_phase(angle: Any, exponent: float) -> Any:  # noqa: ANN401 - a number or an expression of parameters
    if not float(exponent).is_integer():
        if isinstance(angle, ParameterExpression):
            raise unsupported("a fractional power of a phase by an input")
        angle = math.remainder(angle, math.tau)
    return angle * exponent


def _controlled_phase(angle: Any, count: int, *, inverted: bool) -> Gate:  # noqa: ANN401 - as above
    gate = library.PhaseGate(angle)
    if count > 1:
        gate = gate.control(count - 1)
    if not inverted:
        return gate
    circuit = QuantumCircuit(count)
    circuit.x(circuit.qubits)
    circuit.append(gate, circuit.qubits)
    circuit.x(circuit.qubits)
    return gates.DefinedGate("negctrl_gphase", circuit, (), [])


def gate_definition(machine: Machine, node: ast.QuantumGateDefinition) -> None:
    """``gate own(a) q { rx(a) q; }``."""
    if not machine.scopes.is_global:
        raise wrong("gates can be defined at the top level only")
    name = node.name.name
    names = [each.name for each in (*node.arguments, *node.qubits)]
    if len(set(names)) != len(names):
        raise wrong(f"the gate {name!r} has two arguments of one name")
    outer, machine.program, machine.in_gate = machine.program, Program(), True
    try:
        with machine.block(is_body=True):
            for argument in node.arguments:
                value = Value(Type(Kind.FLOAT), Parameter(argument.name))
                machine.scopes.declare(argument.name, Variable(argument.name, FLOAT, value, is_constant=True))
            for qubit in node.qubits:
                machine.scopes.declare(qubit.name, Qubits((machine.program.add_loose_qubit(),), is_single=True))
            machine.run(node.body)
        made = gates.defined(
            name,
            machine.program.circuit(),
            tuple(each.name for each in node.arguments),
            machine.program.num_gates,
        )
    finally:
        machine.program, machine.in_gate = outer, False
    machine.scopes.declare(name, made)


def qubit_operand(machine: Machine, node: Any) -> Qubits:  # noqa: ANN401 - an identifier or an expression
    """The qubits that a statement names.

    Raises:
        Refusal: It names something else.
    """
    if type(node) is ast.IndexedIdentifier:
        found = machine.find(node.name.name, node.name)
        for index in node.indices:
            found = indexed(machine, found, index)
    else:
        found = machine.find(node.name, node) if type(node) is ast.Identifier else anything(machine, node)
    if not isinstance(found, Qubits):
        raise wrong(f"qubits are needed here, and {_name_of(node)!r} is none", node)
    return found


def _name_of(node: Any) -> str:  # noqa: ANN401 - a node
    name = getattr(node, "name", None)
    return str(getattr(name, "name", name) or "this")


def bit_target(machine: Machine, node: Any) -> BitAlias:  # noqa: ANN401 - an identifier, indexed or not
    """The bits of variables that a statement writes to.

    Raises:
        Refusal: It names something else.
    """
    name = node.name if type(node) is ast.IndexedIdentifier else node
    found = machine.find(name.name, name)
    if isinstance(found, Variable):
        found = alias_of(machine, name) or _bits_of_variable(found)
    if not isinstance(found, BitAlias):
        raise wrong(f"bits are needed here, and {name.name!r} is none", name)
    for index in node.indices if type(node) is ast.IndexedIdentifier else ():
        found = indexed_bits(machine, found, index)
    return found


def _bits_of_variable(variable: Variable) -> BitAlias:
    width = variable.type.num_bits if isinstance(variable.type, Type) else None
    if width is None:
        raise wrong(f"{variable.name!r} is a {variable.type}, and has no bits")
    is_single = variable.type.kind is Kind.BOOL  # type: ignore[union-attr] # a type with a width is a scalar's
    return BitAlias(tuple((variable, place) for place in range(width)), is_single=is_single)


def measurement(machine: Machine, node: ast.QuantumMeasurementStatement) -> None:
    """``c = measure q;``, ``measure q -> c;`` and ``measure q;``."""
    qubits = qubit_operand(machine, node.measure.qubit)
    if node.target is None:
        machine.measured(qubits.qubits)
        return
    target = bit_target(machine, node.target)
    check_widths(qubits, len(target.places), is_single=target.is_single)
    machine.measure(qubits.qubits, target)


def check_widths(qubits: Qubits, width: int, *, is_single: bool) -> None:
    """Check that what is measured fits where it goes.

    Raises:
        Refusal: It does not.
    """
    del is_single
    if len(qubits.qubits) != width:
        raise wrong(f"{len(qubits.qubits)} qubits are measured into {width} bits", solution="Give both the same width.")


def measured_value(machine: Machine, node: ast.QuantumMeasurement) -> Value:
    """What is measured, as a value."""
    qubits = qubit_operand(machine, node.qubit)
    found = machine.measured(qubits.qubits)
    return Value(Type(Kind.BIT, None if qubits.is_single else len(found)), found)


def reset(machine: Machine, node: ast.QuantumReset) -> None:
    """``reset q;``."""
    for qubit in qubit_operand(machine, node.qubits).qubits:
        machine.program.count_gates(1)
        machine.program.append(CircuitInstruction(_RESET, (qubit,)))


def barrier(machine: Machine, node: ast.QuantumBarrier) -> None:
    """``barrier q, r;``; without operands it is one of all qubits."""
    qubits = _all_or(machine, node.qubits)
    if qubits:
        machine.program.append(CircuitInstruction(Barrier(len(qubits)), qubits))


def delay(machine: Machine, node: ast.DelayInstruction) -> None:
    """``delay[100ns] q;``."""
    value = evaluated(machine, node.duration)
    if not isinstance(value.data, Duration):
        raise wrong("a delay takes a duration", solution="Write its unit: `delay[100ns] q;`.")
    if value.data.amount < 0:
        raise wrong("a delay is negative")
    amount: Any = value.data.amount
    if value.data.unit == "dt":
        if not float(amount).is_integer():
            raise wrong(f"a delay of {amount} dt", solution="Delays in dt are integers.")
        amount = int(amount)
    for qubit in _all_or(machine, node.qubits):
        machine.program.count_gates(1)
        machine.program.append(CircuitInstruction(Delay(amount, value.data.unit), (qubit,)))


def _all_or(machine: Machine, nodes: Sequence[Any]) -> list[Qubit]:
    if not nodes:
        return list(machine.program.qubits)
    found: dict[Qubit, None] = {}
    for node in nodes:
        found.update(dict.fromkeys(qubit_operand(machine, node).qubits))
    return list(found)
