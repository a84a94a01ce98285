"""Results as plain data.

Bit 0 is the **rightmost** character of every bit string, as in Qiskit. ``counts`` joins the classical registers by
spaces, the one declared last leftmost, and sums to ``shots``.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from qdepot.domain.member_names import register_named
from qdepot.errors import InvalidRequestError
from qdepot.installation import install_command
from qdepot.wire.answers import EstimatorResultAnswer, RegisterAnswer, ResultAnswer, SamplerResultAnswer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Counts = dict[str, int]
Memory = list[str] | list[list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """What one classical register held.

    Attributes:
        num_bits: Its width.
        counts: Outcomes and how often they came; a list in C order of the shape where there is one.
        memory: The outcome of each shot, in order, where the job asked for it; with a shape, a list of such lists in C
            order, one for each parameter set.
    """

    num_bits: int
    counts: Counts | list[Counts]
    memory: Memory | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerResult:
    """What was measured of one circuit.

    Attributes:
        shots: Executions, of each parameter set.
        shape: Shape of the parameter sets; empty for a circuit without.
        counts: Outcomes of all registers together; a list in C order of the shape where there is one.
        registers: By name, in order of declaration.
        memory: The outcome of each shot, in order, where the job asked for it; with a shape, a list of such lists in C
            order, one for each parameter set.
        metadata: How it was run.
    """

    shots: int
    shape: tuple[int, ...] = ()
    counts: Counts | list[Counts]
    registers: Mapping[str, Register]
    memory: Memory | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def points(self) -> list[SamplerResult]:
        """One result without a shape for each parameter set, in C order; without a shape, itself alone."""
        if not isinstance(self.counts, list):
            return [self]
        return [
            SamplerResult(
                shots=self.shots,
                counts=counts,
                registers={name: _register_at(register, index) for name, register in self.registers.items()},
                memory=_memory_at(self.memory, index),
                metadata=self.metadata,
            )
            for index, counts in enumerate(self.counts)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatorResult:
    """What was estimated of one circuit.

    Attributes:
        evs: Expectation values: a number, or nested lists of this shape.
        stds: Their standard errors, of the same shape.
        shape: Shape of parameter sets and observables together; empty for a single value.
        metadata: How it was run.
    """

    evs: Any
    stds: Any
    shape: tuple[int, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def points(self) -> list[EstimatorResult]:
        """One result for each entry of the first axis; without a shape, itself alone."""
        if not self.shape:
            return [self]
        rest = self.shape[1:]
        return [
            EstimatorResult(evs=value, stds=error, shape=rest, metadata=self.metadata)
            for value, error in zip(self.evs, self.stds, strict=True)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Sequence[SamplerResult | EstimatorResult]):
    """The result of a job: one entry a circuit, in the order in which they were handed in.

    Attributes:
        job_id: Whose.
        entries: The same as the items.
        partial: True if these are the results of the leading circuits alone, and others are missing.
        num_circuits: How many circuits the job has, where a partial result was asked for.
    """

    job_id: str
    entries: tuple[SamplerResult | EstimatorResult, ...]
    partial: bool = False
    num_circuits: int | None = None

    @overload
    def __getitem__(self, index: int) -> Any: ...  # noqa: ANN401 - a sampler's or an estimator's; users know which
    @overload
    def __getitem__(self, index: slice) -> Sequence[SamplerResult | EstimatorResult]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self.entries[index]

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[SamplerResult | EstimatorResult]:
        return iter(self.entries)

    def sampled(self, index: int = 0) -> SamplerResult:
        """The entry of a circuit of a sampler.

        Raises:
            InvalidRequestError: There is no such circuit, or the job was an estimator.
        """
        if not -len(self.entries) <= index < len(self.entries):
            raise InvalidRequestError(
                f"the result of job {self.job_id} has no circuit {index}, only {len(self.entries)} in all",
                solution="Circuits are numbered from 0.",
            )
        entry = self.entries[index]
        if not isinstance(entry, SamplerResult):
            raise InvalidRequestError(
                f"job {self.job_id} was an estimator: it has no counts", solution="Use result[i].evs and .stds."
            )
        return entry


def result_from_json(body: bytes) -> Result:
    """Read a result document as the service sends it.

    Raises:
        ValueError: It is none.
    """
    return result_from_answer(ResultAnswer.model_validate_json(body))


def result_from_answer(answer: ResultAnswer) -> Result:
    """The same from its wire model."""
    entries = tuple(_entry(one) for one in answer.results)
    return Result(job_id=answer.id, entries=entries, partial=answer.partial, num_circuits=answer.num_circuits)


def arrays_from_npz(content: bytes, *, circuit: int) -> dict[str, NDArray[np.uint8]]:
    """The per-shot outcomes of one circuit, by register, from the bytes of an ``.npz`` file.

    Raises:
        InvalidRequestError: NumPy is not installed, or there is no such circuit in the file.
    """
    try:
        import numpy as np
    except ModuleNotFoundError as error:
        raise InvalidRequestError(
            "NumPy is needed for per-shot arrays and is not installed",
            solution=f"Install it: {install_command('notebook')}",
        ) from error
    prefix = f"memory/{circuit}/"
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        names = [name for name in file.files if name.startswith(prefix)]
        found = {register_named(name.removeprefix(prefix)): file[name] for name in names}
    if not found:
        raise InvalidRequestError(
            f"there are no per-shot outcomes of circuit {circuit}", solution="Circuits are numbered from 0."
        )
    return found


def _entry(answer: SamplerResultAnswer | EstimatorResultAnswer) -> SamplerResult | EstimatorResult:
    if isinstance(answer, EstimatorResultAnswer):
        return EstimatorResult(
            evs=answer.evs, stds=answer.stds, shape=tuple(answer.shape), metadata=dict(answer.metadata)
        )
    return SamplerResult(
        shots=answer.shots,
        shape=tuple(answer.shape),
        counts=answer.counts,
        registers={name: _register(register, shots=answer.shots) for name, register in answer.registers.items()},
        memory=_memory(answer, shots=answer.shots),
        metadata=dict(answer.metadata),
    )


def _register(answer: RegisterAnswer, *, shots: int) -> Register:
    return Register(num_bits=answer.num_bits, counts=answer.counts, memory=_memory(answer, shots=shots))


def _register_at(register: Register, index: int) -> Register:
    assert isinstance(register.counts, list)
    return Register(
        num_bits=register.num_bits, counts=register.counts[index], memory=_memory_at(register.memory, index)
    )


def _memory(answer: SamplerResultAnswer | RegisterAnswer, *, shots: int) -> Memory | None:
    """The outcomes of each set by themselves, also of results that were stored as one flat list of all sets."""
    memory = answer.memory
    if not isinstance(answer.counts, list) or memory is None:
        return memory
    flat = [outcome for outcome in memory if isinstance(outcome, str)]
    if not flat:
        return memory
    return [flat[start : start + shots] for start in range(0, len(flat), shots)]


def _memory_at(memory: Memory | None, index: int) -> list[str] | None:
    outcomes = None if memory is None else memory[index]
    return outcomes if isinstance(outcomes, list) else None
