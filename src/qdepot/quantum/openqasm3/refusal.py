"""Why a program is refused, before its place in the text is known."""

from __future__ import annotations

from openqasm3 import ast


class Refusal(Exception):  # noqa: N818 - it becomes an error with a place
    """A part of a program is wrong, or cannot be run here.

    Attributes:
        message: What is refused.
        node: Where it stands; None: in the statement that is being executed.
        solution: What to write instead.
        is_wrong: Whether OpenQASM 3 forbids it; else it is legal, but unsupported.
    """

    def __init__(self, message: str, node: ast.QASMNode | None, solution: str, *, is_wrong: bool) -> None:
        super().__init__(message)
        self.message = message
        self.node = node
        self.solution = solution
        self.is_wrong = is_wrong


def wrong(message: str, node: ast.QASMNode | None = None, *, solution: str = "") -> Refusal:
    """For what OpenQASM 3 forbids."""
    return Refusal(message, node, solution, is_wrong=True)


def unsupported(message: str, node: ast.QASMNode | None = None, *, solution: str = "") -> Refusal:
    """For what is legal, but cannot be run here."""
    return Refusal(message, node, solution, is_wrong=False)
