"""The judges' process, started when it is first asked."""

from __future__ import annotations

import json
import os
import select
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PYTHON = Path(os.environ.get("QDEPOT_TEST_JUDGES", ROOT / ".venv-judges" / "bin" / "python"))
PROCESS = Path(__file__).parent / "judges" / "process.py"

DEADLINE_S = 60
"""When the process is killed: its own patience with a judge cannot end what runs outside of Python."""

SHOTS = 20_000
"""With which Braket's interpreter looks for what measurements lead to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one judge says to one program.

    Attributes:
        refused: Why there is no answer; empty if there is one.
        probabilities: By bit string, as qdepot prints them.
        registers: Names and sizes, in the order of their declarations.
        state: Amplitudes with qubit 0 lowest, where the program has no bits.
    """

    refused: str = ""
    probabilities: Mapping[str, float] = field(default_factory=dict)
    registers: Sequence[tuple[str, int]] = ()
    state: Sequence[complex] = ()


class Panel:
    """A process with all judges."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    @staticmethod
    def is_here() -> bool:
        """Whether the judges' environment is installed."""
        return PYTHON.exists()

    def ask(self, source: str, judges: Sequence[str]) -> dict[str, Answer]:
        """What each judge says."""
        if not judges:
            return {}
        process = self._running()
        question = {"judges": list(judges), "source": source, "shots": SHOTS}
        process.stdin.write(json.dumps(question) + "\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], DEADLINE_S)[0]:
            process.kill()
        line = process.stdout.readline()
        if not line:  # a judge crashed its process, or was killed: that is no answer, and no matter of qdepot's
            self.close()
            return dict.fromkeys(judges, Answer(refused="the judge's process ended"))
        return {judge: _answer(found) for judge, found in json.loads(line).items()}

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.stdin.close()
            self._process.wait(timeout=20)
            self._process.stdout.close()
            self._process = None

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                [PYTHON, "-u", PROCESS],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        return self._process


def _answer(found: Mapping[str, Any]) -> Answer:
    if "refused" in found:
        return Answer(refused=found["refused"])
    if "state" in found:
        return Answer(state=[complex(*amplitude) for amplitude in found["state"]])
    return Answer(
        probabilities=found["probabilities"],
        registers=[tuple(register) for register in found["registers"]],
    )
