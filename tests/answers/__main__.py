"""The long form of the rig: ``make test-answers``. Writes a report as JSON, and ends with 1 if a result is wrong."""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from answers.corpora import CorpusMissingError, all_corpora
from answers.corpus_examining import examined_corpus
from answers.panel import PYTHON, Panel
from answers.running import LANGUAGES, generated

REPORT = Path("build/answers.json")


def main() -> int:
    """Examine programs of each language, and those of the corpora."""
    options = _options()
    if not Panel.is_here():
        sys.exit(f"NO JUDGES at {PYTHON}: `make judges` installs them")
    warnings.simplefilter("ignore")
    panel = Panel()
    languages = options.languages if options.corpora is None else []
    report: dict[str, Any] = {
        "seed": options.seed,
        "generated": [_generated(language, options, panel) for language in languages],
        "corpora": list(_corpora(options, panel)),
    }
    panel.close()
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    wrong = [found["wrong"] for found in report["generated"]] + [found["suspicious"] for found in report["corpora"]]
    return 1 if any(wrong) else 0


def _generated(language: str, options: argparse.Namespace, panel: Panel) -> dict[str, Any]:
    started = time.monotonic()
    until = started + 60 * options.minutes
    tally = generated(language, options.programs, panel, seed=options.seed, until=until, collects=True)
    found = {**tally.document(), "seconds": round(time.monotonic() - started)}
    print(f"{language}: {tally.programs} programs in {found['seconds']} s: {found['verdicts']}", flush=True)
    print("\n\n".join(tally.wrong), flush=True)
    return found


def _corpora(options: argparse.Namespace, panel: Panel) -> Iterator[dict[str, Any]]:
    """The corpora whose names have one of the words; one that is missing is named, and left out."""
    words = options.corpora or [""]
    for name, corpus in all_corpora().items():
        if not any(word.casefold() in name.casefold() for word in words):
            continue
        started = time.monotonic()
        try:
            found = examined_corpus(name, corpus(), panel, until=started + 60 * options.minutes).document()
        except CorpusMissingError as error:
            print(f"CORPUS LEFT OUT: {name}: {error}", flush=True)
            continue
        ended = f"in {time.monotonic() - started:.0f} s"
        print(f"{name}: {found['files']} files {ended}: {found['measuring']}", flush=True)
        for file, reason in found["suspicious"].items():
            print(f"{file}: {reason}\n", flush=True)
        yield found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=10_000, help="of each language")
    parser.add_argument("--minutes", type=float, default=600, help="most minutes for each language, and each corpus")
    parser.add_argument("--languages", nargs="*", default=list(LANGUAGES))
    parser.add_argument("--corpora", nargs="*", help="corpora alone, with one of these words in their names; none: all")
    parser.add_argument("--seed", type=int, default=1, help="another one writes other programs")
    parser.add_argument("--report", type=Path, default=REPORT)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
