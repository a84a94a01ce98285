"""Parts of registers, of arrays and of numbers, selected by indices, ranges and sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from openqasm3 import ast

from qdepot.quantum.openqasm3 import ranges
from qdepot.quantum.openqasm3.refusal import Refusal, unsupported, wrong
from qdepot.quantum.openqasm3.scope import BitAlias, Qubits, Variable
from qdepot.quantum.openqasm3.types import BIT, BOOL, ArrayType, Kind, Type
from qdepot.quantum.openqasm3.values import Array, Value, bits_of, from_bits, integer, single_bit

if TYPE_CHECKING:
    from qdepot.quantum.openqasm3.machine import Machine


def alias_value(alias: BitAlias) -> Value:
    """What the bits of an alias hold."""
    found = [bits_of(variable_value(variable))[index] for variable, index in alias.places]
    return single_bit(found[0]) if alias.is_single else from_bits(Type(Kind.BIT, len(found)), found)


def variable_value(variable: Variable) -> Any:  # noqa: ANN401 - a scalar or an array
    """What a variable holds.

    Raises:
        Refusal: Nothing was assigned to it.
    """
    if variable.value is None:
        raise wrong(
            f"{variable.name!r} is used before a value was assigned to it",
            solution=f"Declare it with one: `{variable.type} {variable.name} = ...;`.",
        )
    return variable.value


def index_places(machine: Machine, index: Any, length: int) -> tuple[list[int], bool]:  # noqa: ANN401 - an index node
    """The places that an index selects in a register, and whether it selects one as such."""
    if isinstance(index, ast.DiscreteSet):
        if not index.values:
            raise wrong("an empty set of indices selects nothing", index)
        return [ranges.place(integer(machine.evaluated(each)), length) for each in index.values], False
    if len(index) != 1:
        raise wrong("a register has one index", index[0] if index else None)
    (one,) = index
    if not isinstance(one, ast.RangeDefinition):
        try:
            return [ranges.place(_known_index(machine, one), length)], True
        except Refusal as refusal:
            refusal.node = refusal.node or one
            raise
    start, step, end = (
        None if each is None else integer(machine.evaluated(each)) for each in (one.start, one.step, one.end)
    )
    try:
        return list(ranges.places(start, step, end, length)), False
    except Refusal as refusal:
        refusal.node = refusal.node or one
        raise


def _known_index(machine: Machine, node: ast.Expression) -> int:
    if type(node) is ast.IntegerLiteral:
        return int(node.value)
    value = machine.evaluated(node)
    if not value.is_known:
        raise unsupported(
            "an index that depends on measurements",
            node,
            solution="Branch on it: `if (i == 0) { ... c[0] ... }`, or `switch`.",
        )
    return integer(value)


def element(array: Array, place: int) -> Value:
    """One element of an array of one dimension.

    Raises:
        Refusal: Nothing was assigned to it.
    """
    return _element(array, array.data[place])


def _element(array: Array, data: object) -> Value:
    if data is None:
        raise wrong("an element of an array is used before a value was assigned to it")
    return Value(array.type.base, data)


def array_item(machine: Machine, array: Array, index: Any) -> Any:  # noqa: ANN401 - an index node; an array or a scalar
    """A part of an array, as a view."""
    if isinstance(index, ast.DiscreteSet):
        raise unsupported("a set as an index of an array", index)
    if len(index) > len(array.type.shape):
        raise wrong(f"{len(index)} indices into {array.type}", index[0])
    keys = [
        _array_key(*index_places(machine, [one], length)) for one, length in zip(index, array.type.shape, strict=False)
    ]
    part: Any = array.data[tuple(keys)]
    if isinstance(part, np.ndarray):
        return Array(ArrayType(array.type.base, part.shape), part, writable=array.writable)
    return _element(array, part)


def _array_key(places: list[int], is_single: bool) -> int | slice:
    """The index or slice, as NumPy takes it, of places at equal distances."""
    if is_single:
        return places[0]
    step = places[1] - places[0] if len(places) > 1 else 1
    end = places[-1] + step
    return slice(places[0], None if end < 0 else end, step)


def indexed(machine: Machine, found: Any, index: Any) -> Any:  # noqa: ANN401 - as anything
    """A part of what has parts."""
    if isinstance(found, Qubits):
        if found.is_single:
            raise wrong("a single qubit has no indices")
        places, is_single = index_places(machine, index, len(found.qubits))
        return Qubits(tuple(found.qubits[place] for place in places), is_single)
    if isinstance(found, BitAlias):
        return indexed_bits(machine, found, index)
    if isinstance(found, Array):
        return array_item(machine, found, index)
    if isinstance(found, Value) and found.type.num_bits is not None and found.type not in (BIT, BOOL):
        held = bits_of(found)
        places, is_single = index_places(machine, index, len(held))
        if is_single:
            return single_bit(held[places[0]])
        return from_bits(Type(Kind.BIT, len(places)), [held[place] for place in places])
    raise wrong("this has no indices")


def indexed_bits(machine: Machine, alias: BitAlias, index: Any) -> BitAlias:  # noqa: ANN401 - an index node
    """Some of the bits of an alias."""
    if alias.is_single:
        raise wrong("a single bit has no indices")
    places, is_single = index_places(machine, index, len(alias.places))
    return BitAlias(tuple(alias.places[place] for place in places), is_single)


def alias_of(machine: Machine, node: Any) -> BitAlias | None:  # noqa: ANN401 - any node
    """The bits of a variable that is named as a whole; None where it is something else."""
    if isinstance(node, ast.Identifier):
        found = machine.find(node.name, node)
        if isinstance(found, Variable) and isinstance(found.type, Type) and found.type.kind is Kind.BIT:
            count = found.type.num_bits
            assert count is not None
            return BitAlias(tuple((found, place) for place in range(count)), is_single=found.type.width is None)
    return None
