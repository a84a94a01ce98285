"""What expressions are worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from openqasm3 import ast

from qdepot.quantum.openqasm3 import bits, functions, ranges
from qdepot.quantum.openqasm3.operators import binary, unary
from qdepot.quantum.openqasm3.parts import alias_of, alias_value, element, indexed, indexed_bits, variable_value
from qdepot.quantum.openqasm3.refusal import Refusal, unsupported, wrong
from qdepot.quantum.openqasm3.scope import BitAlias, External, Qubits, Subroutine, Variable
from qdepot.quantum.openqasm3.types import (
    ANGLE,
    BIT,
    BOOL,
    DURATION,
    FLOAT,
    INT,
    UINT,
    ArrayType,
    Kind,
    Type,
)
from qdepot.quantum.openqasm3.values import (
    Array,
    Duration,
    Value,
    bits_of,
    cast,
    from_bits,
    integer,
    of_bit,
    single_bit,
    truth,
)
from qdepot.quantum.precheck import MAX_BITS

if TYPE_CHECKING:
    from qdepot.quantum.openqasm3.machine import Machine

_MAX_ELEMENTS = 1_000_000


def evaluated(machine: Machine, node: ast.Expression) -> Value:
    """The scalar that an expression is worth.

    Raises:
        Refusal: It is not one.
    """
    found = anything(machine, node)
    if isinstance(found, Value):
        return found
    if isinstance(found, BitAlias):
        return alias_value(found)
    what = "an array" if isinstance(found, Array) else "a qubit" if isinstance(found, Qubits) else "nothing"
    raise wrong(f"a value is needed here, and this is {what}", node)


def anything(machine: Machine, node: Any) -> Any:  # noqa: ANN401 - any node; scalars, arrays, qubits or aliases
    """What an expression is: a scalar, an array, qubits, bits by alias; None for a call without a result."""
    handler = _EVALUATORS.get(type(node))
    if handler is None:
        raise unsupported(f"{_shown(node)} is not supported here", node)
    try:
        return handler(machine, node)
    except Refusal as refusal:
        if refusal.node is None and node.span is not None:
            refusal.node = node
        raise
    except (OverflowError, ValueError) as error:
        raise wrong("the arithmetic has no finite result", node) from error


def resolved_type(machine: Machine, node: ast.ClassicalType | None) -> Type | ArrayType:
    """The type that is written.

    Raises:
        Refusal: It is not supported, or its width is not known.
    """
    if isinstance(node, ast.ArrayType):
        shape = tuple(size(machine, dimension) for dimension in node.dimensions)
        if int(np.prod(shape, dtype=object)) > _MAX_ELEMENTS:
            raise unsupported(f"an array of more than {_MAX_ELEMENTS} elements", node)
        base = resolved_type(machine, node.base_type)
        assert isinstance(base, Type)
        return ArrayType(base, shape)
    kind = _KINDS.get(type(node))
    if kind is None:
        raise unsupported(f"the type {_TYPE_NAMES.get(type(node), 'of this declaration')} is not supported", node)
    written = getattr(node, "size", None)
    if written is None:
        return kind
    width = size(machine, written)
    if width < 1:
        raise wrong(f"a width of {width}", node, solution="Widths start at 1.")
    return Type(kind.kind, width)


def size(machine: Machine, node: ast.Expression) -> int:
    """The size of a register, or the width of a type.

    Raises:
        Refusal: It is not known, negative, or too large.
    """
    found = integer(evaluated(machine, node))
    if found < 0:
        raise wrong(f"a size of {found}", node)
    if found > MAX_BITS:
        raise unsupported(f"a size of {found}, and at most {MAX_BITS} are possible here", node)
    return found


def loop_values(machine: Machine, node: Any, wanted: Type) -> list[Value]:  # noqa: ANN401 - a range, a set, an array
    """The values that a loop runs through."""
    if isinstance(node, ast.RangeDefinition):
        if node.start is None or node.end is None:
            raise wrong("the range of a loop needs a start and an end", node)
        start, end = (evaluated(machine, each) for each in (node.start, node.end))
        step = 1 if node.step is None else integer(evaluated(machine, node.step))
        return [
            cast(Value(INT, each, is_literal=True), wanted)
            for each in ranges.values(integer(start), step, integer(end))
        ]
    if isinstance(node, ast.DiscreteSet):
        return [cast(evaluated(machine, each), wanted) for each in node.values]
    found = anything(machine, node)
    if isinstance(found, Array) and len(found.type.shape) == 1:
        return [cast(element(found, place), wanted) for place in range(found.type.shape[0])]
    if isinstance(found, BitAlias):
        found = alias_value(found)
    if isinstance(found, Value) and found.type.kind is Kind.BIT and found.type.width is not None:
        return [cast(single_bit(bit), wanted) for bit in bits_of(found)]
    raise wrong("a loop runs through a range, a set, a register of bits or an array of one dimension", node)


def _identifier(machine: Machine, node: ast.Identifier) -> Any:  # noqa: ANN401 - as anything
    found = machine.find(node.name, node)
    if isinstance(found, Variable):
        return variable_value(found)
    if isinstance(found, (Value, Qubits, BitAlias)):
        return found
    raise wrong(f"{node.name!r} is no value", node)


def _literal(machine: Machine, node: Any) -> Value:  # noqa: ANN401 - a literal node
    del machine
    kind = type(node)
    if kind is ast.IntegerLiteral:
        return Value(INT, node.value, is_literal=True)
    if kind is ast.FloatLiteral:
        return Value(FLOAT, node.value)
    if kind is ast.BooleanLiteral:
        return Value(BOOL, node.value)
    if kind is ast.BitstringLiteral:
        return Value(Type(Kind.BIT, node.width), node.value)
    return Value(DURATION, Duration(node.value, node.unit.name))


def _imaginary(machine: Machine, node: ast.ImaginaryLiteral) -> Value:
    del machine
    raise unsupported("complex numbers are not supported", node, solution="Use the real and imaginary parts as floats.")


def _unary(machine: Machine, node: ast.UnaryExpression) -> Value:
    return unary(node.op.name, evaluated(machine, node.expression))


def _binary(machine: Machine, node: ast.BinaryExpression) -> Value:
    sign = node.op.name
    if sign in ("&&", "||"):
        return _logical(machine, sign, node)
    return binary(sign, evaluated(machine, node.lhs), evaluated(machine, node.rhs), machine.settled)


def _logical(machine: Machine, sign: str, node: ast.BinaryExpression) -> Value:
    left = truth(evaluated(machine, node.lhs))
    if isinstance(left, bool) and left is (sign == "||"):
        return Value(BOOL, left)
    before = machine.program.effects
    right = truth(evaluated(machine, node.rhs))
    if machine.program.effects != before and not isinstance(left, bool):
        raise unsupported(
            f"the right side of {sign} measures, and whether it runs depends on a measurement",
            node,
            solution="Compute it before, into a variable.",
        )
    return of_bit((bits.both if sign == "&&" else bits.either)(left, right))


def _index(machine: Machine, node: ast.IndexExpression) -> Any:  # noqa: ANN401 - as anything
    collection = node.collection
    if isinstance(collection, ast.Identifier):
        found = machine.find(collection.name, collection)
        if isinstance(found, Variable) and isinstance(found.value, Value):
            return indexed_bits(machine, BitAlias(tuple((found, place) for place in range(_width(found)))), node.index)
        if isinstance(found, Variable):
            found = variable_value(found)
    else:
        found = anything(machine, collection)
    return indexed(machine, found, node.index)


def _width(variable: Variable) -> int:
    assert isinstance(variable.type, Type)
    width = variable.type.num_bits
    if width is None or variable.type in (BIT, BOOL):
        raise wrong(f"{variable.name!r} is a {variable.type} and has no indices")
    return width


def _concatenation(machine: Machine, node: ast.Concatenation) -> Any:  # noqa: ANN401 - as anything
    sides = [_for_joining(machine, side) for side in (node.lhs, node.rhs)]
    left, right = sides
    if isinstance(left, Qubits) and isinstance(right, Qubits):
        return Qubits(left.qubits + right.qubits)
    if isinstance(left, BitAlias) and isinstance(right, BitAlias):
        return BitAlias(left.places + right.places)
    if isinstance(left, Array) and isinstance(right, Array):
        if left.type.base != right.type.base or left.type.shape[1:] != right.type.shape[1:]:
            raise wrong(f"{left.type} and {right.type} cannot be joined", node)
        data = np.concatenate([left.data, right.data])
        return Array(ArrayType(left.type.base, data.shape), data)
    held = [alias_value(side) if isinstance(side, BitAlias) else side for side in sides]
    if all(isinstance(each, Value) and each.type.kind is Kind.BIT for each in held):
        joined = bits_of(held[0]) + bits_of(held[1])
        return from_bits(Type(Kind.BIT, len(joined)), joined)
    raise wrong("only registers of one kind, or arrays, can be joined", node)


def _for_joining(machine: Machine, node: Any) -> Any:  # noqa: ANN401 - as anything
    found = alias_of(machine, node)
    return anything(machine, node) if found is None else found


def _cast(machine: Machine, node: ast.Cast) -> Value:
    wanted = resolved_type(machine, node.type)
    assert isinstance(wanted, Type)
    return cast(evaluated(machine, node.argument), wanted, explicit=True)


def _sizeof(machine: Machine, node: ast.SizeOf) -> Value:
    found = anything(machine, node.target)
    dimension = 0 if node.index is None else integer(evaluated(machine, node.index))
    if isinstance(found, Array):
        shape: tuple[int, ...] = found.type.shape
    elif isinstance(found, Qubits):
        shape = (len(found.qubits),)
    else:
        width = evaluated(machine, node.target).type.width
        shape = () if width is None else (width,)
    if not 0 <= dimension < len(shape):
        raise wrong(f"sizeof() of dimension {dimension}, and there are {len(shape)}", node)
    return Value(Type(Kind.UINT), shape[dimension])


def _call(machine: Machine, node: ast.FunctionCall) -> Any:  # noqa: ANN401 - as anything
    name = node.name.name
    found = machine.scopes.find(name)
    if isinstance(found, Subroutine):
        return machine.call(found, node.arguments, node)
    if isinstance(found, External):
        raise unsupported(f"the extern function {name!r} cannot be called: nothing says what it does", node)
    if name in functions.UNSUPPORTED_NAMES:
        raise unsupported(f"{name}() is not supported", node)
    if found is None and name in functions.NAMES:
        return functions.called(name, [evaluated(machine, each) for each in node.arguments])
    raise wrong(f"{name!r} is no function", node, solution="Define it with `def` before.")


def _duration_of(machine: Machine, node: Any) -> Value:  # noqa: ANN401 - a node
    del machine
    raise unsupported(
        "durationof() is not supported: gates have no known durations", node, solution="Write the duration."
    )


def _set_as_value(machine: Machine, node: Any) -> Value:  # noqa: ANN401 - a node
    del machine
    raise wrong("a list of values is possible as the first value of an array only", node)


def _shown(node: object) -> str:
    return type(node).__name__


_EVALUATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Identifier: _identifier,
    ast.IntegerLiteral: _literal,
    ast.FloatLiteral: _literal,
    ast.BooleanLiteral: _literal,
    ast.BitstringLiteral: _literal,
    ast.DurationLiteral: _literal,
    ast.ImaginaryLiteral: _imaginary,
    ast.UnaryExpression: _unary,
    ast.BinaryExpression: _binary,
    ast.IndexExpression: _index,
    ast.Concatenation: _concatenation,
    ast.Cast: _cast,
    ast.SizeOf: _sizeof,
    ast.FunctionCall: _call,
    ast.DurationOf: _duration_of,
    ast.ArrayLiteral: _set_as_value,
}
_KINDS: dict[type, Type] = {
    ast.BoolType: BOOL,
    ast.BitType: BIT,
    ast.IntType: INT,
    ast.UintType: UINT,
    ast.FloatType: FLOAT,
    ast.AngleType: ANGLE,
    ast.DurationType: DURATION,
}
_TYPE_NAMES: dict[type, str] = {
    ast.ComplexType: "complex",
    ast.StretchType: "stretch",
    ast.ArrayReferenceType: "array, as a reference,",
}
