"""Seeds: one rule derives every seed of a job, so that no two runs share random numbers by accident.

A derived seed is made of the leading bits of the SHA-256 digest of a line of text: the name of the rule, what the
seed is for, then its numbers in decimal, with a space between them. For example, Aer runs parameter set 3 of a circuit
whose seed is 7 with the 63 leading bits of the digest of ``qdepot-seed/1 aer 7 3 0``. The lines of two different seeds
differ, so the seeds are unrelated, also where the users' seeds are neighbours. Nothing but the job and the place in it
goes into a line: which attempt, process, group or number of threads runs it makes no difference.

The rule is a promise to users (see "What a seed promises" in the documentation); a change of it needs another name.
"""

from __future__ import annotations

import hashlib
import secrets
from enum import StrEnum

_RULE = "qdepot-seed/1"
_SHOWN_BITS = 53
"""Seeds that users see survive a client that reads all numbers as doubles."""
_STREAM_BITS = 63
"""Aer takes a seed as a signed number of 64 bits, of which it uses every bit."""


class Stream(StrEnum):
    """What random numbers are for."""

    AER = "aer"
    """Measurements, resets, noise and approximations in Aer."""
    DRAW = "draw"
    """Outcomes that are drawn from an exact distribution."""
    ESTIMATE = "estimate"
    """What is added to exact expectation values to reach the precision that was asked for."""


def seed_of_job(job_id: str) -> int:
    """The seed of a job whose user gave none: every attempt of it has the same."""
    return _derived("job", job_id, bits=_SHOWN_BITS)


def random_seed() -> int:
    """A seed for a simulation that belongs to no job."""
    return secrets.randbits(_SHOWN_BITS)


def seed_of_circuit(job_seed: int, index: int) -> int:
    """The seed of one circuit of a job.

    The first circuit has the job's own. So a circuit of a larger job gives the same results when it is sent alone, with
    the seed in its metadata.
    """
    return job_seed if index == 0 else _derived("circuit", job_seed, index, bits=_SHOWN_BITS)


def seed_of_chunk(seed: int, number: int) -> int:
    """The seed of one of the jobs that a long sweep is cut into; the first has the sweep's own."""
    return seed if number == 0 else _derived("chunk", seed, number, bits=_SHOWN_BITS)


def stream_seed(circuit_seed: int, stream: Stream, *, parameter_set: int, place: int = 0) -> int:
    """The seed of one stream of random numbers: 63 bits.

    Args:
        circuit_seed: Of the circuit.
        stream: What the numbers are for.
        parameter_set: The index of the set of parameter values, in C order; 0 where there is one.
        place: Where the stream begins in the set: the first shot of a run; for an estimate, the observable's index.
    """
    return _derived(stream, circuit_seed, parameter_set, place, bits=_STREAM_BITS)


def _derived(purpose: str, *numbers: int | str, bits: int) -> int:
    line = " ".join((_RULE, purpose, *map(str, numbers)))
    return int.from_bytes(hashlib.sha256(line.encode()).digest()[:8]) >> (64 - bits)
