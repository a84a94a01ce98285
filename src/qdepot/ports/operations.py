"""The operations of the ``quantum`` room, as tasks for a compute pool.

The room is reached by name, so what it takes and gives is fixed here, between those who ask and the child that answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qdepot.domain.backend import BackendInfo
from qdepot.domain.program import Circuit, JsonText, Program
from qdepot.domain.result import Buffer
from qdepot.errors import InternalError
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

    The answer's ``meta`` is a program's summary (see :attr:`qdepot.domain.job.Job.summary`).
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


def together_task(tasks: Sequence[Task], *, limits: Limits, budget_s: float) -> Task:
    """Several simulations of one owner under one memory limit, in one task.

    Args:
        tasks: As :func:`simulate_task` makes them.
        limits: For all of them together.
        budget_s: After so many seconds no further one is begun.
    """
    return Task(
        operation="simulate_together",
        payload=Payload(
            meta={
                "budget_s": budget_s,
                "tasks": [{"meta": dict(task.payload.meta), "parts": list(task.payload.parts)} for task in tasks],
            },
            parts={
                f"{number}/{name}": content
                for number, task in enumerate(tasks)
                for name, content in task.payload.parts.items()
            },
        ),
        lane=Lane.RUN,
        limits=limits,
        owner=tasks[0].owner,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTogether:
    """What became of one simulation among several.

    Attributes:
        payload: What it would have answered alone; None if it failed, which it is to do again alone.
        run_s: Seconds that it took.
    """

    payload: Payload | None
    run_s: float = 0.0


def answers_together(answer: Payload) -> list[AnswerTogether]:
    """What a :func:`together_task` answers, in the order of the tasks; of those that were not begun nothing.

    Raises:
        InternalError: It is not what a child should answer.
    """
    answers = answer.meta.get("answers")
    if not isinstance(answers, list):
        raise InternalError("the child's answer holds no answers")
    try:
        return [_answer_together(number, found, answer.parts) for number, found in enumerate(answers)]
    except (KeyError, TypeError, ValueError) as error:
        raise InternalError("the child's answers cannot be read") from error


def _answer_together(number: int, found: Mapping[str, Any], parts: Mapping[str, Buffer]) -> AnswerTogether:
    if found.get("failed"):
        return AnswerTogether(payload=None)
    own = {str(name): parts[f"{number}/{name}"] for name in found["parts"]}
    return AnswerTogether(payload=Payload(meta=dict(found["meta"]), parts=own), run_s=float(found["run_s"]))


def describe_task() -> Task:
    """Ask a child for its versions: ``meta`` holds ``packages``, ``qpy_versions``, ``fake_devices``, ``sandbox``."""
    return Task(operation="describe", payload=Payload(), lane=Lane.CHECK)


def _memory_of(backend: BackendInfo) -> dict[str, object]:
    limit = backend.properties.get("memory_limit_bytes")
    return {"memory_mb": limit // 1024**2} if isinstance(limit, int) else {}


def _payload(program: Program, *, options: Mapping[str, object], backend: BackendInfo, **extra: object) -> Payload:
    parts: dict[str, Buffer] = {}
    circuits = [_circuit(index, circuit, parts) for index, circuit in enumerate(program.circuits)]
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


def _circuit(index: int, circuit: Circuit, parts: dict[str, Buffer]) -> dict[str, object]:
    """What ``meta`` says of a circuit; its source, and values that are text, become parts."""
    part = f"circuit/{index}"
    parts[part] = circuit.source
    meta: dict[str, object] = {
        "format": circuit.format.value,
        "part": part,
        "shots": circuit.shots,
        "precision": circuit.precision,
    }
    for name in ("parameter_values", "observables"):
        value = getattr(circuit, name)
        if isinstance(value, JsonText):
            parts[f"{name}/{index}"] = value.text
            meta[f"{name}_part"] = f"{name}/{index}"
        else:
            meta[name] = value
    return meta
