"""Sampling: counts of measured bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from qdepot.domain.member_names import memory_member
from qdepot.domain.result import check_sampler_entry
from qdepot.quantum.bits import Counts, Register, Sample, Wording, npy_bytes
from qdepot.quantum.check import Checked
from qdepot.quantum.engine import Experiment

_CHECKED_OUTCOMES = 10_000
"""Up to so many distinct outcomes, a result is checked against the rules of results before it is handed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The result of one circuit.

    Attributes:
        document: Its entry in the result, without metadata.
        members: Files that go with it.
    """

    document: dict[str, object]
    members: dict[str, bytes] = field(default_factory=dict)


def aer_samples(experiments: Sequence[Experiment], wording: Wording, *, shots: int, memory: bool) -> list[Sample]:
    """What Aer reports, one experiment for each set of values in C order."""
    return [_sample(experiment, wording, shots=shots, memory=memory) for experiment in experiments]


def sampler_entry(circuit: Checked, samples: Sequence[Sample], *, memory: bool) -> Entry:
    """The result of a sampled circuit.

    Where there is a shape, counts and per-shot strings are lists in C order of it, with one entry for each set of
    values.

    Args:
        circuit: What was run.
        samples: One for each set of values in C order.
        memory: Whether the outcome of each shot is wanted.
    """
    joined = [sample.counts() for sample in samples]
    document: dict[str, object] = {
        "shots": circuit.shots,
        "shape": list(circuit.shape),
        "counts": _shaped(joined, circuit.shape),
        "registers": _registers(samples, joined, circuit.reading.registers, circuit.shape),
    }
    if memory:
        document["memory"] = _shaped([sample.memory() for sample in samples], circuit.shape)
    if sum(map(len, joined)) <= _CHECKED_OUTCOMES:
        check_sampler_entry(document)
    return Entry(document=document, members=_packed(circuit, samples) if memory else {})


def _sample(experiment: Experiment, wording: Wording, *, shots: int, memory: bool) -> Sample:
    data = experiment.data
    nothing = {"0x0": shots}  # no branch that was taken had a measurement
    return Sample(
        wording=wording,
        hex_counts=getattr(data, "counts", nothing),
        hex_memory=getattr(data, "memory", ["0x0"] * shots) if memory else (),
    )


def _registers(
    samples: Sequence[Sample], joined: list[Counts], registers: tuple[Register, ...], shape: tuple[int, ...]
) -> dict[str, object]:
    entries: dict[str, object] = {}
    for index, register in enumerate(registers):
        counts = joined if len(registers) == 1 else [sample.register_counts(index) for sample in samples]
        entry: dict[str, object] = {"num_bits": len(register.bits), "counts": _shaped(counts, shape)}
        if samples[0].hex_memory:
            entry["memory"] = _shaped([sample.register_memory(index) for sample in samples], shape)
        entries[register.name] = entry
    return entries


def _shaped(of_each_set: Sequence[object], shape: tuple[int, ...]) -> object:
    return of_each_set if shape else of_each_set[0]


def _packed(circuit: Checked, samples: Sequence[Sample]) -> dict[str, bytes]:
    members = {}
    for index, register in enumerate(circuit.reading.registers):
        rows = np.stack([sample.packed_memory(index) for sample in samples])
        array = rows.reshape(*circuit.shape, circuit.shots, rows.shape[-1])
        members[memory_member(circuit.index, register.name, index=index)] = npy_bytes(array)
    return members
