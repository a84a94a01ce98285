"""The judges as a process: a program a line on standard input, an answer a line on standard output, both as JSON.

It runs in an environment of its own, since the judges need other versions of some libraries than qdepot does; so it
imports nothing of qdepot. A question is ``{"judges": [...], "source": ..., "shots": ...}``. An answer names, for each
judge, what it found or why it refused::

    {"mqt": {"registers": [["c", 2]], "probabilities": {"00": 0.5, "11": 0.5}}, "pyqasm": {"refused": "..."}}

Bit strings are as qdepot prints them. A program without bits has ``state``, the amplitudes with qubit 0 lowest.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import warnings
from typing import Any

import braket_judge
import mqt_judge
import pyqasm_judge

PATIENCE_S = 10


class _Patience(Exception):  # noqa: N818 - it ends a judge, it is no error of one
    pass


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """What the judges say to one program."""
    return {judge: _heard(judge, question) for judge in question["judges"]}


def _heard(judge: str, question: dict[str, Any]) -> dict[str, Any]:
    signal.alarm(PATIENCE_S)
    try:
        return _judged(judge, question)
    except _Patience:
        return {"refused": f"no answer within {PATIENCE_S} s"}
    except Exception as error:  # whatever a judge raises, it has no answer
        return {"refused": f"{type(error).__name__}: {error}"[:300]}
    finally:
        signal.alarm(0)


def _judged(judge: str, question: dict[str, Any]) -> dict[str, Any]:
    if judge == "mqt":
        return mqt_judge.judged(question["source"])
    if judge == "pyqasm":
        return pyqasm_judge.judged(question["source"])
    return braket_judge.judged(question["source"], shots=question["shots"])


def _out_of_patience(*_: object) -> None:
    raise _Patience


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a judge prints is no answer
    logging.disable()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _out_of_patience)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
