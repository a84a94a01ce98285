"""From OpenQASM 3 text to its syntax tree, without the grammar where a statement is of the plainest kind.

The reference parser takes about half a millisecond a line. Long programs are nearly all flat gate calls, declarations
and measurements: those are recognised here by regular expressions and become the very nodes that the reference parser
would make (tests compare the trees); everything else goes to the reference parser, in one piece.
"""

from __future__ import annotations

import contextlib
import io
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator

import openqasm3
from openqasm3 import ast

_NAME = r"[A-Za-z_]\w*"
_OPERAND = rf"{_NAME}(?:\s*\[\s*\d+\s*\])?"
_OPERANDS = rf"{_OPERAND}(?:\s*,\s*{_OPERAND})*"
_FLOAT = r"(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+"
_FACTOR = rf"\s*(-)?\s*(?:({_FLOAT})|(\d+)|({_NAME}))\s*"
_KEYWORDS = frozenset(
    [
        "OPENQASM",
        "include",
        "defcalgrammar",
        "def",
        "cal",
        "defcal",
        "gate",
        "extern",
        "box",
        "let",
        "break",
        "continue",
        "if",
        "else",
        "end",
        "return",
        "for",
        "while",
        "in",
        "switch",
        "case",
        "default",
        "nop",
        "pragma",
        "input",
        "output",
        "const",
        "readonly",
        "mutable",
        "qreg",
        "qubit",
        "creg",
        "bool",
        "bit",
        "int",
        "uint",
        "float",
        "angle",
        "complex",
        "array",
        "void",
        "duration",
        "stretch",
        "gphase",
        "inv",
        "pow",
        "ctrl",
        "negctrl",
        "delay",
        "reset",
        "measure",
        "barrier",
        "durationof",
        "true",
        "false",
        "im",
    ]
)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII)


_WORD = _pattern(_NAME)
_OPERAND_PARTS = _pattern(rf"({_NAME})(?:\s*\[\s*(\d+)\s*\])?")
_FACTOR_PARTS = _pattern(_FACTOR)
_PRODUCT = _pattern(rf"{_FACTOR}(?:[*/]{_FACTOR})*")
_HEADER = _pattern(r"\s*OPENQASM\s+(\d+(?:\.\d+)?)\s*;")
_NEEDS_GRAMMAR = _pattern(r"(?:^|[;{}\n])[ \t]*@|\bOPENQASM\b|\bpragma\b|\b(?:def)?cal(?:grammar)?\b")
"""Where statements end at a line's end, or not at semicolons alone."""
_BOUNDARY = _pattern(r"[;{}]")


def syntax_tree(code: str) -> ast.Program:
    """The tree of a program whose comments were blanked.

    Raises:
        openqasm3.parser.QASM3ParsingError: It is not a program.
    """
    header = _HEADER.match(code)
    start = header.end() if header else 0
    if _NEEDS_GRAMMAR.search(code, start):
        return _parsed(code)
    recognised, rest = _taken_apart(code, start)
    if rest is None:
        return _parsed(code)
    others = _parsed(rest).statements if rest.strip() else []
    return ast.Program(
        statements=sorted([*recognised, *others], key=_place),
        version=header[1] if header else None,
    )


def warm_up() -> None:
    """Let the grammar meet its usual statements: its parser learns as it goes, and the first of a kind is slow."""
    _parsed(_TYPICAL)


def _parsed(code: str) -> ast.Program:
    with contextlib.redirect_stderr(io.StringIO()):  # its lexer prints what it stumbles over
        return openqasm3.parse(code)


def _place(statement: ast.Statement) -> tuple[int, int]:
    return statement.span.start_line, statement.span.start_column


def _taken_apart(code: str, start: int) -> tuple[list[ast.Statement], str | None]:
    """The statements that were recognised, and the rest with blanks in their place.

    The rest is None where the grammar must see the whole: an ``else`` after a recognised statement is an error, and
    shall not be married to an earlier ``if``.
    """
    newlines = [match.start() for match in re.finditer("\n", code)]
    recognised: list[ast.Statement] = []
    kept = [_blank(code[:start])]
    end, was_recognised = start, False
    for begin, end, certain in _flat_statements(code, start):
        text = code[begin:end]
        if was_recognised and text.lstrip().startswith("else"):
            return [], None
        node = _statement(text[:-1].strip()) if certain else None
        was_recognised = node is not None
        kept.append(text if node is None else _blank(text))
        if node is not None:
            node.span = _span(newlines, begin + len(text) - len(text.lstrip()))
            recognised.append(node)
    return recognised, "".join([*kept, code[end:]])


def _blank(text: str) -> str:
    return "\n" * text.count("\n") + " " * (len(text) - 1 - text.rfind("\n"))


def _span(newlines: list[int], offset: int) -> ast.Span:
    """Where a statement begins; its inner nodes are only ever reported by it."""
    line = bisect_left(newlines, offset)
    column = offset - (newlines[line - 1] + 1 if line else 0)
    return ast.Span(line + 1, column, line + 1, column)


def _flat_statements(code: str, start: int) -> Iterator[tuple[int, int, bool]]:
    """Begin and end of what stands between semicolons outside of braces.

    The third value says whether it is sure to be one whole statement: not so where a brace was closed before, since
    the body of a loop may follow one.
    """
    depth, certain = 0, True
    for match in _BOUNDARY.finditer(code, start):
        sign = match.group()
        if sign == "{":
            depth, certain = depth + 1, False
        elif sign == "}":
            depth -= 1
        elif depth == 0:
            yield start, match.end(), certain
            start, certain = match.end(), True


