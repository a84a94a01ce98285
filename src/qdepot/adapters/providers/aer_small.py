"""Which jobs are small: over in milliseconds, as far as their checks could tell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from qdepot.domain.program import Program
from qdepot.ports.provider import Submission

_MOST_QUBITS = 12
_MOST_GATES = 2000
_MOST_AMPLITUDES_TIMES_GATES = 1 << 20
_MOST_SETS = 16
_MOST_SHOTS = 20_000
_MOST_SOURCE_BYTES = 32 * 1024
_LEAST_LIMIT_S = 5.0
"""A job with a shorter limit of its own is not carried by others, whose limit it could not keep."""
_HEAVY_METHODS = frozenset({"density_matrix", "extended_stabilizer"})


def is_small(submission: Submission, *, method: object, device: object, limit_s: float) -> bool:
    """Whether a job may wait for, and run with, others of its owner: nobody waits long for it.

    A mistake costs time, and nothing else: a group that takes too long is stopped, and its jobs run alone.

    Args:
        submission: The job.
        method: Of its backend, or the one that it asks for.
        device: The device whose noise is simulated, if any.
        limit_s: How long it may run, in seconds.
    """
    options = submission.options
    if device or method in _HEAVY_METHODS or options.get("optimization_level") not in {None, 0, 1}:
        return False
    if limit_s < _LEAST_LIMIT_S or submission.done:
        return False
    try:
        return _is_light(submission.program, (submission.summary or {})["circuits"])
    except (KeyError, TypeError, ValueError):  # nobody has looked, or another version did
        return False


def _is_light(program: Program, circuits: Any) -> bool:  # noqa: ANN401 - as it was stored
    source_bytes = sum(len(circuit.source) for circuit in program.circuits)
    shots = sum(
        (circuit.shots or program.shots or 1) * _sets(about)
        for circuit, about in zip(program.circuits, circuits, strict=True)
    )
    return source_bytes <= _MOST_SOURCE_BYTES and shots <= _MOST_SHOTS and all(map(_is_light_circuit, circuits))


def _is_light_circuit(about: Mapping[str, Any]) -> bool:
    qubits, gates = int(about["num_qubits"]), int(about["size"])
    is_narrow = qubits <= _MOST_QUBITS and gates <= _MOST_GATES
    return is_narrow and gates << qubits <= _MOST_AMPLITUDES_TIMES_GATES and _sets(about) <= _MOST_SETS


def _sets(about: Mapping[str, Any]) -> int:
    return math.prod(about["shape"])
