"""Calls of subroutines: their bodies are executed where they are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from openqasm3 import ast

from qdepot.quantum.openqasm3.control_flow import Returned
from qdepot.quantum.openqasm3.expressions import anything, evaluated, resolved_type, size
from qdepot.quantum.openqasm3.quantum import measured_value, qubit_operand
from qdepot.quantum.openqasm3.refusal import unsupported, wrong
from qdepot.quantum.openqasm3.scope import Qubits, Subroutine, Variable
from qdepot.quantum.openqasm3.types import ArrayType, Type
from qdepot.quantum.openqasm3.values import Array, Value, cast, integer

if TYPE_CHECKING:
    from qdepot.quantum.openqasm3.machine import Machine

MAX_CALLS = 64
"""Deepest nesting of calls."""


def call(machine: Machine, subroutine: Subroutine, arguments: Sequence[Any], node: ast.QASMNode) -> Any:  # noqa: ANN401 - a scalar or None
    """Execute a subroutine; what it returns is to be used in the present statement."""
    definition = subroutine.definition
    name = definition.name.name
    if len(arguments) != len(definition.arguments):
        raise wrong(f"{name}() takes {len(definition.arguments)} arguments, not {len(arguments)}", node)
    if machine.calls >= MAX_CALLS:
        raise unsupported(f"calls that are nested more than {MAX_CALLS} deep", node, solution="Write a loop.")
    if machine.in_gate:
        raise wrong("a subroutine in the body of a gate", node, solution="Gates consist of gates alone.")
    values = [_argument(machine, given, wanted) for given, wanted in zip(arguments, definition.arguments, strict=True)]
    return _executed(machine, definition, values)


def _executed(machine: Machine, definition: ast.SubroutineDefinition, values: Sequence[Any]) -> Any:  # noqa: ANN401 - as call
    with machine.inside_call(), machine.scopes.block(is_body=True) as ended:
        for value, wanted in zip(values, definition.arguments, strict=True):
            machine.scopes.declare(wanted.name.name, value)
        found = None
        try:
            machine.run(definition.body)
        except Returned as returned:
            found = returned.value
        found = _result(machine, definition, found)
    for variable in ended:
        if variable.clbits is not None:
            machine.temporaries.extend(variable.clbits)  # what is returned may be read from them
    return found


def _result(machine: Machine, definition: ast.SubroutineDefinition, found: Any) -> Any:  # noqa: ANN401 - as call
    if definition.return_type is None:
        return None
    if found is None:
        raise wrong(f"{definition.name.name}() ends without a `return`", definition)
    wanted = resolved_type(machine, definition.return_type)
    if isinstance(wanted, ArrayType) or not isinstance(found, Value):
        raise unsupported("a subroutine that returns an array", definition, solution="Hand a mutable array over.")
    return cast(found, wanted)


def return_(machine: Machine, node: ast.ReturnStatement) -> None:
    """``return measure q;``."""
    if not machine.calls:
        raise wrong("`return` outside of a subroutine", node)
    if machine.program.depth != machine.call_depth:
        raise unsupported(
            "`return` in a branch on measurements",
            node,
            solution="Assign to a variable in the branches, and return it at the end.",
        )
    if node.expression is None:
        raise Returned(None)
    if isinstance(node.expression, ast.QuantumMeasurement):
        raise Returned(measured_value(machine, node.expression))
    raise Returned(evaluated(machine, node.expression))


def _argument(machine: Machine, given: Any, wanted: Any) -> Any:  # noqa: ANN401 - nodes; qubits or a variable
    if isinstance(wanted, ast.QuantumArgument):
        return _qubits(machine, given, wanted)
    name = wanted.name.name
    if isinstance(wanted.type, ast.ArrayReferenceType):
        return _array(machine, given, wanted)
    type_ = resolved_type(machine, wanted.type)
    if isinstance(given, ast.IndexedIdentifier):
        raise wrong("qubits stand where the subroutine takes a value", given)
    assert isinstance(type_, Type)
    return Variable(name, type_, cast(evaluated(machine, given), type_), depth=machine.program.depth)


def _qubits(machine: Machine, given: Any, wanted: ast.QuantumArgument) -> Qubits:  # noqa: ANN401 - a node
    found = qubit_operand(machine, given)
    if wanted.size is None:
        if len(found.qubits) != 1:
            raise wrong(f"{len(found.qubits)} qubits for the single qubit {wanted.name.name!r}", given)
        return Qubits(found.qubits, is_single=True)
    expected = size(machine, wanted.size)
    if len(found.qubits) != expected:
        raise wrong(f"{len(found.qubits)} qubits for {wanted.name.name!r}, which has {expected}", given)
    return Qubits(found.qubits)


def _array(machine: Machine, given: Any, wanted: ast.ClassicalArgument) -> Variable:  # noqa: ANN401 - a node
    found = anything(machine, given)
    reference = wanted.type
    assert isinstance(reference, ast.ArrayReferenceType)
    if not isinstance(found, Array):
        raise wrong(f"{wanted.name.name!r} takes an array", given)
    base = resolved_type(machine, reference.base_type)
    if isinstance(reference.dimensions, list):
        fits = found.type.shape == tuple(size(machine, each) for each in reference.dimensions)
    else:
        fits = len(found.type.shape) == integer(evaluated(machine, reference.dimensions))
    if not fits or found.type.base != base:
        raise wrong(f"{found.type} for {wanted.name.name!r}, which is another array type", given)
    is_mutable = wanted.access is ast.AccessControl.mutable
    view = Array(found.type, found.data, writable=is_mutable and found.writable)
    return Variable(wanted.name.name, found.type, view, depth=machine.program.depth)