def _statement(text: str) -> ast.Statement | None:
    """The node of a statement of one of the plain kinds."""
    word = _WORD.match(text)
    if word is None:
        return None
    for pattern, build in _KINDS.get(word.group(), _OTHER_KINDS):
        match = pattern.fullmatch(text)
        if match:
            return build(match)
    return None


def _operand(text: str) -> ast.Identifier | ast.IndexedIdentifier:
    parts = _OPERAND_PARTS.fullmatch(text.strip())
    assert parts is not None
    name = ast.Identifier(parts[1])
    return name if parts[2] is None else ast.IndexedIdentifier(name, [[ast.IntegerLiteral(int(parts[2]))]])


def _operands(text: str | None) -> list[ast.Identifier | ast.IndexedIdentifier]:
    return [_operand(part) for part in text.split(",")] if text else []


def _product(text: str) -> ast.Expression | None:
    """A number, a name, or products and quotients of such, each with an optional minus sign."""
    if not _PRODUCT.fullmatch(text):
        return None
    pieces = re.split(r"([*/])", text)
    node = _factor(pieces[0])
    for sign, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        node = ast.BinaryExpression(ast.BinaryOperator[sign], node, _factor(piece))
    return node


def _factor(text: str) -> ast.Expression:
    match = _FACTOR_PARTS.fullmatch(text)
    assert match is not None
    minus, real, integer, name = match.groups()
    node: ast.Expression
    if real is not None:
        node = ast.FloatLiteral(float(real))
    else:
        node = ast.Identifier(name) if integer is None else ast.IntegerLiteral(int(integer))
    return ast.UnaryExpression(ast.UnaryOperator["-"], node) if minus else node


def _gate(match: re.Match[str]) -> ast.Statement | None:
    if not _KEYWORDS.isdisjoint(_WORD.findall(match.group())):
        return None
    arguments = [_product(part) for part in match[2].split(",")] if match[2] and match[2].strip() else []
    if None in arguments:
        return None
    return ast.QuantumGate([], ast.Identifier(match[1]), arguments, _operands(match[3]))


def _measurement(*, target: str, qubit: str) -> ast.Statement | None:
    if not _KEYWORDS.isdisjoint(_WORD.findall(f"{target} {qubit}")):
        return None
    return ast.QuantumMeasurementStatement(ast.QuantumMeasurement(_operand(qubit)), _operand(target))


def _declaration(match: re.Match[str]) -> ast.Statement | None:
    if match[3] in _KEYWORDS:
        return None
    name, size = ast.Identifier(match[3]), None if match[2] is None else ast.IntegerLiteral(int(match[2]))
    if match[1] == "qubit":
        return ast.QubitDeclaration(name, size)
    return ast.ClassicalDeclaration(ast.BitType(size), name)


_TYPICAL = """OPENQASM 3.0; include "stdgates.inc"; input float t; const int n = 2;
gate g(a, b) x, y { cx x, y; rx(a * (b + 2) - pi / 2) y; U(a, -b, 0.5) x; }
qubit[3] q; bit[3] c; let r = q[0:1]; reset q; g(t, 1.5e-3) q[0], q[1]; ctrl @ inv @ pow(2) @ x q[0], q[1];
barrier q; c[0] = measure q[0]; measure q[1] -> c[1]; gphase(pi / 4); delay[100ns] q[0]; box { h q[0]; }
if (c[0] == 1) { x q[0]; } else { z q[0]; } if (c[1]) x q[1]; while (c == 3) { h q[0]; c[0] = measure q[0]; }
for uint i in [0:2:4] { rz(i) q[0]; } for int j in {1, 2} x q[1]; c = measure q;
"""
_Kind = tuple[re.Pattern[str], Callable[[re.Match[str]], ast.Statement | None]]
_DECLARATION: _Kind = (_pattern(rf"(qubit|bit)\s*(?:\[\s*(\d+)\s*\]\s*|\s)({_NAME})"), _declaration)
_KINDS: dict[str, tuple[_Kind, ...]] = {
    "qubit": (_DECLARATION,),
    "bit": (_DECLARATION,),
    "include": ((_pattern(r'include\s*"(stdgates\.inc)"'), lambda match: ast.Include(match[1])),),
    "barrier": ((_pattern(rf"barrier(?:\s+({_OPERANDS}))?"), lambda match: ast.QuantumBarrier(_operands(match[1]))),),
    "reset": ((_pattern(rf"reset\s+({_OPERAND})"), lambda match: ast.QuantumReset(_operand(match[1]))),),
    "measure": (
        (
            _pattern(rf"measure\s+({_OPERAND})\s*->\s*({_OPERAND})"),
            lambda match: _measurement(target=match[2], qubit=match[1]),
        ),
    ),
}
_OTHER_KINDS: tuple[_Kind, ...] = (
    (_pattern(rf"({_NAME})\s*(?:\(([^()]*)\)\s*|\s)({_OPERANDS})"), _gate),
    (
        _pattern(rf"({_OPERAND})\s*=\s*measure\s+({_OPERAND})"),
        lambda match: _measurement(target=match[1], qubit=match[2]),
    ),
)
