"""What becomes of the programs of a corpus."""

from __future__ import annotations

import hashlib
import io
import math
import operator
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import openqasm3
from openqasm3 import ast
from openqasm3.visitor import QASMVisitor
from qiskit import QuantumCircuit, qpy

from answers import branches_of_circuits
from answers.bounded import ProcessEndedError, TooSlowError, within
from answers.corpora import Source
from answers.examining import DISPUTED, REFUSED, UNJUDGED, WRONG, Finding, Program, answers, compared, run
from answers.panel import Answer, Panel
from qdepot.client.openqasm_version import openqasm_format
from qdepot.errors import InvalidProgramError

DEADLINE_S = 60
LARGEST_TEXT = 50_000
LARGEST_QUBITS = 20
JUDGES = ("mqt", "braket", "pyqasm")

NOT_LEGAL, NO_QUBITS, NEEDS_VALUES = "not legal", "no qubits", "needs values"
TOO_LARGE, TOO_SLOW = "too large", "too slow"
INVALID = "called invalid"
"""The reference parser accepts the text, and qdepot says that the program has no meaning: an undefined name, say."""

_OPERATORS: Mapping[str, Callable[[int, int], int]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_PLACE = re.compile(r"^(circuit \d+: )?(line \d+, column \d+: )?")
_OWN = re.compile(r"'[^']*'|-?\d+(\.\d+)?")
_OPAQUE = re.compile(r"\bopaque\b[^;]*;")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A legal program, as the reference parser sees it.

    Attributes:
        program: With measurements of all qubits at its end, if it measures nothing.
        measures: Whether it does so by itself.
    """

    program: Program
    measures: bool


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of the programs of one corpus.

    Attributes:
        name: Of the corpus.
        files: How many different ones were examined.
        not_examined: How many were left when the time was up.
        measuring: Verdicts of the programs that measure.
        extended: Verdicts of those that do not, with measurements put at their end.
        left_out: How many are not run, by verdict.
        right_by: How many are right by which judges.
        names: Of files that are not right, by verdict and reason.
        suspicious: What has to be looked at, by file.
        refused_but_read: Which judges read a program that is refused, by file.
    """

    name: str
    files: int = 0
    not_examined: int = 0
    measuring: Counter[str] = field(default_factory=Counter)
    extended: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    right_by: Counter[str] = field(default_factory=Counter)
    names: dict[str, dict[str, list[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    suspicious: dict[str, str] = field(default_factory=dict)
    refused_but_read: dict[str, list[str]] = field(default_factory=dict)

    def add(self, file: str, reading: Reading, finding: Finding) -> None:
        """Count a program that was run, or refused."""
        verdict = INVALID if finding.code == InvalidProgramError.code else finding.verdict
        (self.measuring if reading.measures else self.extended)[verdict] += 1
        if finding.judges:
            self.right_by[", ".join(sorted(finding.judges))] += 1
        if verdict in (REFUSED, INVALID, TOO_SLOW):
            self.names[verdict][construct(finding.reason)].append(file if reading.measures else f"{file} (extended)")
        if verdict == UNJUDGED:
            self.names[verdict]["; ".join(f"{a}: {b}" for a, b in sorted(finding.refusals.items()))].append(file)
        if verdict in (WRONG, DISPUTED):
            self.suspicious[file] = f"{verdict}: {finding.reason}"[:2000]

    def leave_out(self, file: str, verdict: str) -> None:
        """Count a text that is not run."""
        self.left_out[verdict] += 1
        self.names[verdict][""].append(file)

    def document(self) -> dict[str, Any]:
        """As JSON data."""
        counters = ("measuring", "extended", "left_out", "right_by")
        return {
            "name": self.name,
            "files": self.files,
            "not_examined": self.not_examined,
            **{name: dict(getattr(self, name).most_common()) for name in counters},
            "names": {verdict: _longest_first(reasons) for verdict, reasons in self.names.items()},
            "suspicious": self.suspicious,
            "refused_but_read": self.refused_but_read,
        }


def _longest_first(reasons: dict[str, list[str]]) -> dict[str, list[str]]:
    return dict(sorted(reasons.items(), key=lambda each: -len(each[1])))


def construct(reason: str) -> str:
    """What a refusal says of any program: without place, names and numbers."""
    first = _PLACE.sub("", reason.strip().splitlines()[0] if reason.strip() else "")
    return _OWN.sub("…", first)[:120]


def examined_corpus(
    name: str, sources: Iterator[tuple[str, Source]], panel: Panel, *, until: float = math.inf
) -> Outcome:
    """Examine the programs of a corpus until a time of the monotonic clock; a text that comes twice counts once."""
    outcome, seen = Outcome(name=name), set()
    for file, source in sources:
        if time.monotonic() > until:
            outcome.not_examined = 1 + sum(1 for _ in sources)
            break
        content = _as_bytes(source)
        digest = hashlib.sha256(content).digest()
        if digest in seen:
            continue
        seen.add(digest)
        outcome.files += 1
        if len(content) > LARGEST_TEXT:
            outcome.leave_out(file, TOO_LARGE)
        else:
            _examine(outcome, file, source, panel)
    return outcome


def _examine(outcome: Outcome, file: str, source: Source, panel: Panel) -> None:
    reading = _bounded_reading(source)
    if isinstance(reading, str):
        outcome.leave_out(file, reading)
        return
    finding = _finding(reading.program, panel)
    outcome.add(file, reading, finding)
    if finding.verdict == REFUSED:
        heard = [judge for judge, answer in _asked(reading.program, panel).items() if not answer.refused]
        if heard:
            outcome.refused_but_read[file] = heard


def _bounded_reading(source: Source) -> Reading | str:
    if isinstance(source, QuantumCircuit):
        measures = "measure" in source.count_ops()
        circuit = source if measures else source.measure_all(inplace=False)
        program = Program(language="qpy", source=_as_bytes(circuit), circuit=circuit, judges=())
        return Reading(program=program, measures=measures)
    try:
        reading: Reading | str = within(DEADLINE_S, reading_of, source)
    except TooSlowError:
        return TOO_SLOW
    return reading


def _finding(program: Program, panel: Panel) -> Finding:
    try:
        outcome = within(DEADLINE_S, run, program)
    except TooSlowError as error:
        return Finding(verdict=TOO_SLOW, reason=str(error))
    except ProcessEndedError as error:
        return Finding(verdict=WRONG, reason=str(error))
    return outcome if isinstance(outcome, Finding) else compared(program, outcome, _asked(program, panel))


def _asked(program: Program, panel: Panel) -> dict[str, Answer]:
    """Each judge alone, so that one that crashes does not take the answers of the others with it."""
    if program.circuit is None:
        return {judge: answer for one in program.judges for judge, answer in answers(_for(program, one), panel).items()}
    try:
        return {"statevector": within(DEADLINE_S, branches_of_circuits.judged, program.circuit)}
    except (TooSlowError, ProcessEndedError) as error:
        return {"statevector": Answer(refused=str(error))}


def _for(program: Program, judge: str) -> Program:
    return Program(language=program.language, source=program.source, judges=(judge,))


def reading_of(text: str) -> Reading | str:
    """The program that a text is; or why it is not run."""
    language = str(openqasm_format(text) or "openqasm3")
    try:
        tree = openqasm3.parse(_OPAQUE.sub("", text) if language == "openqasm2" else text)
    except Exception:  # the reference parser raises many kinds
        return NOT_LEGAL
    registers = [each for each in tree.statements if isinstance(each, ast.QubitDeclaration)]
    if not registers:
        return NO_QUBITS
    if any(isinstance(each, ast.IODeclaration) and each.io_identifier.name == "input" for each in tree.statements):
        return NEEDS_VALUES
    if sum(_size(each, tree) for each in registers) > LARGEST_QUBITS:
        return TOO_LARGE
    measures = _Measurements.in_program(tree)
    ending = "" if measures else "\n" + "".join(_measured(each, language) for each in registers)
    return Reading(program=Program(language=language, source=text + ending, judges=JUDGES), measures=measures)


class _Measurements(QASMVisitor[None]):
    def __init__(self) -> None:
        self.number = 0

    def visit_QuantumMeasurement(self, node: ast.QuantumMeasurement) -> None:  # noqa: N802 - the visitor looks for it
        del node
        self.number += 1

    @classmethod
    def in_program(cls, tree: ast.Program) -> bool:
        counting = cls()
        counting.visit(tree)
        return counting.number > 0


def _size(declaration: ast.QubitDeclaration, tree: ast.Program) -> int:
    """The number of qubits where whole numbers and constants give it; else 1."""
    constants = {each.identifier.name: each.init_expression for each in tree.statements if _is_constant(each)}
    size = None if declaration.size is None else _whole_number(declaration.size, constants)
    return 1 if size is None else size


def _is_constant(statement: ast.QASMNode) -> bool:
    return isinstance(statement, ast.ConstantDeclaration)


def _whole_number(node: ast.Expression, constants: Mapping[str, ast.Expression]) -> int | None:
    if isinstance(node, ast.IntegerLiteral):
        return node.value
    if isinstance(node, ast.Identifier) and node.name in constants:
        return _whole_number(constants[node.name], constants)
    if isinstance(node, ast.BinaryExpression) and node.op.name in _OPERATORS:
        left, right = _whole_number(node.lhs, constants), _whole_number(node.rhs, constants)
        return None if left is None or right is None else _OPERATORS[node.op.name](left, right)
    return None


def _measured(declaration: ast.QubitDeclaration, language: str) -> str:
    name = declaration.qubit.name
    size = "" if declaration.size is None else f"[{openqasm3.dumps(declaration.size)}]"
    if language == "openqasm2":
        return f"creg rig_{name}{size}; measure {name} -> rig_{name};\n"
    return f"bit{size} rig_{name};\nrig_{name} = measure {name};\n"


def _as_bytes(source: Source) -> bytes:
    if isinstance(source, str):
        return source.encode()
    buffer = io.BytesIO()
    qpy.dump(source, buffer)
    return buffer.getvalue()
