"""Puts what a run of ``make test-answers`` found into its page: tools/render_answers.py build/answers.json ...

The tables of generated programs stand between two comment lines, ``<!-- answers -->`` and ``<!-- end of answers -->``,
those of other people's programs between ``<!-- corpora -->`` and ``<!-- end of corpora -->``. Tables that the
reports say nothing about stay as they are.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import render_corpora
from markdown_tables import table

from answers.judges_faults import FAULTS

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "right-answers.md"
LANGUAGES = {"openqasm2": "OpenQASM 2", "openqasm3": "OpenQASM 3", "qpy": "QPY"}
VERDICTS = ("right", "unjudged", "refused", "disputed", "wrong")
SHOWN = 12


def main() -> None:
    """Read the reports and write the page."""
    reports = [json.loads(Path(path).read_text()) for path in sys.argv[1:]]
    generated = [each for report in reports for each in report["generated"]]
    corpora = [each for report in reports for each in report.get("corpora", ())]
    if generated:
        _put("answers", [*_verdicts(generated), *_judges(generated), *_refused(generated), *_faults()])
    if corpora:
        _put("corpora", render_corpora.lines(corpora))


def _put(part: str, lines: Sequence[str]) -> None:
    marked = re.compile(rf"(<!-- {part} -->\n).*(<!-- end of {part} -->)", re.DOTALL)
    text = "\n".join(lines)
    PAGE.write_text(marked.sub(lambda found: f"{found[1]}\n{text}\n{found[2]}", PAGE.read_text()))


def _verdicts(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from ("### What became of the programs", "")
    rows = (
        [LANGUAGES[each["language"]], each["programs"], *(each["verdicts"].get(verdict, 0) for verdict in VERDICTS)]
        for each in found
    )
    yield from table(["language", "programs", *VERDICTS], rows)


def _judges(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from ("### Who says that the right ones are right", "")
    rows = (
        [f"{LANGUAGES[each['language']]}: {judges}", number]
        for each in found
        for judges, number in each["right_by"].items()
        if each["verdicts"].get("right")
    )
    yield from table(["language and judges that agree", "programs"], rows)


def _refused(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from ("### Why programs are refused", "")
    rows = (
        [f"{LANGUAGES[each['language']]}: {reason}", number]
        for each in found
        for reason, number in list(each["refused"].items())[:SHOWN]
    )
    yield from table(["language and reason", "programs"], rows)


def _faults() -> Iterator[str]:
    yield from ("### What judges are not asked", "")
    yield from table(["judge and what it gets wrong"], ([f"{fault.judge}: {fault.what}"] for fault in FAULTS))


if __name__ == "__main__":
    main()
