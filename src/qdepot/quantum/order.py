"""What an operation is asked to do, read from its payload."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qdepot.domain.program import ProgramFormat, ProgramKind
from qdepot.errors import InternalError
from qdepot.ports.compute_pool import Payload

Meta = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitOrder:
    """One circuit of an order.

    Attributes:
        index: Its place in the program.
        format: How ``source`` is written.
        source: The bytes as they were sent.
        parameter_values, observables: Plain JSON data as they were sent.
        shots: Executions for each parameter set; the circuit's own or the program's.
        precision: Wanted standard error; the circuit's own or the program's.
    """

    index: int
    format: ProgramFormat
    source: bytes
    parameter_values: object = None
    observables: object = None
    shots: int | None = None
    precision: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendOrder:
    """Where it runs.

    Attributes:
        name: What the owner calls it.
        method: Aer's simulation method; ``automatic`` leaves the choice to Aer.
        num_qubits: Most qubits a circuit may declare; None: as many as the method and memory allow.
        max_shots: Most executions of one circuit with one parameter set.
        device: The fake device that it imitates.
    """

    name: str = "aer"
    method: str = "automatic"
    num_qubits: int | None = None
    max_shots: int = 1_000_000
    device: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How it runs; None leaves the choice to qdepot.

    Attributes:
        seed, memory, optimization_level, method, noise: As callers send them.
        sampling: ``aer`` has every shot drawn by the simulator.
    """

    seed: int | None = None
    memory: bool = False
    optimization_level: int | None = None
    method: str | None = None
    noise: str | None = None
    sampling: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Circuits to be checked or run on one backend.

    Attributes:
        kind: What is wanted of the circuits.
        circuits: At least one.
        backend: Where they run.
        options: How they run.
        max_total_shots: Most executions over all circuits and parameter sets.
        threads: Threads that the simulator may use.
        memory_mb: Memory that a simulated state may take; None: unknown as yet.
    """

    kind: ProgramKind
    circuits: tuple[CircuitOrder, ...]
    backend: BackendOrder = field(default_factory=BackendOrder)
    options: Options = field(default_factory=Options)
    max_total_shots: int | None = None
    threads: int = 1
    memory_mb: int | None = None

    @property
    def device(self) -> str | None:
        """The fake device whose target and noise are used, if any."""
        return self.backend.device or self.options.noise

    @classmethod
    def read(cls, payload: Payload) -> Order:
        """The order in a payload of ``check`` or ``simulate``.

        Raises:
            InternalError: The payload is not what the service should send.
        """
        try:
            return _order(payload)
        except (KeyError, TypeError, ValueError) as error:
            raise InternalError(f"the order to the quantum room cannot be read: {error!r}") from error


def _order(payload: Payload) -> Order:
    meta: Meta = payload.meta
    circuits: Sequence[Meta] = meta["circuits"]
    first = int(meta.get("first_circuit") or 0)
    return Order(
        kind=ProgramKind(meta["kind"]),
        circuits=tuple(_circuit(payload, circuit, index=index) for index, circuit in enumerate(circuits, first)),
        backend=BackendOrder(**_given(meta.get("backend"), of=BackendOrder)),
        options=Options(**_given(meta.get("options"), of=Options)),
        max_total_shots=meta.get("max_total_shots"),
        threads=max(1, int(meta.get("threads") or 1)),
        memory_mb=meta.get("memory_mb"),
    )


def _circuit(payload: Payload, circuit: Meta, *, index: int) -> CircuitOrder:
    own_shots, own_precision = circuit.get("shots"), circuit.get("precision")
    return CircuitOrder(
        index=index,
        format=ProgramFormat(circuit["format"]),
        source=bytes(payload.parts[circuit["part"]]),
        parameter_values=_value(payload, circuit, "parameter_values"),
        observables=_value(payload, circuit, "observables"),
        shots=payload.meta.get("shots") if own_shots is None else own_shots,  # type: ignore[arg-type] # checked later
        precision=payload.meta.get("precision") if own_precision is None else own_precision,  # type: ignore[arg-type]
    )


def _value(payload: Payload, circuit: Meta, name: str) -> object:
    """Plain data, from ``meta`` or from a part that holds its JSON text."""
    part = circuit.get(f"{name}_part")
    return circuit.get(name) if part is None else json.loads(bytes(payload.parts[part]))


def _given(values: Meta | None, *, of: type) -> dict[str, Any]:
    """What was said of the fields that ``of`` has; what was left open keeps its default."""
    known = of.__dataclass_fields__  # type: ignore[attr-defined] # only called with dataclasses
    return {name: value for name, value in (values or {}).items() if name in known and value is not None}
