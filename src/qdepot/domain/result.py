"""What comes back, and the rules that every result keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from qdepot.domain.program import Program, ProgramKind
from qdepot.errors import InternalError

Buffer = bytes | bytearray | memoryview
"""Bytes that may lie in a mapped file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A finished program, normalised and ready for the archive.

    Attributes:
        document: The result as users get it, UTF-8 JSON: ``{"results": [...]}``, one entry a circuit, in order. Sampler
            entries hold ``shots``, ``shape``, ``counts``, ``registers`` and ``metadata``; estimator entries ``evs``,
            ``stds``, ``shape`` and ``metadata``. Bit 0 is the **rightmost** character of every bit string; ``counts``
            joins the registers by spaces, the register declared last leftmost. Counts sum to ``shots``. With a shape,
            ``counts`` and ``memory`` (the outcome of each shot, where it was asked for) are lists in C order of it,
            with one entry a set; ``memory`` is then a list of lists.
        members: Further files for the bundle by name: ``memory/<circuit>/<register>.npy`` (see
            :func:`~qdepot.domain.member_names.memory_member`; per-shot outcomes: uint8, packed, shape
            ``(*shape, shots, ceil(num_bits / 8))``, most significant byte first), ``prepared/<circuit>.qpy`` (what
            really ran), ``raw/...`` (what the vendor sent).
        metadata: Plain JSON data on how it was run: versions, method, seed, times.
    """

    document: Buffer
    members: Mapping[str, Buffer] = field(default_factory=dict)
    metadata: Mapping[str, object] = field(default_factory=dict)


def check_sampler_entry(entry: Mapping[str, object]) -> None:
    """Check one sampler entry of a result document against the rules of :class:`Outcome`.

    Raises:
        InternalError: A count is not a positive integer, a bit string has the wrong width, a sum differs from shots, or
            ``memory`` is not of the same shape as ``counts``.
    """
    shots = entry["shots"]
    registers = entry["registers"]
    if not isinstance(shots, int) or not isinstance(registers, Mapping):
        raise InternalError("a sampler result needs integer shots and a mapping of registers")
    widths = [int(register["num_bits"]) for register in registers.values()]
    for counts in _flat(entry["counts"]):
        _check_counts(counts, shots=shots, widths=list(reversed(widths)))
    for register in registers.values():
        for counts in _flat(register["counts"]):
            _check_counts(counts, shots=shots, widths=[int(register["num_bits"])])
    for part in (entry, *registers.values()):
        _check_memory(part, shots=shots)


def check_shots(document: Buffer, program: Program, *, up_to_bytes: int) -> None:
    """Check that each circuit of a sampler program has as many shots as were asked for.

    Documents beyond ``up_to_bytes`` are not read.

    Raises:
        InternalError: The document has other entries than the program has circuits, or one has other shots.
    """
    if program.kind is not ProgramKind.SAMPLER or memoryview(document).nbytes > up_to_bytes:
        return
    entries = json.loads(bytes(document))["results"]
    if len(entries) != len(program.circuits):
        raise InternalError(f"the backend gave {len(entries)} results of {len(program.circuits)} circuits")
    for number, (entry, circuit) in enumerate(zip(entries, program.circuits, strict=True)):
        wanted = circuit.shots or program.shots
        if entry.get("shots") != wanted:
            raise InternalError(
                f"the backend gave {entry.get('shots')} shots of circuit {number}, not {wanted}",
                solution="Tell the operator: the backend, or its adapter, does not do what it was asked.",
            )


def _flat(counts: object) -> Sequence[Mapping[str, int]]:
    if isinstance(counts, Mapping):
        return [counts]
    if isinstance(counts, Sequence) and all(isinstance(item, Mapping) for item in counts):
        return list(counts)
    raise InternalError("counts are one mapping, or a list of mappings in C order of the shape")


def _check_memory(part: Mapping[str, object], *, shots: int) -> None:
    memory = part.get("memory")
    if memory is None:
        return
    of_sets = memory if isinstance(part["counts"], Sequence) else [memory]
    if not isinstance(of_sets, Sequence) or len(of_sets) != len(_flat(part["counts"])):
        raise InternalError("memory has not one list for each entry of counts")
    for outcomes in of_sets:
        if isinstance(outcomes, str) or not isinstance(outcomes, Sequence) or len(outcomes) != shots:
            raise InternalError(f"memory is not a list of {shots} outcomes for each set")


def _check_counts(counts: Mapping[str, int], *, shots: int, widths: Sequence[int]) -> None:
    for bits, count in counts.items():
        parts = bits.split(" ")
        if [len(part) for part in parts] != list(widths) or set(bits) - set("01 "):
            raise InternalError(f"bit string {bits!r} does not have the widths {list(widths)}")
        if not isinstance(count, int) or count < 1:
            raise InternalError(f"the count of {bits!r} is {count!r}, not a positive integer")
    if sum(counts.values()) != shots:
        raise InternalError(f"counts sum to {sum(counts.values())}, not to {shots} shots")
