"""The README of an exported job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from qdepot.archive.bundle import JOB, REQUEST, RESULT
from qdepot.domain.job import Job

SUMS = "SHA256SUMS"
"""The file with the checksums of the others."""

_ABOUT = {
    JOB: "the job: its history, how it was run, how it ended",
    REQUEST: 'what was asked; under "request" as it was sent',
    "circuits": "the circuits as they were sent: .qasm is text, .qpy is read by qiskit.qpy.load",
    RESULT: "what came back, circuit by circuit",
    "counts": "how often each bit string came out; spreadsheets must take the bits for text",
    "values": "expectation values and their standard errors",
    "memory": "the outcome of each shot, for NumPy",
    "prepared": "what really ran, as .qpy files",
    "raw": "what the backend sent, as it came",
    SUMS: "checksums; `sha256sum -c SHA256SUMS` compares them",
}
_NOTES = """\
Files with a number for a name belong to the circuit with that number, counted from 0.

Bit 0 is the rightmost character of every bit string. Registers are joined by spaces, the one declared
last leftmost. Times are UTC.

The checksums in job.json are those of the files as they lie in the archive, where they are not laid out
for people. The name and the tags in it are those that the job had when it ended.
"""
_NUMPY = """\
The outcomes of single shots are packed, eight bits a byte, the most significant first. With NumPy:

    import json
    from pathlib import Path
    import numpy as np

    register = json.loads(Path("result.json").read_text())["results"][0]["registers"]["REGISTER"]
    packed = np.load("memory/0/REGISTER.npy")
    bits = np.unpackbits(packed, axis=-1)[..., -register["num_bits"]:]

The last axis of `bits` has a place for each bit of the register, the last one for bit 0. The axis before
it counts the shots, those before that the parameter sets.
"""


def readme_text(job: Job, names: Sequence[str]) -> str:
    """What is in the folder and how it is read.

    Args:
        job: As the ledger holds it.
        names: The files, as paths in the folder.
    """
    return "\n".join([*_heading(job), "", *_contents(names), "", *_notes(names)])


def _heading(job: Job) -> Iterator[str]:
    title = f"Quantum job {job.id}"
    yield from (title, "=" * len(title), "")
    facts = {
        "name": job.name,
        "tags": ", ".join(job.tags),
        "backend": job.backend,
        "status": job.status.value,
        "accepted": _shown(job.created_at),
        "ended": _shown(job.ended_at),
        "owner": f"{job.owner}, project {job.project}",
        "failure": "" if job.failure is None else job.failure.message,
    }
    yield from (f"{fact + ':':<10}{value}" for fact, value in facts.items() if value)


def _contents(names: Sequence[str]) -> Iterator[str]:
    """A line for each file, or for the files of a folder."""
    count = Counter(name.partition("/")[0] for name in names)
    for first, files in count.items():
        shown = first if first in names else f"{first}/"
        many = f" ({files} files)" if files > 1 else ""
        yield f"{shown:<14}{_ABOUT.get(first, 'a further file')}{many}"


def _notes(names: Sequence[str]) -> Iterator[str]:
    yield _NOTES
    registers = [name.removeprefix("memory/0/").removesuffix(".npy") for name in names if name.startswith("memory/0/")]
    if registers:
        yield _NUMPY.replace("REGISTER", registers[0])


def _shown(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
