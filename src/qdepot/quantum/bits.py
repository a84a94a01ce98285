"""From what Aer measured to counts and per-shot outcomes by register.

Aer reports a shot as one number in hexadecimal, whose bit ``i`` is the circuit's classical bit ``i``. Bit strings are
written as Qiskit's ``get_counts()`` writes them: within a register bit 0 is the rightmost character; registers are
joined by single spaces, the one that was declared last leftmost.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister

Counts = dict[str, int]
Memory = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A classical register of a circuit.

    Attributes:
        name: As it was declared.
        bits: Index of each of its bits among the circuit's classical bits, bit 0 first.
    """

    name: str
    bits: tuple[int, ...]

    def value(self, outcome: int) -> int:
        """What the register holds, if the circuit's bits hold ``outcome``."""
        first, width = self.bits[0], len(self.bits)
        if self.bits == tuple(range(first, first + width)):
            return (outcome >> first) & ((1 << width) - 1)
        return sum(((outcome >> bit) & 1) << position for position, bit in enumerate(self.bits))


def registers_of(circuit: QuantumCircuit, declared: Sequence[ClassicalRegister] | None = None) -> tuple[Register, ...]:
    """The registers of a circuit, or those of them that were ``declared``, in order; none of width zero."""
    places = {bit: index for index, bit in enumerate(circuit.clbits)}
    chosen = circuit.cregs if declared is None else declared
    return tuple(
        Register(name=register.name, bits=tuple(places[bit] for bit in register))
        for register in chosen
        if len(register)
    )


@dataclass(frozen=True)
class Sample:
    """What came of all shots with one parameter set.

    Attributes:
        registers: The circuit's registers.
        hex_counts: How often each outcome was measured, as Aer reports it.
        hex_memory: The outcome of each shot, in order; empty where it was not asked for.
    """

    registers: tuple[Register, ...]
    hex_counts: Mapping[str, int]
    hex_memory: Sequence[str] = ()

    @cached_property
    def _outcomes(self) -> list[int]:
        return [int(outcome, 16) for outcome in self.hex_counts]

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        """For each shot the place of its outcome among the distinct ones."""
        place = {outcome: index for index, outcome in enumerate(self.hex_counts)}
        return np.fromiter(map(place.__getitem__, self.hex_memory), dtype=np.int64, count=len(self.hex_memory))

    @cached_property
    def _strings(self) -> dict[str, list[str]]:
        """By register: its bit string for each distinct outcome."""
        return {
            register.name: [format(register.value(outcome), f"0{len(register.bits)}b") for outcome in self._outcomes]
            for register in self.registers
        }

    @cached_property
    def _joined(self) -> list[str]:
        return [" ".join(parts) for parts in zip(*reversed(self._strings.values()), strict=True)]

    def counts(self) -> Counts:
        """Counts of all registers joined, in order of the bit strings."""
        return self._summed(self._joined)

    def register_counts(self, name: str) -> Counts:
        """Counts of one register, in order of the bit strings."""
        return self._summed(self._strings[name])

    def memory(self) -> list[str]:
        """The joined bit string of each shot, in order."""
        return [self._joined[place] for place in self._places]

    def register_memory(self, name: str) -> list[str]:
        """The bit string of one register for each shot, in order."""
        strings = self._strings[name]
        return [strings[place] for place in self._places]

    def packed_memory(self, register: Register) -> Memory:
        """One register's outcomes as ``uint8`` of shape ``(shots, ceil(num_bits / 8))``, most significant byte first.

        The layout of Qiskit's ``BitArray``.
        """
        width = (len(register.bits) + 7) // 8
        rows = b"".join(register.value(outcome).to_bytes(width, "big") for outcome in self._outcomes)
        return np.frombuffer(rows, dtype=np.uint8).reshape(-1, width)[self._places]

    def _summed(self, strings: list[str]) -> Counts:
        counts: Counts = {}
        for bits, count in zip(strings, self.hex_counts.values(), strict=True):
            counts[bits] = counts.get(bits, 0) + count
        return dict(sorted(counts.items()))


def npy_bytes(array: Memory) -> bytes:
    """The bytes of an ``.npy`` file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
