"""One program through qdepot and past the judges."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from qiskit import QuantumCircuit

from answers import branches_of_circuits
from answers.agreement import CLOSE, differs
from answers.judges_faults import trusted
from answers.panel import Answer, Panel
from qdepot.errors import InternalError, QDepotError
from support.circuits import results

SHOTS = 2000

RIGHT, UNJUDGED, REFUSED, WRONG = "right", "unjudged", "refused", "wrong"
ABOUT_ALL = re.compile(
    r"nothing is measured|has no qubits|has \d+ qubits|share bits|source is empty|estimator's circuit must not"
)
DISPUTED = "disputed"
"""The judges contradict each other: somebody has to look, and to write down who is wrong in `judges_faults`."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Program:
    """A program in one of the languages.

    Attributes:
        language: As the API names it.
        source: Its text, or the bytes of a QPY file.
        num_qubits: Of a program that measures nothing, which is estimated instead of sampled; else None.
        circuit: What the file was written from, with all values put in; the judge of circuits is asked.
        parameter_values: Values that are sent with it.
        for_judges: The same program without what means nothing and the judges do not read; the source itself if empty.
        judges: Who is asked.
    """

    language: str
    source: str | bytes
    judges: Sequence[str]
    num_qubits: int | None = None
    for_judges: str = ""
    circuit: QuantumCircuit | None = None
    parameter_values: Mapping[str, float] | None = None

    def __repr__(self) -> str:
        shown = self.source if isinstance(self.source, str) else f"{self.parameter_values}\n{self.circuit}"
        return f"{self.language}:\n{shown}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=True)
class Finding:
    """What became of a program.

    Attributes:
        verdict: One of the five.
        judges: Who says that it is right.
        reason: Why it is refused, or wrong.
        code: Of the error with which it is refused.
        refusals: Why judges did not answer, by judge.
    """

    verdict: str
    judges: Sequence[str] = ()
    reason: str = ""
    code: str = ""
    refusals: Mapping[str, str] = field(default_factory=dict)


class BadRefusalError(Exception):
    """A refusal without a reason or place, or an error that is called a fault of qdepot."""


def examined(program: Program, panel: Panel) -> Finding:
    """Run a program and compare what comes back."""
    outcome = run(program)
    return outcome if isinstance(outcome, Finding) else answered_by(program, outcome, panel)


def run(program: Program) -> Finding | dict[str, Any]:
    """The entry of the result document, or a finding if qdepot gave no result."""
    try:
        return _answered(program)
    except QDepotError as error:
        return _refusal(program, error)
    except Exception:  # in a child this is an internal_error
        return Finding(verdict=WRONG, reason=f"not refused but broken: {traceback.format_exc(limit=-2)}")


def answered_by(program: Program, entry: Mapping[str, Any], panel: Panel) -> Finding:
    """Compare an entry of a result document, wherever it comes from."""
    return compared(program, entry, answers(program, panel))


def answers(program: Program, panel: Panel) -> dict[str, Answer]:
    """What each judge says to a program."""
    if program.circuit is not None:
        return {"statevector": branches_of_circuits.judged(program.circuit)}
    assert isinstance(program.source, str)
    text = program.for_judges or program.source
    asked, reasons = trusted(program.judges, text)
    return panel.ask(text, asked) | {judge: Answer(refused=f"not asked: {why}") for judge, why in reasons.items()}


def _answered(program: Program) -> dict[str, Any]:
    source = program.source.encode() if isinstance(program.source, str) else program.source
    how: dict[str, Any] = {"program_format": program.language, "options": {"seed": 1}}
    if program.parameter_values is not None:
        how["parameter_values"] = dict(program.parameter_values)
    if program.num_qubits is None:
        (entry,) = results(source, shots=SHOTS, **how)
    else:
        wanted = [{label: 1.0} for label in labels(program.num_qubits)]
        (entry,) = results(source, kind="estimator", observables=wanted, **how)
    return entry


