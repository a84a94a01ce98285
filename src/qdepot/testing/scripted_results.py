"""What a cloud on paper measures: enough to tell one job's result from another's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from qdepot.domain.program import Program

_FLIP = re.compile(rb"\bx\s+q\[(\d+)\]\s*;")
_WIDTH = re.compile(rb"\bbit\[(\d+)\]|\bcreg\s+\w+\[(\d+)\]")


def results_of(program: Program, *, otherwise: Mapping[str, int]) -> list[dict[str, object]]:
    """Per circuit an entry of a result document.

    Args:
        program: What was sent.
        otherwise: Counts of a circuit that :func:`outcome_of` cannot play; scaled to its shots.
    """
    entries = []
    for circuit in program.circuits:
        shots = circuit.shots or program.shots or 1
        bits = outcome_of(circuit.source)
        entries.append(_entry({bits: shots} if bits is not None else _scaled(otherwise, shots), shots))
    return entries


def outcome_of(source: bytes) -> str | None:
    """The one outcome of a circuit of ``x q[i];`` gates that measures its qubits in order, bit 0 rightmost.

    None for a text without classical bits.
    """
    width = _WIDTH.search(source)
    if width is None:
        return None
    flips = Counter(int(number) for number in _FLIP.findall(source))
    return "".join(str(flips[bit] % 2) for bit in reversed(range(int(width[1] or width[2]))))


def _entry(counts: Mapping[str, int], shots: int) -> dict[str, object]:
    num_bits = len(next(iter(counts)))
    registers = {"c": {"num_bits": num_bits, "counts": counts}}
    return {"shots": shots, "shape": [], "counts": counts, "registers": registers, "metadata": {}}


def _scaled(counts: Mapping[str, int], shots: int) -> dict[str, int]:
    total = sum(counts.values())
    scaled = {bits: count * shots // total for bits, count in counts.items()}
    first = next(iter(scaled))
    scaled[first] += shots - sum(scaled.values())
    return {bits: count for bits, count in scaled.items() if count}
