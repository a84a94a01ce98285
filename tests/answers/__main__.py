"""The long form of the rig: ``make test-answers``. Writes a report as JSON, and ends with 1 if a result is wrong."""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from answers.panel import PYTHON, Panel
from answers.running import LANGUAGES, generated

REPORT = Path("build/answers.json")


def main() -> int:
    """Examine programs of each language."""
    options = _options()
    if not Panel.is_here():
        sys.exit(f"NO JUDGES at {PYTHON}: `make judges` installs them")
    warnings.simplefilter("ignore")
    report: dict[str, Any] = {"seed": options.seed, "generated": []}
    panel = Panel()
    for language in options.languages:
        started = time.monotonic()
        until = started + 60 * options.minutes
        tally = generated(language, options.programs, panel, seed=options.seed, until=until, collects=True)
        found = {**tally.document(), "seconds": round(time.monotonic() - started)}
        report["generated"].append(found)
        print(f"{language}: {tally.programs} programs in {found['seconds']} s: {found['verdicts']}", flush=True)
        print("\n\n".join(tally.wrong), flush=True)
    panel.close()
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return 1 if any(found["wrong"] for found in report["generated"]) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=10_000, help="of each language")
    parser.add_argument("--minutes", type=float, default=600, help="most minutes for each language")
    parser.add_argument("--languages", nargs="*", default=list(LANGUAGES))
    parser.add_argument("--seed", type=int, default=1, help="another one writes other programs")
    parser.add_argument("--report", type=Path, default=REPORT)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