def _refusal(program: Program, error: QDepotError) -> Finding:
    if isinstance(error, InternalError):
        return Finding(verdict=WRONG, reason=f"internal_error: {error.message}")
    if program.language.startswith("openqasm") and "line" not in error.details and not _is_about_all(error.message):
        return Finding(verdict=WRONG, reason=f"a refusal without a place: {error.message}")
    return Finding(verdict=REFUSED, reason=error.message, code=error.code)


def _is_about_all(message: str) -> bool:
    """Refusals that are about a program as a whole have no place in it."""
    return bool(ABOUT_ALL.search(message))


def compared(program: Program, entry: Mapping[str, Any], said: Mapping[str, Answer]) -> Finding:
    """Compare an entry of a result document with what the judges say."""
    refusals = {judge: answer.refused for judge, answer in said.items() if answer.refused}
    heard = {judge: answer for judge, answer in said.items() if not answer.refused}
    faults = {judge: _fault(program, entry, answer) for judge, answer in heard.items()}
    against = {judge: fault for judge, fault in faults.items() if fault}
    if against:
        reason = f"{against}\n{_shown(entry)}\n{_told(heard)}"
        return Finding(verdict=WRONG if len(against) == len(heard) else DISPUTED, reason=reason, refusals=refusals)
    return Finding(verdict=RIGHT if heard else UNJUDGED, judges=list(heard), refusals=refusals)


def _fault(program: Program, entry: Mapping[str, Any], answer: Answer) -> str:
    if program.num_qubits is not None:
        return _states_fault(program.num_qubits, entry["evs"], answer)
    ours = [(name, register["num_bits"]) for name, register in entry["registers"].items()]
    if ours != list(answer.registers):
        return f"registers {ours}, and {list(answer.registers)} by the judge"
    return differs(entry["counts"], answer)


def _states_fault(num_qubits: int, evs: Sequence[float], answer: Answer) -> str:
    if len(answer.state) != 2**num_qubits:
        return f"{num_qubits} qubits, and {len(answer.state)} amplitudes by the judge"
    state = np.asarray(answer.state)
    for label, ours in zip(labels(num_qubits), evs, strict=True):
        theirs = expectation(state, label)
        if abs(ours - theirs) > CLOSE:
            return f"<{label}> is {ours:.9f}, and {theirs:.9f} by the judge"
    return ""


def labels(num_qubits: int) -> list[str]:
    """Pauli products that tell states apart: each letter on each qubit, and pairs of neighbours."""
    singles = ["I" * (num_qubits - 1 - place) + letter + "I" * place for place in range(num_qubits) for letter in "XYZ"]
    pairs = [
        "I" * (num_qubits - 2 - place) + letters + "I" * place
        for place in range(num_qubits - 1)
        for letters in ("XX", "YZ", "ZX", "ZZ")
    ]
    return singles + pairs


def expectation(state: np.ndarray, label: str) -> float:
    """Of a Pauli product whose rightmost letter is on qubit 0, the lowest bit of an index."""
    changed = state
    for qubit, letter in enumerate(reversed(label)):
        changed = _after(changed, qubit, letter)
    return float(np.real(np.vdot(state, changed)))


def _after(state: np.ndarray, qubit: int, letter: str) -> np.ndarray:
    table = state.reshape(-1, 2, 2**qubit).copy()
    if letter in "XY":
        table = table[:, ::-1].copy()
    if letter == "Y":
        table[:, 0] *= -1j
        table[:, 1] *= 1j
    if letter == "Z":
        table[:, 1] *= -1
    return table.reshape(-1)


def _shown(entry: Mapping[str, Any]) -> str:
    return f"qdepot: {entry.get('counts', entry.get('evs'))}"[:600]


def _told(heard: Mapping[str, Answer]) -> str:
    found = {judge: dict(answer.probabilities) or list(answer.state) for judge, answer in heard.items()}
    return "\n".join(f"{judge}: {each}"[:600] for judge, each in found.items())
