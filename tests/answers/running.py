"""Many generated programs of one language, and what became of them."""

from __future__ import annotations

import math
import os
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.strategies import SearchStrategy

from answers import openqasm2_programs, openqasm3_programs, qpy_circuits
from answers.examining import DISPUTED, REFUSED, UNJUDGED, WRONG, Finding, Program, examined
from answers.panel import Panel

LANGUAGES: dict[str, Callable[[], SearchStrategy[Program]]] = {
    "openqasm2": openqasm2_programs.programs,
    "openqasm3": openqasm3_programs.programs,
    "qpy": qpy_circuits.programs,
}
SHORT_FORM = int(os.environ.get("QDEPOT_TEST_PROGRAMS", "1000"))
"""Programs of each language in the ordinary tests."""

SLICE = 250
_PLACE = re.compile(r"^(circuit \d+: )?(line \d+, column \d+: )?")
_OWN = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|-?\d+(\.\d+)?")


class WrongAnswerError(AssertionError):
    """A program whose result is wrong, or whose refusal is no good; with all that is needed to look at it."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of the programs of a language; only different programs count.

    Attributes:
        language: As the API names it.
        verdicts: How many programs have each verdict.
        right_by: How many are right by which judges.
        refused: How many were refused for which reason.
        unjudged: How many have no judge, by what the judges said.
        wrong: Answers that are wrong or disputed, with their programs.
        silent: How many programs a judge did not answer, by what it said.
    """

    language: str
    verdicts: Counter[str] = field(default_factory=Counter)
    right_by: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    unjudged: Counter[str] = field(default_factory=Counter)
    silent: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _seen: set[bytes | str] = field(default_factory=set)

    @property
    def programs(self) -> int:
        """How many different ones there were."""
        return len(self._seen)

    def is_new(self, program: Program) -> bool:
        """Whether this is the first time that it comes."""
        known = program.source in self._seen
        self._seen.add(program.source)
        return not known

    def add(self, finding: Finding) -> None:
        """Count what became of a program."""
        self.verdicts[finding.verdict] += 1
        reasons = sorted(f"{judge}: {reason_without_names(why)}" for judge, why in finding.refusals.items())
        self.silent.update(reasons)
        if finding.judges:
            self.right_by[", ".join(sorted(finding.judges))] += 1
        if finding.verdict == REFUSED:
            self.refused[reason_without_names(finding.reason)] += 1
        if finding.verdict == UNJUDGED:
            self.unjudged["; ".join(reasons)] += 1

    def document(self) -> dict[str, Any]:
        """As JSON data."""
        counters = ("verdicts", "right_by", "refused", "unjudged", "silent")
        return {
            "language": self.language,
            "programs": self.programs,
            **{name: dict(getattr(self, name).most_common()) for name in counters},
            "wrong": self.wrong,
        }


def reason_without_names(reason: str) -> str:
    """What a message says of any program: without place, names and numbers."""
    first = _PLACE.sub("", reason.strip().splitlines()[0] if reason.strip() else "")
    return _OWN.sub("…", first)[:120]


def generated(
    language: str, number: int, panel: Panel, *, seed: int = 0, until: float = math.inf, collects: bool = False
) -> Tally:
    """Examine so many different programs.

    Args:
        language: One of the languages.
        number: How many different programs.
        panel: The judges.
        seed: Of the generator.
        until: When to stop, by the monotonic clock, however many there were.
        collects: Whether wrong answers are counted and kept, instead of raised with the smallest program.

    Raises:
        WrongAnswerError: A result is wrong, or a refusal is no good; with the smallest program that shows it.
    """
    tally = Tally(language=language)
    slices = 0
    while tally.programs < number and time.monotonic() < until:
        missing = number - tally.programs
        size = min(SLICE, missing + missing // 10 + 20)
        _slice(tally, size, panel, most=number, seed=seed * 10_000 + slices, until=until, collects=collects)
        slices += 1
    return tally


def _slice(tally: Tally, examples: int, panel: Panel, *, most: int, seed: int, until: float, collects: bool) -> None:
    @seeded(seed)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(LANGUAGES[tally.language]())
    def examine(program: Program) -> None:
        if time.monotonic() > until:
            return
        if tally.programs < most and tally.is_new(program):
            finding = examined(program, panel)
            tally.add(finding)
        elif tally.verdicts[WRONG] + tally.verdicts[DISPUTED] and not collects:  # looking for the smallest program
            finding = examined(program, panel)
        else:
            return
        if finding.verdict in (WRONG, DISPUTED):
            error = WrongAnswerError(f"{finding.verdict}: {finding.reason}\n{program}")
            if not collects:
                raise error
            tally.wrong.append(str(error))

    examine()
