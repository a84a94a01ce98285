"""Circuits that were read, kept for as long as the same one comes again.

A child serves one owner, who often sends one circuit many times: with other values, shots or seeds, or just again.
Reading it, looking it over and making it fit cost more than running a small one.
"""

from __future__ import annotations

import io
from functools import cached_property, lru_cache

from qiskit import QuantumCircuit, qpy

from qdepot.domain.program import ProgramFormat
from qdepot.quantum.devices import device
from qdepot.quantum.exact_sampling import Distribution, distribution
from qdepot.quantum.parse import Reading, read
from qdepot.quantum.survey import Survey, surveyed
from qdepot.quantum.transpile import Prepared, prepared
from qdepot.quantum.variables import with_variables_in_registers
from qdepot.quantum.writing_out import written_out

_KEPT = 64
_KEPT_SOURCE_BYTES = 16 * 1024
"""Circuits of longer sources are not kept: they take memory, and reading them is not what takes their time."""


class Understood:
    """A circuit that was read, with what is found out about it as it is asked for. Nobody changes what it holds.

    Attributes:
        reading: What was read.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    @property
    def circuit(self) -> QuantumCircuit:
        """What was read, with every gate's name meaning what the simulator takes it for."""
        return self._final[0]

    @property
    def survey(self) -> Survey:
        """What is in :attr:`circuit`."""
        return self._final[1]

    @cached_property
    def about(self) -> dict[str, object]:
        """What users are told about it, as JSON data."""
        circuit = self.reading.circuit
        return {
            "num_qubits": circuit.num_qubits,
            "num_clbits": circuit.num_clbits,
            "registers": [{"name": each.name, "num_bits": len(each.bits)} for each in self.reading.registers],
            "parameters": [parameter.name for parameter in circuit.parameters],
            "depth": circuit.depth(),
            "size": circuit.size(),
        }

    @cached_property
    def _final(self) -> tuple[QuantumCircuit, Survey]:
        circuit = with_variables_in_registers(self.reading.circuit)
        survey = surveyed(circuit)
        if not survey.must_be_written_out:
            return circuit, survey
        circuit = written_out(circuit)
        return circuit, surveyed(circuit)


class Ready:
    """A circuit as it runs, with what that takes. Nobody changes what it holds.

    Attributes:
        prepared: The circuit and how it came about.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared

    @cached_property
    def qpy_bytes(self) -> bytes:
        """The circuit as a QPY file."""
        buffer = io.BytesIO()
        qpy.dump(self.prepared.circuit, buffer)
        return buffer.getvalue()

    @cached_property
    def distribution(self) -> Distribution | None:
        """What is drawn from where no simulator is needed."""
        return distribution(self.prepared.circuit)


def understood(source: bytes, program_format: ProgramFormat) -> Understood:
    """Read a circuit, or find it among those that were read. Raises as :func:`~qdepot.quantum.parse.read`."""
    if len(source) > _KEPT_SOURCE_BYTES:
        return Understood(read(source, program_format))
    return _understood(source, program_format)


def ready(circuit: Understood, *, method: str, level: int | None, on: str | None) -> Ready:
    """Make a circuit fit, or find it among those that were. Raises as :func:`~qdepot.quantum.transpile.prepared`."""
    if len(circuit.circuit.data) > _KEPT_SOURCE_BYTES:
        return _prepared(circuit, method, level, on)
    return _ready(circuit, method, level, on)


@lru_cache(maxsize=_KEPT)
def _understood(source: bytes, program_format: ProgramFormat) -> Understood:
    return Understood(read(source, program_format))


@lru_cache(maxsize=_KEPT)
def _ready(circuit: Understood, method: str, level: int | None, on: str | None) -> Ready:
    return _prepared(circuit, method, level, on)


def _prepared(circuit: Understood, method: str, level: int | None, on: str | None) -> Ready:
    device_used = None if on is None else device(on)
    return Ready(prepared(circuit.circuit, circuit.survey, method=method, level=level, on=device_used))
