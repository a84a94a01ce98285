"""Declarations and assignments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from openqasm3 import ast
from qiskit.circuit import Parameter

from qdepot.quantum.openqasm3.expressions import anything, evaluated, resolved_type, size
from qdepot.quantum.openqasm3.gates import CX_GATE, LIBRARY
from qdepot.quantum.openqasm3.operators import binary
from qdepot.quantum.openqasm3.parts import alias_of, array_item, index_places, variable_value
from qdepot.quantum.openqasm3.quantum import bit_target, check_widths, measured_value, qubit_operand
from qdepot.quantum.openqasm3.refusal import unsupported, wrong
from qdepot.quantum.openqasm3.scope import BitAlias, External, Qubits, Subroutine, Variable
from qdepot.quantum.openqasm3.types import ArrayType, Kind, Type
from qdepot.quantum.openqasm3.values import Array, Value, bits_of, cast

if TYPE_CHECKING:
    from qdepot.quantum.openqasm3.machine import Machine


def include(machine: Machine, node: ast.Include) -> None:
    """``include "stdgates.inc";``."""
    if node.filename != "stdgates.inc":
        raise unsupported(f"the file {node.filename!r} cannot be included: no files are read here")
    if machine.has_library:
        return
    machine.has_library = True
    for name, kind in LIBRARY.items():
        if name != CX_GATE.name:  # it is known without the library
            machine.scopes.declare(name, kind)


def qubit_declaration(machine: Machine, node: ast.QubitDeclaration) -> None:
    """``qubit[4] q;``."""
    if not machine.scopes.is_global:
        raise wrong("qubits can be declared at the top level only", solution="Hand them to the subroutine.")
    machine.use_physical_qubits(physical=False)
    name = node.qubit.name
    if node.size is None:
        machine.scopes.declare(name, Qubits((machine.program.add_loose_qubit(),), is_single=True))
        return
    machine.scopes.declare(name, Qubits(tuple(machine.program.add_qubits(name, size(machine, node.size)))))


def declaration(machine: Machine, node: ast.ClassicalDeclaration) -> None:
    """``int[8] n = 3;``, ``bit[2] c;``, ``array[int[8], 4] a = {1, 2, 3, 4};``."""
    type_ = resolved_type(machine, node.type)
    variable = Variable(node.identifier.name, type_, None, depth=machine.program.depth)
    if isinstance(type_, ArrayType):
        variable.value = _initial_array(machine, type_, node.init_expression)
        machine.scopes.declare(variable.name, variable)
        return
    start = _initial(machine, variable, node.init_expression)
    machine.scopes.declare(variable.name, variable)
    if type_.kind is Kind.BIT:
        if machine.scopes.is_global:
            machine.declare_result(variable)
        if start is None:
            start = Value(type_, 0)
    if isinstance(node.init_expression, ast.QuantumMeasurement) and type_.kind is Kind.BIT:
        qubits = qubit_operand(machine, node.init_expression.qubit)
        target = bit_target(machine, node.identifier)
        check_widths(qubits, len(target.places), is_single=target.is_single)
        machine.measure(qubits.qubits, target)
    elif start is not None:
        machine.assign(variable, start)


def _initial(machine: Machine, variable: Variable, node: Any) -> Value | None:  # noqa: ANN401 - a node
    if node is None:
        return None
    if isinstance(node, ast.QuantumMeasurement):
        return (
            None
            if isinstance(variable.type, Type) and variable.type.kind is Kind.BIT
            else measured_value(machine, node)
        )
    assert isinstance(variable.type, Type)
    return cast(evaluated(machine, node), variable.type)


def _initial_array(machine: Machine, type_: ArrayType, node: Any) -> Array:  # noqa: ANN401 - a node
    array = Array(type_, np.full(type_.shape, None, dtype=object))
    if node is not None:
        _fill(machine, array, node)
    return array


def _fill(machine: Machine, array: Array, node: Any) -> None:  # noqa: ANN401 - a node
    if not isinstance(node, ast.ArrayLiteral):
        _copy(array, anything(machine, node))
        return
    if len(node.values) != array.type.shape[0]:
        raise wrong(f"{len(node.values)} values for {array.type.shape[0]} elements", node)
    for place, each in enumerate(node.values):
        if len(array.type.shape) == 1:
            array.data[place] = _known(cast(evaluated(machine, each), array.type.base))
        else:
            row = ArrayType(array.type.base, array.type.shape[1:])
            _fill(machine, Array(row, array.data[place]), each)


def _known(value: Value) -> Any:  # noqa: ANN401 - the data of a scalar
    if not value.is_known:
        raise unsupported(
            "an element of an array that depends on measurements", solution="Use a register: `bit[4] c;`, `uint[8] n;`."
        )
    return value.data


def _copy(target: Array, found: object) -> None:
    if not isinstance(found, Array) or found.type.shape != target.type.shape:
        what = str(found.type) if isinstance(found, (Array, Value)) else "this"
        raise wrong(f"{what} does not fit into {target.type}")
    copied = [
        None if each is None else cast(Value(found.type.base, each), target.type.base).data for each in found.data.flat
    ]
    for key, each in zip(np.ndindex(*target.type.shape), copied, strict=True):
        target.data[key] = each


def constant(machine: Machine, node: ast.ConstantDeclaration) -> None:
    """``const int n = 4;``."""
    type_ = resolved_type(machine, node.type)
    if isinstance(type_, ArrayType):
        raise wrong("arrays cannot be constants", node)
    value = cast(evaluated(machine, node.init_expression), type_)
    if not value.is_known:
        raise wrong(f"the value of the constant {node.identifier.name!r} depends on measurements")
    machine.scopes.declare(node.identifier.name, Variable(node.identifier.name, type_, value, is_constant=True))


def input_or_output(machine: Machine, node: ast.IODeclaration) -> None:
    """``input float theta;`` and ``output bit[2] c;``."""
    if not machine.scopes.is_global:
        raise wrong("inputs and outputs can be declared at the top level only")
    type_ = resolved_type(machine, node.type)
    name = node.identifier.name
    if node.io_identifier is ast.IOKeyword.output:
        _output(machine, name, type_)
        return
    if isinstance(type_, ArrayType) or type_.kind not in (Kind.FLOAT, Kind.ANGLE):
        raise unsupported(
            f"an input of type {type_}", solution="Declare a constant instead, or an input of type float or angle."
        )
    parameter = Parameter(name)
    machine.scopes.declare(name, Variable(name, type_, Value(type_, parameter), is_constant=True))
    machine.parameters.append(parameter)


def _output(machine: Machine, name: str, type_: Type | ArrayType) -> None:
    if isinstance(type_, ArrayType) or type_.num_bits is None:
        raise unsupported(f"an output of type {type_}", solution="Results are bits: bit, bool, int, uint or angle[n].")
    variable = Variable(name, type_, Value(type_, 0) if type_.kind is Kind.BIT else None)
    machine.scopes.declare(name, variable)
    machine.declare_result(variable)
    machine.outputs.append(variable)


def alias(machine: Machine, node: ast.AliasStatement) -> None:
    """``let a = q[0:2] ++ r;``."""
    found = alias_of(machine, node.value)
    meaning = anything(machine, node.value) if found is None else found
    if not isinstance(meaning, (Qubits, BitAlias)):
        raise wrong("an alias names qubits or bits that are declared", node.value)
    machine.scopes.replace(node.target.name, meaning)


def assignment(machine: Machine, node: ast.ClassicalAssignment) -> None:
    """``n = 3;``, ``n += 1;``, ``c[0] = true;``."""
    target, sign = node.lvalue, node.op.name
    name = target.name if isinstance(target, ast.IndexedIdentifier) else target
    found = machine.find(name.name, name)
    if isinstance(found, Variable) and isinstance(found.type, ArrayType):
        _assign_to_array(machine, found, node)
        return
    if isinstance(found, Variable) and isinstance(target, ast.Identifier):
        machine.assign(found, _new_value(machine, sign, lambda: variable_value(found), node.rvalue))
        return
    bits = bit_target(machine, target)
    type_ = Type(Kind.BIT, None if bits.is_single else len(bits.places))
    value = _new_value(machine, sign, lambda: evaluated(machine, _as_expression(target)), node.rvalue)
    machine.write(bits, bits_of(cast(value, type_)))


def _new_value(machine: Machine, sign: str, before: Any, node: Any) -> Value:  # noqa: ANN401 - a function, a node
    value = measured_value(machine, node) if isinstance(node, ast.QuantumMeasurement) else evaluated(machine, node)
    if sign == "=":
        return value
    if sign == "~=":
        raise unsupported("the operator ~= is not supported", solution="Write `a = ~b;`.")
    return binary(sign[:-1], before(), value, machine.settled)


def _as_expression(target: ast.Identifier | ast.IndexedIdentifier) -> ast.Expression:
    if isinstance(target, ast.Identifier):
        return target
    found: ast.Expression = target.name
    for index in target.indices:
        found = ast.IndexExpression(found, index)
        found.span = target.span
    return found


def _assign_to_array(machine: Machine, variable: Variable, node: ast.ClassicalAssignment) -> None:
    array = variable_value(variable)
    if not array.writable:
        raise wrong(f"{variable.name!r} is read-only")
    if variable.depth != machine.program.depth:
        raise unsupported(
            f"an element of the array {variable.name!r} is assigned in a branch on measurements",
            solution="Use a register: `bit[4] c;`, `uint[8] n;`.",
        )
    target = node.lvalue
    if isinstance(target, ast.Identifier):
        _fill(machine, array, node.rvalue)
        return
    *outer, last = target.indices
    part = array
    for index in outer:
        part = array_item(machine, part, index)
    if isinstance(last, list) and _selects_one(machine, part, last):
        key = tuple(index_places(machine, [each], n)[0][0] for each, n in zip(last, part.type.shape, strict=True))
        value = _new_value(machine, node.op.name, lambda: array_item(machine, part, last), node.rvalue)
        part.data[key] = _known(cast(value, array.type.base))
        return
    if node.op.name != "=":
        raise wrong(f"the operator {node.op.name} on a part of an array", solution="Write a loop over its elements.")
    _fill(machine, array_item(machine, part, last), node.rvalue)


def _selects_one(machine: Machine, part: Array, index: list[Any]) -> bool:
    del machine
    return len(index) == len(part.type.shape) and not any(isinstance(each, ast.RangeDefinition) for each in index)


def subroutine(machine: Machine, node: ast.SubroutineDefinition) -> None:
    """``def f(qubit q) -> bit { ... }``; its body is looked at where it is called."""
    if not machine.scopes.is_global:
        raise wrong("subroutines can be defined at the top level only")
    machine.scopes.declare(node.name.name, Subroutine(node))


def extern(machine: Machine, node: ast.ExternDeclaration) -> None:
    """``extern f(int) -> bit;``; what it does is not known, so that it cannot be called."""
    machine.scopes.declare(node.name.name, External(node.name.name))
