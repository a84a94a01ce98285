"""Puts what a run of ``make test-answers`` found into its page: tools/render_answers.py build/answers.json ...

The tables stand between two comment lines, ``<!-- answers -->`` and ``<!-- end of answers -->``.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from answers.judges_faults import FAULTS

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "right-answers.md"
PART = re.compile(r"(<!-- answers -->\n).*(<!-- end of answers -->)", re.DOTALL)
LANGUAGES = {"openqasm2": "OpenQASM 2", "openqasm3": "OpenQASM 3", "qpy": "QPY"}
VERDICTS = ("right", "unjudged", "refused", "disputed", "wrong")
SHOWN = 12


def main() -> None:
    """Read the reports and write the page."""
    found = [each for path in sys.argv[1:] for each in json.loads(Path(path).read_text())["generated"]]
    text = "\n".join([*_verdicts(found), *_judges(found), *_refused(found), *_faults()])
    PAGE.write_text(PART.sub(lambda part: f"{part[1]}\n{text}\n{part[2]}", PAGE.read_text()))


def _table(head: Sequence[str], rows: Iterator[Sequence[Any]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|---|{'---:|' * (len(head) - 1)}"
    for row in rows:
        yield f"| {' | '.join(_cell(each) for each in row)} |"
    yield ""


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")


def _verdicts(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from ("### What became of the programs", "")
    rows = (
        [LANGUAGES[each["language"]], each["programs"], *(each["verdicts"].get(verdict, 0) for verdict in VERDICTS)]
        for each in found
    )
    yield from _table(["language", "programs", *VERDICTS], rows)


def _judges(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from ("### Who says that the right ones are right", "")
    rows = (
        [f"{LANGUAGES[each['language']]}: {judges}", number]
        for each in found
        for judges, number in each["right_by"].items()
        if each["verdicts"].get("right")
    )
    yield from _table(["language and judges that agree", "programs"], rows)


def _refused(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from ("### Why programs are refused", "")
    rows = (
        [f"{LANGUAGES[each['language']]}: {reason}", number]
        for each in found
        for reason, number in list(each["refused"].items())[:SHOWN]
    )
    yield from _table(["language and reason", "programs"], rows)


def _faults() -> Iterator[str]:
    yield from ("### What judges are not asked", "")
    yield from _table(["judge and what it gets wrong"], ([f"{fault.judge}: {fault.what}"] for fault in FAULTS))


if __name__ == "__main__":
    main()
