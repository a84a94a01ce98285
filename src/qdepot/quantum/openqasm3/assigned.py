"""What statements may change, found in their syntax alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from openqasm3 import ast


def assigned_names(nodes: Iterable[Any]) -> set[str]:
    """Names of all variables that statements assign to or measure into, also those that they declare themselves."""
    found: set[str] = set()
    for node in nodes:
        for each in _nodes(node):
            target = _target(each)
            if target is not None:
                found.add(target)
    return found


def calls_subroutine(statements: Iterable[Any]) -> bool:
    """Whether statements call anything by name with arguments in parentheses."""
    return any(isinstance(each, ast.FunctionCall) for statement in statements for each in _nodes(statement))


def leaves_loop(statements: Iterable[Any]) -> bool:
    """Whether statements hold a ``break`` or ``continue`` of the loop around them."""
    return any(_leaves(statement) for statement in statements)


def _leaves(node: Any) -> bool:  # noqa: ANN401 - any node
    if isinstance(node, (ast.BreakStatement, ast.ContinueStatement)):
        return True
    if isinstance(node, (ast.ForInLoop, ast.WhileLoop)):
        return False
    return any(_leaves(child) for child in _children(node))


def _target(node: Any) -> str | None:  # noqa: ANN401 - any node
    target = None
    if isinstance(node, ast.ClassicalAssignment):
        target = node.lvalue
    elif isinstance(node, ast.QuantumMeasurementStatement):
        target = node.target
    if target is None:
        return None
    name = target.name if isinstance(target, ast.IndexedIdentifier) else target
    return str(name.name)


def _nodes(node: Any) -> Iterator[Any]:  # noqa: ANN401 - any node
    pending = [node]
    while pending:
        each = pending.pop()
        if isinstance(each, ast.QASMNode):
            yield each
            pending.extend(_children(each))


def _children(node: Any) -> Iterator[Any]:  # noqa: ANN401 - any node
    if not isinstance(node, ast.QASMNode):
        return
    for each in fields(node):
        yield from _flat(getattr(node, each.name))


def _flat(value: Any) -> Iterator[Any]:  # noqa: ANN401 - a field of a node
    if isinstance(value, ast.QASMNode):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _flat(each)
