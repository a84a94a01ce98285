"""Running circuits on Aer, and telling what went wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit_aer import AerError
from qiskit_aer.noise import NoiseModel

from qdepot.domain.seeds import Stream, stream_seed
from qdepot.errors import InternalError, MemoryLimitExceededError, QDepotError, UnsupportedProgramError
from qdepot.quantum.seeded_aer import seeded_simulator

Experiment = Any
"""Qiskit's result of one circuit with one set of values."""

_MEMORY = re.compile(r"insufficient memory|bad_alloc|posix_memalign|max memory", re.IGNORECASE)
_SHOWN = 500
_PARALLEL_FROM_QUBITS = 14
"""Aer shares the work on one state among threads from this width on; below, threads only cost time."""
_PARALLEL_FROM_WORK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a circuit is run.

    Attributes:
        method: Aer's simulation method.
        seed: Of the circuit; each set has one that is derived from it.
        shots: Executions of each set.
        memory: Whether the outcome of each shot is wanted.
        threads: How many threads may be used.
        memory_mb: Memory that the state may take.
        noise: What disturbs it.
        truncate: Whether Aer may drop idle qubits.
    """

    method: str
    seed: int
    shots: int = 1
    memory: bool = False
    threads: int = 1
    memory_mb: int | None = None
    noise: NoiseModel | None = None
    truncate: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """Sets of values for the parameters of a circuit.

    Attributes:
        sets: How many sets there are; 1 for a circuit without parameters.
        columns: For each parameter its value in each set.
    """

    sets: int = 1
    columns: Mapping[object, NDArray[np.float64]] = field(default_factory=dict)

    def of(self, circuit: QuantumCircuit) -> Values:
        """Those that a circuit still has a use for: the transpiler may have done away with parameters."""
        return Values(sets=self.sets, columns={parameter: self.columns[parameter] for parameter in circuit.parameters})


def run(circuit: QuantumCircuit, values: Values, settings: Settings) -> list[Experiment]:
    """Run a circuit once for each set of values, each under a seed of its own.

    Args:
        circuit: In instructions that the method knows.
        values: What to put in for its parameters.
        settings: How.

    Raises:
        MemoryLimitExceededError: The state does not fit into memory.
        UnsupportedProgramError: Aer cannot run it.
        InternalError: Aer failed in a way that it should not.
    """
    options: dict[str, object] = {
        "shots": settings.shots,
        "seeds": [stream_seed(settings.seed, Stream.AER, parameter_set=number) for number in range(values.sets)],
        "memory": settings.memory,
        "max_parallel_threads": settings.threads,
        "max_memory_mb": settings.memory_mb,
        "noise_model": settings.noise,
        "enable_truncation": settings.truncate,
    }
    given = {name: value for name, value in options.items() if value is not None}
    used = values.of(circuit).columns
    try:
        # Aer counts the sets by the parameters that it meets
        circuits, bindings = ([circuit], [used]) if used else ([circuit] * values.sets, None)
        result = seeded_simulator(settings.method).run(circuits, parameter_binds=bindings, **given).result()
    except AerError as error:
        raise _failure(str(error.message), number=None) from error
    for number, experiment in enumerate(result.results):
        if not experiment.success:
            raise _failure(str(experiment.status), number=number if len(result.results) > 1 else None)
    if not result.success:
        raise _failure(str(result.status), number=None)
    if len(result.results) != values.sets:
        raise InternalError(f"Aer gave {len(result.results)} results for {values.sets} parameter sets")
    return list(result.results)


def useful_threads(circuit: QuantumCircuit, *, threads: int, shots: int) -> int:
    """The number of threads that make a run faster: one for a small circuit.

    It leaves results as they are: Aer's random numbers depend on the seed and the shot, not on the thread.
    """
    width = circuit.num_qubits
    is_large = width >= _PARALLEL_FROM_QUBITS or (shots << width) >= _PARALLEL_FROM_WORK
    return threads if is_large else 1


def method_used(experiments: Sequence[Experiment], settings: Settings) -> str:
    """The method that Aer says it used; several, if it chose by the values of parameters."""
    used = {str(experiment.metadata["method"]) for experiment in experiments}
    return ", ".join(sorted(used)) or settings.method


def _failure(status: str, *, number: int | None) -> QDepotError:
    text = status.removeprefix("ERROR:").strip()[:_SHOWN]
    where = "" if number is None else f" with parameter set {number}"
    details = {} if number is None else {"parameter_set": number}
    if _MEMORY.search(text):
        return MemoryLimitExceededError(
            f"Aer ran out of memory{where}: {text}",
            solution="Use fewer qubits, shots or parameter sets in a job, or the backend `aer_mps`.",
            details=details,
        )
    return UnsupportedProgramError(
        f"Aer cannot run this{where}: {text}",
        solution="Write what it names in standard gates, or try the backend `aer`.",
        details=details,
    )
