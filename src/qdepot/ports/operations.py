"""The operations of the ``quantum`` room, as tasks for a compute pool.

The room is reached by name, so what it takes and gives is fixed here, between those who ask and the child that answers.
"""

from __future__ import annotations

from collections.abc import Mapping

from qdepot.domain.backend import BackendInfo
from qdepot.domain.program import Program
from qdepot.ports.compute_pool import Lane, Limits, Payload, Task


def check_task(
    program: Program,
    *,
    options: Mapping[str, object],
    backend: BackendInfo,
    max_total_shots: int,
    owner: str,
    limits: Limits,
) -> Task:
    """Read the circuits and check them against a backend; nothing is run.

    The memory that a state takes is checked against the backend's property ``memory_limit_bytes``, where it has one.

    The answer's ``meta`` is a program's summary (see :class:`qdepot.domain.program.ProgramSummary`).
    """
    return Task(
        operation="check",
        payload=_payload(
            program, options=options, backend=backend, max_total_shots=max_total_shots, **_memory_of(backend)
        ),
        lane=Lane.CHECK,
        limits=limits,
        owner=owner,
    )


def simulate_task(
    program: Program,
    *,
    options: Mapping[str, object],
    backend: BackendInfo,
    threads: int,
    owner: str,
    limits: Limits,
    first_circuit: int = 0,
) -> Task:
    """Read, check, fit and simulate a program, or consecutive circuits of one.

    With ``first_circuit`` they are those from this place on: with the same ``seed`` among the options they give what
    they give in the whole program, and members and errors name them by their places there.

    The answer's ``parts`` hold ``result.json`` (the result document) and the further members of a bundle (see
    :class:`qdepot.domain.result.Outcome`); ``meta`` holds ``metadata`` and ``summary``.
    """
    extra = {
        "threads": threads,
        "memory_mb": limits.memory_bytes // 1024**2,
        "first_circuit": first_circuit,
    }
    return Task(
        operation="simulate",
        payload=_payload(program, options=options, backend=backend, max_total_shots=None, **extra),
        lane=Lane.RUN,
        limits=limits,
        owner=owner,
    )


def describe_task() -> Task:
    """Ask a child for its versions: ``meta`` holds ``packages``, ``qpy_versions``, ``fake_devices``, ``sandbox``."""
    return Task(operation="describe", payload=Payload(), lane=Lane.CHECK)


def _memory_of(backend: BackendInfo) -> dict[str, object]:
    limit = backend.properties.get("memory_limit_bytes")
    return {"memory_mb": limit // 1024**2} if isinstance(limit, int) else {}


def _payload(program: Program, *, options: Mapping[str, object], backend: BackendInfo, **extra: object) -> Payload:
    parts = {f"circuit/{index}": circuit.source for index, circuit in enumerate(program.circuits)}
    circuits = [
        {
            "format": circuit.format.value,
            "part": part,
            "parameter_values": circuit.parameter_values,
            "observables": circuit.observables,
            "shots": circuit.shots,
            "precision": circuit.precision,
        }
        for part, circuit in zip(parts, program.circuits, strict=True)
    ]
    meta: dict[str, object] = {
        "kind": program.kind.value,
        "shots": program.shots,
        "precision": program.precision,
        "circuits": circuits,
        "options": dict(options),
        "backend": {
            "name": backend.name,
            "method": backend.properties.get("method", "automatic"),
            "device": backend.properties.get("device"),
            "num_qubits": backend.num_qubits,
            "max_shots": backend.max_shots,
        },
        **extra,
    }
    return Payload(meta=meta, parts=parts)
