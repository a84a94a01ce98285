"""From what Aer measured to counts and per-shot outcomes by register.

Aer reports a shot as one number in hexadecimal, whose bit ``i`` is the circuit's classical bit ``i``. Bit strings are
written as Qiskit's ``get_counts()`` writes them: within a register bit 0 is the rightmost character; registers are
joined by single spaces, the one that was declared last leftmost.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


def registers_of(
    circuit: QuantumCircuit, declared: Mapping[str, ClassicalRegister] | None = None
) -> tuple[Register, ...]:
    """The registers of a circuit, in order; none of width zero.

    Args:
        circuit: The circuit.
        declared: Those of its registers that count, by the names that their author gave them; None: all.
    """
    places = {bit: index for index, bit in enumerate(circuit.clbits)}
    chosen = {register.name: register for register in circuit.cregs} if declared is None else declared
    return tuple(
        Register(name=name, bits=tuple(places[bit] for bit in register))
        for name, register in chosen.items()
        if len(register)
    )


class Wording:
    """The bit strings of outcomes, each put into words once, however many parameter sets it turns up in."""

    def __init__(self, registers: tuple[Register, ...]) -> None:
        self.registers = registers
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, outcome: str) -> tuple[str, ...]:
        """The joined bit string of an outcome in hexadecimal, and then that of each register in order."""
        words = self._known.get(outcome)
        if words is None:
            number = int(outcome, 16)
            parts = [format(register.value(number), f"0{len(register.bits)}b") for register in self.registers]
            words = self._known[outcome] = (" ".join(reversed(parts)), *parts)
        return words


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What came of all shots with one parameter set.

    Attributes:
        wording: How outcomes of the circuit are written.
        hex_counts: How often each outcome was measured, as Aer reports it.
        hex_memory: The outcome of each shot, in order; empty where it was not asked for.
    """

    wording: Wording
    hex_counts: Mapping[str, int]
    hex_memory: Sequence[str] = ()

    def counts(self) -> Counts:
        """Counts of all registers joined, in order of the bit strings."""
        return self._summed(0)

    def register_counts(self, index: int) -> Counts:
        """Counts of one register, in order of the bit strings."""
        return self._summed(1 + index)

    def memory(self) -> list[str]:
        """The joined bit string of each shot, in order."""
        return [self.wording.of(outcome)[0] for outcome in self.hex_memory]

    def register_memory(self, index: int) -> list[str]:
        """The bit string of one register for each shot, in order."""
        return [self.wording.of(outcome)[1 + index] for outcome in self.hex_memory]

    def packed_memory(self, index: int) -> Memory:
        """One register's outcomes as ``uint8`` of shape ``(shots, ceil(num_bits / 8))``, most significant byte first.

        The layout of Qiskit's ``BitArray``.
        """
        register = self.wording.registers[index]
        width = (len(register.bits) + 7) // 8
        place = {outcome: number for number, outcome in enumerate(self.hex_counts)}
        rows = b"".join(register.value(int(outcome, 16)).to_bytes(width, "big") for outcome in place)
        places = np.fromiter(map(place.__getitem__, self.hex_memory), dtype=np.intp, count=len(self.hex_memory))
        return np.frombuffer(rows, dtype=np.uint8).reshape(-1, width)[places]

    def _summed(self, column: int) -> Counts:
        counts: Counts = {}
        for outcome, count in self.hex_counts.items():
            bits = self.wording.of(outcome)[column]
            counts[bits] = counts.get(bits, 0) + count
        return dict(sorted(counts.items()))


def npy_bytes(array: Memory) -> bytes:
    """The bytes of an ``.npy`` file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
